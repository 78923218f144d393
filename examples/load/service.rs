//! The service in a process of its own, configured as in production except for the
//! endpoint.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::Running;

/// A running service.
pub struct Service {
    pub process: Running,
    pub url: String,
    /// Time from the start of the process to its first response.
    pub began_after: Duration,
}

/// Store of the service.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Store<'a> {
    /// DynamoDB, or a fake of it, at this URL.
    DynamoDb(&'a str),
    /// The embedded store in this directory.
    Embedded(&'a Path),
}

impl Service {
    /// Starts `binary` and waits for its first response.
    pub fn start(binary: &Path, port: u16, store: Store<'_>) -> Self {
        let mut command = Command::new(binary);
        command.env_clear().env("PORT", port.to_string());
        match store {
            Store::DynamoDb(endpoint) => command.env("DYNAMODB_ENDPOINT", endpoint),
            Store::Embedded(directory) => command.env("CLARITY_DATA_DIR", directory),
        };
        let began = Instant::now();
        let process = Running::start(command);
        while !answers(port) {
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "it does not answer"
            );
            std::thread::sleep(Duration::from_micros(200));
        }
        Self {
            process,
            url: format!("http://127.0.0.1:{port}"),
            began_after: began.elapsed(),
        }
    }
}

/// Returns the path of the release build of the service, next to this example.
pub fn binary() -> PathBuf {
    let example = std::env::current_exe().unwrap();
    let release = example.ancestors().nth(2).unwrap();
    let binary = release.join("clarity-backend");
    assert!(
        binary.exists(),
        "{} is not there: cargo build --release",
        binary.display()
    );
    binary
}

fn answers(port: u16) -> bool {
    let Ok(mut connection) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let request = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut answer = Vec::new();
    connection.write_all(request).is_ok()
        && connection.read_to_end(&mut answer).is_ok()
        && answer.starts_with(b"HTTP/1.1 200")
}
