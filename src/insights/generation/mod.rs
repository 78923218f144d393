//! Has a model choose among the facts and phrase them, and lets nothing out
//! that the facts do not bear out.
//!
//! | module | what it is |
//! | --- | --- |
//! | `provider` | the way of a question: cache, model, check, answer |
//! | `instruction` | what the model is told, and what its answer looks like |
//! | `outbound` | what leaves the service |
//! | `draft`, `draft_stream` | what the model wrote, whole or while it comes |
//! | `phrased` | what may be told of it |
//! | `live` | tells a draft while it comes |

mod draft;
mod draft_stream;
mod instruction;
mod live;
mod outbound;
mod phrased;
mod provider;

pub use provider::GeminiProvider;
