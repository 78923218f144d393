//! Writes: single and batched puts, deletions and erasures.

mod batch_put;
mod batch_write;
mod conditional_delete;
mod delete;
mod late_writes;
mod put;
mod put_coalescer;

pub(super) use self::batch_put::put_many;
pub(super) use self::delete::{delete, delete_item, erase_part};
pub(super) use self::late_writes::LateWrites;
pub(super) use self::put::put_single;
pub(super) use self::put_coalescer::PutCoalescer;
