//! Writes: single and batched puts, deletions and erasures.

mod batch_put;
mod batch_write;
mod delete;
mod put;
mod put_coalescer;

pub(super) use self::batch_put::put_many;
pub(super) use self::delete::{delete, erase_part};
pub(super) use self::put::put_single;
pub(super) use self::put_coalescer::PutCoalescer;
