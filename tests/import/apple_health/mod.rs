//! Exports of Apple Health as they are read: whole, in archives, damaged and
//! made to do harm.

mod archives;
mod damage;
mod hostile;
mod mutations;
mod readings;
mod sample_data;
mod support;
