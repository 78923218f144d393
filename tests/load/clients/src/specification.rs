use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

/// Load to generate.
#[derive(Deserialize)]
pub struct Specification {
    pub address: SocketAddr,
    /// Time within which requests start.
    pub seconds: f64,
    /// Time at the start that is not measured.
    #[serde(default)]
    pub warm_up: f64,
    /// Further time for requests in flight, which are then given up.
    pub drain: f64,
    pub classes: Vec<Class>,
}

/// Connections that behave alike.
#[derive(Deserialize)]
pub struct Class {
    pub name: String,
    pub connections: usize,
    pub method: String,
    /// Sent in turn; `{n}` becomes the number of the request.
    pub paths: Vec<String>,
    /// Keys, one per connection in turn.
    #[serde(default)]
    pub keys: Vec<String>,
    /// Further lines of the head.
    #[serde(default)]
    pub headers: Vec<String>,
    /// File with the body, in which `{n}` becomes the number of the request.
    pub body: Option<PathBuf>,
    /// Requests per second of the class (open loop). Without it, each connection sends
    /// its next request after the response and a pause (closed loop).
    pub rate: Option<f64>,
    /// Mean of the exponentially distributed pause after a response in a closed loop.
    #[serde(default)]
    pub think_secs: f64,
    /// Pauses for the time of `Retry-After`. Otherwise a rejected request is repeated at
    /// once.
    #[serde(default)]
    pub honours_retry_after: bool,
    /// Source addresses, one per connection in turn.
    pub addresses: usize,
    /// Bytes per second and connection of the uplink.
    pub send_rate: Option<f64>,
    /// Bytes per second and connection of the downlink.
    pub read_rate: Option<f64>,
    /// Maximum segment size, which also limits what the service sends.
    pub segment: Option<u32>,
    /// Sends the body after `100 Continue`.
    #[serde(default)]
    pub expects_continue: bool,
    /// Bytes at the end of each request that are never sent.
    #[serde(default)]
    pub withheld: usize,
    /// Bytes of a body beyond which it counts as begun, because they exceed what the
    /// kernel accepts without the service.
    pub begun_bytes: usize,
}
