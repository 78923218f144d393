//! Answers whose wording a model generates, verified against the facts before
//! anything is sent.
//!
//! | module | content |
//! | --- | --- |
//! | `provider` | lifecycle of a question: cache, model, verification, repair |
//! | `system_instruction` | system instruction and reply schema |
//! | `prompt_payload` | data that leaves the service |
//! | `draft`, `draft_stream` | the model's reply, whole or streamed |
//! | `rendered` | answers rendered from verified drafts |
//! | `streaming_renderer` | verifies and sends sentences as they arrive |

mod draft;
mod draft_stream;
mod prompt_payload;
mod provider;
mod rendered;
mod streaming_renderer;
mod system_instruction;

pub use provider::GeminiProvider;
