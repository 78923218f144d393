//! The load generator: `oha`, in a process of its own.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// Requests to the service.
pub struct Load<'a> {
    pub url: &'a str,
    /// A file with one body per line, posted in turn; without it, requests are `GET`s.
    pub bodies: Option<&'a Path>,
    pub connections: usize,
    pub requests: usize,
}

/// Result of a load.
pub struct LoadResult {
    pub per_second: f64,
    /// Latency in milliseconds at the percentiles 50, 99 and 99.9.
    pub latency: [f64; 3],
}

impl Load<'_> {
    /// Sends the requests, and waits for all responses.
    ///
    /// Panics if a status is not 200: a failure is no measurement.
    pub fn send(&self, oha: &str) -> LoadResult {
        let mut command = command(oha, self.url, self.bodies, self.connections);
        command.args(["-n", &self.requests.to_string()]);
        let report = report(start(command));
        let statuses = &report["statusCodeDistribution"];
        assert_eq!(
            statuses["200"].as_u64(),
            u64::try_from(self.requests).ok(),
            "{} answered {statuses}, {}",
            self.url,
            report["errorDistribution"]
        );
        let milliseconds =
            |share: &str| report["latencyPercentiles"][share].as_f64().unwrap() * 1e3;
        LoadResult {
            per_second: report["summary"]["requestsPerSec"].as_f64().unwrap(),
            latency: ["p50", "p99", "p99.9"].map(milliseconds),
        }
    }
}

/// Concurrent requests of several kinds, for some time. The service may shed some.
pub struct Mixed<'a> {
    pub base: &'a str,
    pub single: Option<&'a Path>,
    pub batches: Option<&'a Path>,
    /// Total number of connections.
    pub connections: usize,
    pub seconds: u64,
}

impl Mixed<'_> {
    /// Sends the requests. Panics on a failure other than shedding.
    pub fn send(&self, oha: &str) {
        let half = self.connections / 2;
        let few = 4;
        let parts = [
            ("/api/v1/data", self.single, half),
            ("/api/v1/data/user123?limit=50", None, half - few),
            ("/api/v1/data/batch", self.batches, few),
        ];
        let running = parts.map(|(path, bodies, connections)| {
            let url = format!("{}{path}", self.base);
            let mut command = command(oha, &url, bodies, connections);
            command.args(["-z", &format!("{}s", self.seconds)]);
            start(command)
        });
        for report in running.map(report) {
            let statuses = report["statusCodeDistribution"].as_object().unwrap();
            assert!(
                statuses.contains_key("200")
                    && statuses
                        .keys()
                        .all(|status| status == "200" || status == "503"),
                "{statuses:?}, {}",
                report["errorDistribution"]
            );
        }
    }
}

fn command(oha: &str, url: &str, bodies: Option<&Path>, connections: usize) -> Command {
    let mut command = Command::new(oha);
    command
        .args([
            "--no-tui",
            "--output-format",
            "json",
            "--wait-ongoing-requests-after-deadline",
        ])
        .args(["-c", &connections.to_string()])
        .args(["-H", "X-API-Key: development-key"])
        .arg(url);
    if let Some(bodies) = bodies {
        command
            .args(["-m", "POST", "-T", "application/json", "-Z"])
            .arg(bodies);
    }
    command
}

fn start(mut command: Command) -> Child {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    child.unwrap_or_else(|error| {
        let oha = command.get_program().display();
        panic!("cannot run {oha}: {error}; get it with: cargo install oha --locked")
    })
}

fn report(child: Child) -> Value {
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}
