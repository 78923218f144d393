//! Clients of the load tests: many connections, each of which sends requests at a rate or
//! after a pause, at the speed of an ordinary network.
//!
//! `clients < specification.json` prints one JSON object of results. The specification
//! is in `specification.rs`, the results are in `tally.rs`. `tests/load/clients.py`
//! writes the one and reads the other.
//!
//! `oha` serves the simpler loads: it has no think time, reads no `Retry-After`, and sends
//! and reads as fast as it can.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test tool prints, and fails where it stands"
)]

mod connection;
mod exchange;
mod request;
mod response;
mod specification;
mod tally;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use specification::Specification;
use tally::{Tally, Window};
use worker::Group;

// One thread, as the service under test shares the machine.
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let Specification {
        address,
        seconds,
        warm_up,
        drain,
        classes,
    } = serde_json::from_reader(std::io::stdin()).unwrap();
    let start = Instant::now();
    let window = Window {
        start: start + Duration::from_secs_f64(warm_up),
        end: start + Duration::from_secs_f64(seconds),
    };
    let mut running = JoinSet::new();
    // Slow readers and half-sent requests, which take longer than anybody waits.
    let mut endless = JoinSet::new();
    let mut tallies = Vec::new();
    for class in classes {
        let tally = Arc::new(Tally::new(window));
        tallies.push((class.name.clone(), Arc::clone(&tally)));
        let group = Arc::new(Group::new(class, address, start, window.end, tally));
        for number in 0..group.class.connections {
            let is_endless = group.class.withheld > 0 || group.class.read_rate.is_some();
            let set = if is_endless {
                &mut endless
            } else {
                &mut running
            };
            set.spawn(Arc::clone(&group).run(number));
        }
    }
    let last = window.end + Duration::from_secs_f64(drain);
    let _ = timeout_at(last, async { while running.join_next().await.is_some() {} }).await;
    sleep_until(window.end).await;
    running.shutdown().await;
    endless.shutdown().await;
    let results: Map<String, Value> = tallies
        .into_iter()
        .map(|(name, tally)| (name, tally.results()))
        .collect();
    println!("{}", Value::Object(results));
}
