//! Bounds on concurrency, time and memory.

mod admission;
mod buffered_body;
mod guarded_body;
mod leased_store;
mod memory_pool;
mod scheduler_lag;
mod sizes;

pub use admission::{
    AdmissionControl, AdmissionTicket, ConcurrencyLimit, Deadlines, RouteLimit, admit,
};
pub use buffered_body::BufferedBody;
pub use leased_store::{LeasedStore, StoreScan};
pub use scheduler_lag::SchedulerLag;
pub use sizes::{DEFAULT_MAX_BODY_BYTES, MAX_BATCH_BODY_BYTES};
