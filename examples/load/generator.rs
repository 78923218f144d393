//! The load: `oha`, a generator of its own process.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What is asked of the service.
pub struct Load<'a> {
    pub url: &'a str,
    /// A file with a body on each line, which are posted in turn; else it is
    /// read.
    pub bodies: Option<&'a Path>,
    pub connections: usize,
    pub requests: usize,
}

/// How it was answered.
pub struct Answered {
    pub per_second: f64,
    /// Milliseconds within which so many percent were answered: 50, 99, 99.9.
    pub latency: [f64; 3],
}

impl Load<'_> {
    /// Sends it, and waits for the last answer.
    ///
    /// Panics when one of them is not 200: what fails is no measure.
    pub fn send(&self, oha: &str) -> Answered {
        let mut command = Command::new(oha);
        command
            .args([
                "--no-tui",
                "--output-format",
                "json",
                "--wait-ongoing-requests-after-deadline",
            ])
            .args(["-n", &self.requests.to_string()])
            .args(["-c", &self.connections.to_string()])
            .args(["-H", "X-API-Key: development-key"]);
        if let Some(bodies) = self.bodies {
            command
                .args(["-m", "POST", "-T", "application/json", "-Z"])
                .arg(bodies);
        }
        let output = command.arg(self.url).output();
        let output = output.unwrap_or_else(|error| {
            panic!("cannot run {oha}: {error}; get it with: cargo install oha --locked")
        });
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
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
        Answered {
            per_second: report["summary"]["requestsPerSec"].as_f64().unwrap(),
            latency: ["p50", "p99", "p99.9"].map(milliseconds),
        }
    }
}
