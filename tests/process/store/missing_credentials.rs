//! A production service without AWS credentials.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use serde_json::Value;

use crate::service::{PRODUCTION, Process, client, command};

/// The JSON log names the cause.
#[tokio::test]
async fn service_without_aws_credentials_is_alive_but_not_ready() {
    let directory = tempfile::tempdir().unwrap();
    let process = command(directory.path())
        .envs(PRODUCTION)
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut process = Process(process.unwrap());
    let mut lines = BufReader::new(process.0.stderr.take().unwrap()).lines();
    let mut log: Vec<Value> = Vec::new();
    let address = loop {
        let line = lines.next().unwrap().unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        let address = line["address"].as_str().map(str::to_owned);
        log.push(line);
        if let Some(address) = address {
            break address;
        }
    };
    let status = async |path: &str| {
        let response = client().get(format!("http://{address}{path}")).send().await;
        response.unwrap().status().as_u16()
    };
    let statuses = (status("/health").await, status("/health/ready").await);
    let mut output = process.0.stdout.take().unwrap();
    drop(process);
    let mut printed = String::new();
    output.read_to_string(&mut printed).unwrap();
    assert_eq!(statuses, (200, 503));
    assert_eq!(printed, "", "no key is printed");
    let names_cause = |line: &Value| line.to_string().contains("no AWS credentials were found");
    assert!(log.iter().any(names_cause), "{log:?}");
}
