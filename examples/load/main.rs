//! CPU time of the service per request, compared in the same run with a lower bound for
//! any service on this SDK.
//!
//! `cargo build --release && cargo run --release --example load`, on Linux, with `oha`
//! on the path (`cargo install oha --locked`); takes some minutes. It starts a fake
//! DynamoDB, the service and the load generator as separate processes on loopback.
//! `--dynamodb URL` uses DynamoDB Local or another endpoint instead, and `--embedded`
//! the embedded store.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints, and fails where it stands"
)]

mod canned;
mod floor;
mod generator;
mod kinds;
mod memory;
mod process;
mod service;

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use axum::Router;
use axum::routing::get;
use clap::{Parser, Subcommand};

use floor::Call;
use generator::{Load, LoadResult};
use kinds::{Floor, KINDS, Kind, write_bodies};
use process::Running;
use service::{Service, Store};

/// Measures the CPU time of requests, and memory.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    role: Option<Role>,
    /// Requests of each kind per round.
    #[arg(long, default_value_t = 40_000)]
    requests: usize,
    /// Rounds, the median of which is reported.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Measure only kinds whose name contains this text.
    #[arg(long, default_value = "")]
    only: String,
    /// Use this DynamoDB endpoint instead of the fake.
    #[arg(long, value_name = "URL", conflicts_with = "embedded")]
    dynamodb: Option<String>,
    /// Measure the service on the embedded store, without a comparison.
    #[arg(long)]
    embedded: bool,
    /// Duration of the mixed load of the memory measurement, in seconds.
    #[arg(long, default_value_t = 20)]
    memory: u64,
    /// Path of the load generator.
    #[arg(long, default_value = "oha")]
    oha: String,
}

/// Role of a child process.
#[derive(Subcommand)]
#[command(hide = true)]
enum Role {
    /// The fake DynamoDB.
    Canned { address: String },
    /// The minimal HTTP service.
    Hello { address: String },
    /// The bare loop.
    Floor {
        endpoint: String,
        call: Call,
        connections: usize,
        requests: usize,
    },
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    match arguments.role {
        Some(Role::Canned { address }) => canned::serve(&address).await,
        Some(Role::Hello { address }) => minimal_service(&address).await,
        Some(Role::Floor {
            endpoint,
            call,
            connections,
            requests,
        }) => floor::run(&endpoint, call, connections, requests).await,
        None => measure(&arguments),
    }
}

async fn minimal_service(address: &str) {
    let router = Router::new().route("/health", get(async || "hello"));
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    axum::serve(listener, router).await.unwrap();
}

fn measure(arguments: &Arguments) {
    let directory = tempfile::tempdir().unwrap();
    let canned = (arguments.dynamodb.is_none() && !arguments.embedded).then(|| role("canned"));
    let endpoint = match (&arguments.dynamodb, &canned) {
        (Some(url), _) => Some(url.clone()),
        (None, canned) => canned.as_ref().map(|(_, url)| url.clone()),
    };
    let bench = Bench {
        arguments,
        binary: service::binary(),
        data: directory.path().join("data"),
        bodies: [1, 1000].map(|readings| write_bodies(directory.path(), readings)),
        endpoint,
    };
    let size = std::fs::metadata(&bench.binary).unwrap().len();
    println!("the binary has {:.1} MB, wanted 22", megabytes(size));
    memory::report(&bench);
    println!(
        "\n{:36} {:>8} {:>8} {:>6} {:>6} {:>8} {:>7} {:>7} {:>7} {:>6}",
        "", "CPU µs", "floor µs", "ratio", "wanted", "per s", "p50 ms", "p99", "p99.9", "MB"
    );
    for kind in &KINDS {
        if kind.name.contains(&arguments.only) {
            let rounds = (0..arguments.rounds).map(|_| bench.round(kind)).collect();
            print_line(kind, rounds);
        }
    }
}

/// Setup of all measurements.
struct Bench<'a> {
    arguments: &'a Arguments,
    binary: PathBuf,
    /// Directory of the embedded store.
    data: PathBuf,
    /// Files with bodies of one reading and of a thousand.
    bodies: [PathBuf; 2],
    /// Endpoint of DynamoDB; `None` for the embedded store.
    endpoint: Option<String>,
}

/// Result of a round.
struct RoundResult {
    microseconds: f64,
    floor: Option<f64>,
    answered: LoadResult,
    resident: u64,
}

impl Bench<'_> {
    fn store(&self) -> Store<'_> {
        match &self.endpoint {
            Some(endpoint) => Store::DynamoDb(endpoint),
            None => Store::Embedded(&self.data),
        }
    }

    fn start(&self, store: Store<'_>) -> Service {
        Service::start(&self.binary, free_port(), store)
    }

    /// Returns the file with bodies of this many readings.
    fn bodies(&self, readings: usize) -> Option<&Path> {
        let [single, batches] = &self.bodies;
        match readings {
            0 => None,
            1 => Some(single),
            _ => Some(batches),
        }
    }

    fn round(&self, kind: &Kind) -> RoundResult {
        let requests = (self.arguments.requests / kind.fewer).max(kind.connections);
        let cost = |process: &Running, base: &str| {
            let load = |requests| {
                Load {
                    url: &format!("{base}{}", kind.path),
                    bodies: self.bodies(kind.readings),
                    connections: kind.connections,
                    requests,
                }
                .send(&self.arguments.oha)
            };
            load(kind.connections * 10);
            let before = process.cpu();
            let answered = load(requests);
            let spent = process.cpu() - before;
            (spent.as_secs_f64() * 1e6 / requests as f64, answered)
        };
        let service = self.start(self.store());
        let (microseconds, answered) = cost(&service.process, &service.url);
        let floor = match (kind.floor, &self.endpoint) {
            (Floor::None, _) | (Floor::Loop(_), None) => None,
            (Floor::Hello, _) => {
                let (hello, url) = role("hello");
                Some(cost(&hello, &url).0)
            }
            (Floor::Loop(call), Some(endpoint)) => {
                let call = format!("{call:?}").to_lowercase();
                let mut command = Command::new(std::env::current_exe().unwrap());
                command.args(["floor", endpoint, &call]);
                command.args([kind.connections.to_string(), requests.to_string()]);
                let output = command.output().unwrap();
                let text = String::from_utf8(output.stdout).unwrap();
                Some(text.trim().parse().unwrap())
            }
        };
        RoundResult {
            microseconds,
            floor,
            answered,
            resident: service.process.resident(),
        }
    }
}

/// Starts a role of this program that listens, and waits until it does.
fn role(name: &str) -> (Running, String) {
    let port = free_port();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([name, &format!("127.0.0.1:{port}")]);
    let process = Running::start(command);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::yield_now();
    }
    (process, format!("http://127.0.0.1:{port}"))
}

/// Prints a line for the round with the median ratio or, without a ratio, cost.
fn print_line(kind: &Kind, mut rounds: Vec<RoundResult>) {
    let ratio = |found: &RoundResult| found.floor.map(|floor| found.microseconds / floor);
    let rank = |found: &RoundResult| ratio(found).unwrap_or(found.microseconds);
    rounds.sort_by(|one, other| rank(one).total_cmp(&rank(other)));
    let found = &rounds[rounds.len() / 2];
    let or_none = |value: Option<f64>, digits: usize| {
        value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
    };
    let [p50, p99, p999] = found.answered.latency;
    println!(
        "{:36} {:>8.1} {:>8} {:>6} {:>6} {:>8.0} {p50:>7.2} {p99:>7.2} {p999:>7.2} {:>6.1}",
        kind.name,
        found.microseconds,
        or_none(found.floor, 1),
        or_none(ratio(found), 2),
        or_none(kind.wanted, 2),
        found.answered.per_second,
        megabytes(found.resident),
    );
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
