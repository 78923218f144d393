//! Bounds on concurrency, time and memory.

mod buffered_body;
mod guarded_body;
mod leased_store;
mod load_shed;
mod memory_pool;
mod scheduler_lag;
mod sizes;

pub use buffered_body::BufferedBody;
pub use leased_store::{LeasedStore, StoreScan};
pub use load_shed::{
    AdmissionControl, AdmissionTicket, ConcurrencyLimit, Deadlines, RouteLimit, admit,
};
pub use scheduler_lag::SchedulerLag;
pub use sizes::{MAX_BATCH_BODY_BYTES, MAX_BODY_BYTES};
