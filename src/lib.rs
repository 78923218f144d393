//! The backend that health apps talk to: it takes readings from wearables,
//! gives them back, and answers questions about them.
//!
//! # Map
//!
//! | module | what it is |
//! | --- | --- |
//! | [`commands`] | what the binary can be told to do |
//! | [`app`] | puts the service together and runs it |
//! | [`server`] | connections, and how they end |
//! | [`import`] | readings from elsewhere: sources, pipeline, verification |
//! | [`http`] | the service as its clients see it: routes, wire types, errors |
//! | [`auth`] | who is asking, and what they may do |
//! | [`insights`] | answers to questions about readings |
//! | [`summaries`] | readings by local calendar periods |
//! | [`statistics`] | statistics of numbers |
//! | [`store`] | where readings are kept: one contract, two stores |
//! | [`domain`] | what a reading is |
//! | [`config`] | settings |
//! | [`telemetry`] | what the service tells of itself: logs, metrics and traces |
//!
//! # Who may use what
//!
//! `commands → app → http → {auth, insights, summaries, store}`, `commands →
//! import → store`, `insights → {statistics, domain}`, `summaries → {statistics,
//! domain}`, `store → domain`, `auth → domain`, `app → server`: a module may use
//! those that its arrows lead to, directly or over others. Nothing points back, and
//! neighbours do not know each other. Beside them, `config` is used by `commands`
//! and `app`, and itself uses `auth`, to read lists of keys; and `telemetry`, which
//! uses nothing, is used by all that tell something of themselves. Only `app` names
//! concrete stores and providers; `domain` knows no HTTP, no database and no clock.
//! A test over the source tree keeps it so.
//!
//! # The way of a request
//!
//! [`server::serve`] takes it from a connection; [`http::router`] names every
//! route. A request gets its id (`http::middleware`), shows its key or token
//! (`http::access`), gets a ticket of its class of routes
//! (`http::overload`), is asked by the first argument of its handler whether it
//! may do this (`http::access`), is turned into valid types by the others
//! (`http::extract`), which hand out no user that it may not act for,
//! and the handler (`http::routes`) calls the
//! [`store::ReadingStore`] or the [`insights::InsightProvider`] and answers.
//! Whatever goes wrong on the way is an `http::problem::ApiError`, and what became of
//! it is told by `http::middleware::access_log`.

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
