//! Running the command and parsing its output.

use std::fs;
use std::path::Path;
use std::process::Output;

use reqwest::Client;
use serde_json::Value;

use crate::service::{self, Service};

/// Exit code and output of a run.
pub struct Ran {
    pub code: i32,
    pub summary: String,
    pub complaints: String,
}

impl Ran {
    pub fn from_output(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            summary: text(&output.stdout),
            complaints: text(&output.stderr),
        }
    }

    /// Returns the count of this line of the summary, under this headline.
    #[track_caller]
    pub fn count(&self, headline: &str, name: &str) -> u64 {
        let below = self
            .summary
            .lines()
            .skip_while(|line| !line.trim_start().starts_with(headline));
        let line = below
            .into_iter()
            .find(|line| line.trim_start().starts_with(name))
            .unwrap_or_else(|| panic!("no {headline} {name}: {}", self.summary));
        line.split_whitespace()
            .next_back()
            .unwrap()
            .parse()
            .unwrap()
    }

    #[track_caller]
    pub fn assert_counts(&self, stored: u64, duplicate: u64, rejected: u64) {
        let counts = ["stored", "duplicate", "rejected"].map(|name| self.count("readings", name));
        assert_eq!(
            counts,
            [stored, duplicate, rejected],
            "{}{}",
            self.summary,
            self.complaints
        );
    }
}

/// Runs the command in `directory`, whose embedded store it uses.
pub fn import(directory: &Path, arguments: &[&str]) -> Ran {
    import_with(directory, arguments, &[])
}

pub fn import_with(directory: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let arguments = [&["import"], arguments].concat();
    Ran::from_output(&service::run(directory, &arguments, variables))
}

/// Runs the command, which must succeed.
#[track_caller]
pub fn imported(directory: &Path, arguments: &[&str]) -> Ran {
    let ran = import(directory, arguments);
    assert_eq!(ran.code, 0, "{}{}", ran.summary, ran.complaints);
    ran
}

/// Reads the lines of a report.
pub fn report(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Exports the readings of a user from the store of `directory`.
pub async fn exported(directory: &Path, user: &str, media_type: &str) -> String {
    let service = Service::start(directory, &[]);
    let text = export_of(&service, user, media_type).await;
    service.stop("TERM");
    text
}

pub async fn export_of(service: &Service, user: &str, media_type: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "the test runner has a timeout")]
    let client = Client::new();
    let url = format!("{}/api/v1/data/{user}/export", service.url);
    let request = client
        .get(url)
        .header("X-API-Key", "development-key")
        .header("Accept", media_type);
    request.send().await.unwrap().text().await.unwrap()
}

/// Returns the readings of a user in the store of `directory`, oldest first.
pub async fn readings(directory: &Path, user: &str) -> Vec<Value> {
    let text = exported(directory, user, "application/x-ndjson").await;
    let mut lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.pop().unwrap()["complete"], true);
    lines
}
