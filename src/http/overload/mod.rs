//! Bounds on concurrency, time and memory; `docs/design/overload.md` has the reasons.
//!
//! | file | bound |
//! | --- | --- |
//! | `admission` | concurrent requests and deadline, by route class |
//! | `scheduler_lag` | CPU backlog, above which requests are shed |
//! | `sizes`, `buffered_body` | size of a request body, and bytes of all arriving bodies |
//! | `memory_pool`, `leased_store` | memory for pages of readings |
//! | `guarded_body` | memory for large responses until they are sent |

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
