//! What a request costs: the time that the service's process computes for it,
//! beside what nothing on this SDK can go below, in the same run.
//!
//! `cargo build --release && cargo run --release --example load`, on Linux,
//! with `oha` on the path (`cargo install oha --locked`); takes some minutes.
//! It starts a DynamoDB that always says the same, the service, and the load,
//! each as a process of its own, on loopback.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints, and fails where it stands"
)]

mod canned;
mod floor;
mod generator;
mod process;
mod service;

use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use axum::Router;
use axum::routing::get;
use clap::{Parser, Subcommand};

use floor::Call;
use generator::Load;
use process::Running;
use service::{Service, Store};

/// What requests cost in computing time, and where the memory stands.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    role: Option<Role>,
    /// Requests of each kind in a round.
    #[arg(long, default_value_t = 20_000)]
    requests: usize,
    /// Rounds, of which the median is told.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Measure only kinds whose name holds this.
    #[arg(long, default_value = "")]
    only: String,
    /// The load generator.
    #[arg(long, default_value = "oha")]
    oha: String,
}

/// What one of its processes is.
#[derive(Subcommand)]
#[command(hide = true)]
enum Role {
    /// The DynamoDB that always says the same.
    Canned { address: String },
    /// The smallest service there is.
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
        Some(Role::Hello { address }) => hello(&address).await,
        Some(Role::Floor {
            endpoint,
            call,
            connections,
            requests,
        }) => floor::run(&endpoint, call, connections, requests).await,
        None => measure(&arguments),
    }
}

async fn hello(address: &str) {
    let router = Router::new().route("/health", get(async || "hello"));
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    axum::serve(listener, router).await.unwrap();
}

/// A kind of request, and what it is held against.
struct Kind {
    name: &'static str,
    path: &'static str,
    /// Readings in each body, if it is posted.
    readings: usize,
    connections: usize,
    /// One in so many of the requests asked for.
    fewer: usize,
    floor: Floor,
    /// The ratio to the floor that is wanted.
    wanted: Option<f64>,
}

#[derive(Clone, Copy)]
enum Floor {
    Loop(Call),
    Hello,
    None,
}

const KINDS: [Kind; 6] = [
    Kind {
        name: "POST one reading, 16 connections",
        path: "/api/v1/data",
        readings: 1,
        connections: 16,
        fewer: 1,
        floor: Floor::Loop(Call::Put),
        wanted: Some(1.0),
    },
    Kind {
        name: "POST one reading, 1 connection",
        path: "/api/v1/data",
        readings: 1,
        connections: 1,
        fewer: 4,
        floor: Floor::Loop(Call::Put),
        wanted: Some(1.6),
    },
    Kind {
        name: "GET 50 readings, 16 connections",
        path: "/api/v1/data/user123?limit=50",
        readings: 0,
        connections: 16,
        fewer: 2,
        floor: Floor::Loop(Call::Query),
        wanted: Some(1.25),
    },
    Kind {
        name: "GET /health, 16 connections",
        path: "/health",
        readings: 0,
        connections: 16,
        fewer: 1,
        floor: Floor::Hello,
        wanted: Some(1.3),
    },
    Kind {
        name: "POST batch of 1,000, 4 connections",
        path: "/api/v1/data/batch",
        readings: 1000,
        connections: 4,
        fewer: 100,
        floor: Floor::None,
        wanted: None,
    },
    Kind {
        name: "POST one reading, 256 connections",
        path: "/api/v1/data",
        readings: 1,
        connections: 256,
        fewer: 1,
        floor: Floor::None,
        wanted: None,
    },
];

/// What a round found of a kind.
struct Found {
    microseconds: f64,
    floor: Option<f64>,
    per_second: f64,
    latency: [f64; 3],
    resident: u64,
}

fn measure(arguments: &Arguments) {
    let directory = tempfile::tempdir().unwrap();
    let binary = service::binary();
    let example = std::env::current_exe().unwrap();
    let start = |role: &str, port: u16| {
        let mut command = Command::new(&example);
        command.args([role, &format!("127.0.0.1:{port}")]);
        let process = Running::start(command);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::yield_now();
        }
        process
    };
    let canned_port = free_port();
    let _canned = start("canned", canned_port);
    let endpoint = format!("http://127.0.0.1:{canned_port}");

    let embedded = Service::start(&binary, free_port(), Store::Embedded(directory.path()));
    println!(
        "first answer on the embedded store {:?}, wanted 50 ms",
        embedded.began_after
    );
    drop(embedded);
    let idle = Service::start(&binary, free_port(), Store::DynamoDb(&endpoint));
    println!(
        "first answer on DynamoDB {:?}, wanted 100 ms",
        idle.began_after
    );
    println!(
        "idle, it holds {:.1} MB, wanted 20",
        megabytes(idle.process.resident())
    );
    drop(idle);

    println!(
        "\n{:36} {:>8} {:>8} {:>6} {:>6} {:>8} {:>7} {:>7} {:>7} {:>6}",
        "", "CPU µs", "floor µs", "ratio", "wanted", "per s", "p50 ms", "p99", "p99.9", "MB"
    );
    for kind in KINDS
        .iter()
        .filter(|kind| kind.name.contains(&arguments.only))
    {
        let bodies = (kind.readings > 0).then(|| write_bodies(directory.path(), kind.readings));
        let requests = (arguments.requests / kind.fewer).max(kind.connections);
        let mut rounds: Vec<Found> = (0..arguments.rounds)
            .map(|_| {
                let service = Service::start(&binary, free_port(), Store::DynamoDb(&endpoint));
                let load = |base: &str, requests| {
                    Load {
                        url: &format!("{base}{}", kind.path),
                        bodies: bodies.as_deref(),
                        connections: kind.connections,
                        requests,
                    }
                    .send(&arguments.oha)
                };
                let cost = |process: &Running, base: &str| {
                    load(base, kind.connections * 10);
                    let before = process.cpu();
                    let answered = load(base, requests);
                    let spent = process.cpu() - before;
                    (spent.as_secs_f64() * 1e6 / requests as f64, answered)
                };
                let (microseconds, answered) = cost(&service.process, &service.url);
                let floor = match kind.floor {
                    Floor::None => None,
                    Floor::Hello => {
                        let port = free_port();
                        let hello = start("hello", port);
                        Some(cost(&hello, &format!("http://127.0.0.1:{port}")).0)
                    }
                    Floor::Loop(call) => {
                        let call = format!("{call:?}").to_lowercase();
                        let (connections, requests) = (kind.connections, requests);
                        let mut command = Command::new(&example);
                        command.args(["floor", &endpoint, &call]);
                        command.args([connections.to_string(), requests.to_string()]);
                        let output = command.output().unwrap();
                        let text = String::from_utf8(output.stdout).unwrap();
                        Some(text.trim().parse().unwrap())
                    }
                };
                Found {
                    microseconds,
                    floor,
                    per_second: answered.per_second,
                    latency: answered.latency,
                    resident: service.process.resident(),
                }
            })
            .collect();
        tell(kind, &mut rounds);
    }
}

/// A line with the round whose ratio, or else whose cost, is the median.
fn tell(kind: &Kind, rounds: &mut [Found]) {
    let ratio = |found: &Found| found.floor.map(|floor| found.microseconds / floor);
    let rank = |found: &Found| ratio(found).unwrap_or(found.microseconds);
    rounds.sort_by(|one, other| rank(one).total_cmp(&rank(other)));
    let found = &rounds[rounds.len() / 2];
    let or_none = |value: Option<f64>, digits: usize| {
        value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
    };
    let [p50, p99, p999] = found.latency;
    println!(
        "{:36} {:>8.1} {:>8} {:>6} {:>6} {:>8.0} {p50:>7.2} {p99:>7.2} {p999:>7.2} {:>6.1}",
        kind.name,
        found.microseconds,
        or_none(found.floor, 1),
        or_none(ratio(found), 2),
        or_none(kind.wanted, 2),
        found.per_second,
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

/// A file with bodies of so many readings, no two of which are the same.
fn write_bodies(directory: &Path, readings: usize) -> std::path::PathBuf {
    let path = directory.join(format!("{readings}.ndjson"));
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    let mut number = 0;
    for _ in 0..(20_000 / readings) {
        let readings: Vec<String> = (0..readings).map(|_| {
            number += 1;
            let (minute, second, milli) = (number / 60_000 % 60, number / 1000 % 60, number % 1000);
            format!(r#"{{"user_id":"user123","data_type":"heart_rate","value":72,"timestamp":"2024-01-15T10:{minute:02}:{second:02}.{milli:03}Z","metadata":{{"device":"watch"}}}}"#)
        }).collect();
        match readings.as_slice() {
            [one] => writeln!(file, "{one}").unwrap(),
            many => writeln!(file, r#"{{"readings":[{}]}}"#, many.join(",")).unwrap(),
        }
    }
    path
}
