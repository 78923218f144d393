//! Layers around every request.

mod access_log;
mod cors;
mod framing;
mod method_label;
mod request_context;
mod request_id;
mod security_headers;

pub use cors::{AllowedOrigins, cors_layer};
pub use method_label::method_label;
pub use request_context::{RequestContext, connection_error};
pub use request_id::RequestId;
pub use security_headers::{SecurityHeaders, with_page_headers};
