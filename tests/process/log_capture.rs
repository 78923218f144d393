//! The binary with its output captured: its JSON log, standard output and metrics.

use std::borrow::Borrow;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};

use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;

use crate::service::{Process, client, command};

/// A service whose log and output are captured.
pub struct LoggedService {
    process: Process,
    /// Base URL.
    pub url: String,
    metrics: Option<String>,
    log: JoinHandle<Vec<Value>>,
    printed: JoinHandle<String>,
}

impl LoggedService {
    /// Starts the service on free ports and waits until it serves. With `METRICS_ADDR`
    /// among the variables, [`Self::metrics`] is available.
    pub fn start(directory: &Path, variables: &[(&str, &str)]) -> Self {
        let process = command(directory)
            .env("PORT", "0")
            .env("LOG_FORMAT", "json")
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut process = Process(process.unwrap());
        let mut output = process.0.stdout.take().unwrap();
        let printed = thread::spawn(move || {
            let mut text = String::new();
            output.read_to_string(&mut text).unwrap();
            text
        });
        let mut lines = BufReader::new(process.0.stderr.take().unwrap()).lines();
        let mut log = Vec::new();
        let (mut url, mut metrics) = (None, None);
        let has_metrics = variables.iter().any(|(name, _)| *name == "METRICS_ADDR");
        while url.is_none() || (has_metrics && metrics.is_none()) {
            let line = lines.next().expect("the service exited").unwrap();
            let line: Value = serde_json::from_str(&line).expect(&line);
            let address = line["address"].as_str().map(str::to_owned);
            match line["message"].as_str() {
                Some("serving") => url = address,
                Some("serving metrics") => metrics = address,
                _ => {}
            }
            log.push(line);
        }
        let log = thread::spawn(move || {
            log.extend(lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()));
            log
        });
        Self {
            process,
            url: format!("http://{}", url.unwrap()),
            metrics: metrics.map(|address| format!("http://{address}/metrics")),
            log,
            printed,
        }
    }

    /// Builds a request with the development key.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        client()
            .request(method.parse().unwrap(), format!("{}{path}", self.url))
            .header("X-API-Key", "development-key")
    }

    /// Sends a request, with `body` unless it is null. Returns the status after reading
    /// the whole response.
    pub async fn send(&self, method: &str, path: &str, body: impl Borrow<Value>) -> StatusCode {
        let (request, body) = (self.request(method, path), body.borrow());
        let request = if body.is_null() {
            request
        } else {
            request.json(body)
        };
        let response = request.send().await.unwrap();
        let status = response.status();
        response.bytes().await.unwrap();
        status
    }

    /// Returns the metrics in the Prometheus text format.
    pub async fn metrics(&self) -> String {
        let response = client().get(self.metrics.as_ref().unwrap()).send().await;
        let response = response.unwrap();
        assert_eq!(
            response.headers()["content-type"],
            "text/plain; version=0.0.4; charset=utf-8"
        );
        response.text().await.unwrap()
    }

    /// Stops the service; returns its log and its standard output.
    pub fn stop(mut self) -> (Vec<Value>, String) {
        let id = self.process.0.id().to_string();
        let sent = Command::new("kill").args(["-s", "TERM", &id]).status();
        assert!(sent.unwrap().success());
        assert!(self.process.0.wait().unwrap().success());
        (self.log.join().unwrap(), self.printed.join().unwrap())
    }
}

/// Returns the access log.
pub fn requests(log: &[Value]) -> Vec<&Value> {
    let is_request = |line: &&Value| line["message"] == "request";
    log.iter().filter(is_request).collect()
}

/// Returns a valid reading.
pub fn reading(user_id: &str, value: u32) -> Value {
    let timestamp = "2024-01-15T10:30:00Z";
    serde_json::json!({
        "user_id": user_id, "data_type": "heart_rate", "value": value, "timestamp": timestamp
    })
}
