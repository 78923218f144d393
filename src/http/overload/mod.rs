//! Bounds on concurrency, time and memory; `docs/design/overload.md` has the reasons.
//!
//! | file | bound |
//! | --- | --- |
//! | `admission` | concurrent requests and deadline, by route class |
//! | `places` | requests at work, and the queue for their places |
//! | `memory_pool`, `owner` | bytes, with a share per owner |
//! | `sizes`, `buffered_body`, `body_segments` | size, memory and rate of request bodies |
//! | `leased_store` | memory for pages of readings |
//! | `guarded_body` | memory for responses until they are sent |
//! | `blocking` | keeps long work off the threads that serve |
//! | `rejections` | rate of rejections |

mod admission;
mod blocking;
mod body_segments;
mod buffered_body;
mod cores;
mod guarded_body;
mod leased_store;
mod memory_pool;
mod owner;
mod places;
mod rejections;
mod sizes;

pub use admission::{AdmissionControl, AdmissionTicket, Deadlines, RouteClass, admit};
pub use blocking::run_blocking;
pub use buffered_body::BufferedBody;
pub use guarded_body::GuardedBody;
pub use leased_store::{LeasedStore, StoreScan};
pub use memory_pool::MemoryLease;
pub use owner::Owner;
pub use rejections::RejectionPace;
pub use sizes::{DEFAULT_MAX_BODY_BYTES, MAX_BATCH_BODY_BYTES};
