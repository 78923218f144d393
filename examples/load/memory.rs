//! Startup time and memory of the service: when idle, and under mixed load.

use std::thread::{scope, sleep};
use std::time::Duration;

use crate::generator::Mixed;
use crate::service::Store;
use crate::{Bench, megabytes};

/// Uptime of the idle service when it is measured.
const IDLE: Duration = Duration::from_secs(5);

/// Number of connections of the mixed load.
const CONNECTIONS: usize = 256;

/// Measures and prints them.
pub fn report(bench: &Bench<'_>) {
    let mut stores = vec![("the embedded store", 50, Store::Embedded(&bench.data))];
    if let Some(endpoint) = &bench.endpoint {
        stores.push(("DynamoDB", 100, Store::DynamoDb(endpoint)));
    }
    for (name, wanted, store) in stores {
        let service = bench.start(store);
        sleep(IDLE);
        println!(
            "on {name} it answers {:.1} ms after its start, wanted {wanted}, and holds {:.1} MB when idle, wanted 20",
            service.began_after.as_secs_f64() * 1e3,
            megabytes(service.process.resident()),
        );
    }
    let service = bench.start(bench.store());
    let seconds = bench.arguments.memory;
    let mixed = Mixed {
        base: &service.url,
        single: bench.bodies(1),
        batches: bench.bodies(1000),
        connections: CONNECTIONS,
        seconds,
    };
    let (early, late) = scope(|scope| {
        let load = scope.spawn(|| mixed.send(&bench.arguments.oha));
        // After lazy initialization.
        sleep(Duration::from_secs(seconds.div_ceil(10)));
        let early = service.process.resident();
        load.join().unwrap();
        (early, service.process.resident())
    });
    println!(
        "with {CONNECTIONS} connections of mixed load it holds {:.1} MB after {} s and {:.1} MB after {seconds} s, {:+.1} %, wanted at most 64",
        megabytes(early),
        seconds.div_ceil(10),
        megabytes(late),
        (late as f64 / early as f64 - 1.0) * 100.0,
    );
}
