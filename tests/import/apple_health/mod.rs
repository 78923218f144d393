//! The reader of Apple Health exports: intact, in archives, corrupt and hostile.

mod archives;
mod corruption;
mod hostile;
mod mutations;
mod readings;
mod sample_data;
mod support;
