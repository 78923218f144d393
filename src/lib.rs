//! The backend that health apps talk to: it takes readings from wearables,
//! gives them back, and answers questions about them.
//!
//! # Map
//!
//! | module | what it is |
//! | --- | --- |
//! | [`commands`] | what the binary can be told to do |
//! | [`app`] | puts the service together and runs it |
//! | [`http`] | the service as its clients see it: routes, wire types, errors |
//! | [`auth`] | who is asking |
//! | [`insights`] | answers to questions about readings |
//! | [`summaries`] | readings by local calendar periods |
//! | [`statistics`] | statistics of numbers |
//! | [`store`] | where readings are kept: one contract, two stores |
//! | [`domain`] | what a reading is |
//! | [`config`], [`telemetry`] | settings, and what is logged |
//!
//! # Who may use what
//!
//! `commands → app → http → {auth, insights, summaries, store}`, `insights →
//! {statistics, domain}`, `summaries → {statistics, domain}`, `store → domain`:
//! a module may use those that its arrows lead to, directly or over others.
//! Nothing points back, and neighbours do not know each other. Beside them, `config` is used by `commands`, `app` and
//! `telemetry`, and `telemetry` by `commands`, `app` and `http`. Only `app`
//! names concrete stores and providers; `domain` knows no HTTP, no database and
//! no clock. A test over the source tree keeps it so.
//!
//! # The way of a request
//!
//! [`http::router`] names every route. A request gets its id
//! (`http::request_context`), shows its key (`http::authentication`), is turned
//! into valid types by the arguments of its handler (`http::json`,
//! `http::path`), and the handler (`http::readings`, `http::insights`) calls
//! the [`store::ReadingStore`] or the [`insights::InsightProvider`] and
//! answers. Whatever goes wrong on the way is an `http::error::ApiError`.

pub mod app;
pub mod auth;
pub mod commands;
pub mod config;
pub mod domain;
pub mod http;
pub mod insights;
pub mod statistics;
pub mod store;
pub mod summaries;
pub mod telemetry;
