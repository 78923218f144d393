//! Has a model choose among the facts and phrase them, and lets nothing out
//! that the facts do not bear out.
//!
//! | module | what it is |
//! | --- | --- |
//! | `provider` | the way of a question: cache, model, check, answer |
//! | `system_instruction` | what the model is told, and what its answer looks like |
//! | `prompt_payload` | what leaves the service |
//! | `draft`, `draft_stream` | what the model wrote, whole or while it comes |
//! | `rendered` | what may be told of it |
//! | `streaming_renderer` | tells a draft while it comes |

mod draft;
mod draft_stream;
mod prompt_payload;
mod provider;
mod rendered;
mod streaming_renderer;
mod system_instruction;

pub use provider::GeminiProvider;
