//! Backend for health apps: stores readings from wearables, returns them, and
//! answers questions about them.
//!
//! `docs/architecture.md` has the reasons behind this structure, `docs/design/` the
//! mechanisms one by one.
//!
//! # Map
//!
//! | module | responsibility |
//! | --- | --- |
//! | [`commands`] | command line |
//! | [`app`] | wires the service together and runs it |
//! | [`config`] | settings from the environment |
//! | [`server`] | connections and shutdown phases |
//! | [`http`] | routes, wire types, access, admission, problem documents |
//! | [`import`] | `clarity-backend import`: sources, mapping, pipeline |
//! | [`auth`] | API keys, tokens, scopes, principals |
//! | [`insights`] | answers to questions about readings |
//! | [`summaries`] | readings by local calendar periods |
//! | [`statistics`] | statistics of numbers |
//! | [`store`] | storage contract, and its two implementations |
//! | [`domain`] | readings and their rules |
//! | [`telemetry`] | logs, metrics and traces |
//!
//! # Layers
//!
//! ```text
//! commands → app → http → auth, insights, summaries, store → domain, statistics
//!            app → server
//! commands → import → store
//! commands, app → config → auth, and the settings types of others
//! ```
//!
//! A module may use those that its arrows lead to, directly or through others.
//! Nothing points back, and siblings do not know each other. [`telemetry`] uses
//! nothing and may be used by all. Only [`app`] names concrete stores and
//! providers; [`domain`] knows no HTTP, no database and no clock.
//! `tests/architecture` enforces this.
//!
//! # Lifecycle of a request
//!
//! 1. [`server::serve`] reads it from a connection and calls [`http::router`].
//! 2. `http::middleware` assigns its id, opens its access log entry, and renders
//!    whatever error comes back as a problem document.
//! 3. `http::access` authenticates the principal and opens the audit record.
//! 4. `http::overload` admits it under the limit and the deadline of its route class,
//!    or sheds it.
//! 5. `http::extract` and `http::access` turn it into the arguments of a handler:
//!    `Authorized` first, then valid domain types. No user id gets through that the
//!    principal may not act for.
//! 6. `http::routes` has the handler. It calls the [`store::ReadingStore`],
//!    [`summaries`] or [`insights`], and returns a response or an `ApiError`
//!    (`http::problem`).
//! 7. When the response is sent, or the client has gone, the access log entry and the
//!    audit record are written.

pub mod app;
pub mod auth;
pub mod commands;
pub mod config;
pub mod domain;
pub mod http;
pub mod import;
pub mod insights;
pub mod server;
pub mod statistics;
pub mod store;
pub mod summaries;
pub mod telemetry;
