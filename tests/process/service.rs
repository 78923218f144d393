//! The binary, started in a folder of its own.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::{self, JoinHandle};

use reqwest::{Client, StatusCode};
use serde_json::Value;

/// The binary with nothing in its environment, in `directory`.
///
/// `CLARITY_BINARY` tests another build, such as the one to be shipped.
pub fn command(directory: &Path) -> Command {
    #[expect(clippy::disallowed_methods, reason = "set by whoever runs the tests")]
    let binary = std::env::var_os("CLARITY_BINARY")
        .unwrap_or_else(|| env!("CARGO_BIN_EXE_clarity-backend").into());
    let mut command = Command::new(binary);
    command
        .env_clear()
        .current_dir(directory)
        .stdin(Stdio::null());
    command
}

/// Runs the binary until it ends by itself.
pub fn run(directory: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    command(directory)
        .args(arguments)
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

/// The text on standard error of a run that ended with this exit code.
#[track_caller]
pub fn error_output(output: &Output, code: i32) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

/// An HTTP client.
#[expect(
    clippy::disallowed_methods,
    reason = "a test waits as long as its runner does"
)]
pub fn client() -> Client {
    Client::new()
}

/// Variables of a production service on this machine alone, without a way to
/// AWS.
pub const PRODUCTION: [(&str, &str); 6] = [
    ("ENVIRONMENT", "production"),
    ("HOST", "127.0.0.1"),
    ("PORT", "0"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("CLARITY_API_KEY", "0123456789abcdef0123456789abcdef"),
];

/// A process that ends when it is dropped.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A service that runs until it is dropped.
pub struct Service {
    /// The process.
    pub process: Process,
    /// Where it answers.
    pub url: String,
    welcome: String,
    log: Option<JoinHandle<String>>,
    client: Client,
}

impl Service {
    /// Starts it on a free port and waits until it says that it serves.
    pub fn start(directory: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = command(directory);
        command.envs(variables.iter().copied());
        Self::start_by(command)
    }

    /// As [`Self::start`], where no file may grow beyond `kibibytes`: what a
    /// full disk does to a file, without one.
    pub fn start_with_file_limit(directory: &Path, kibibytes: u32) -> Self {
        let plain = command(directory);
        let mut limited = Command::new("sh");
        let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\"", 2 * kibibytes);
        limited
            .args(["-c", &script])
            .arg(plain.get_program())
            .env_clear()
            .current_dir(directory);
        Self::start_by(limited)
    }

    fn start_by(mut command: Command) -> Self {
        let mut process = command
            .env("PORT", "0")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut errors = process.stderr.take().unwrap();
        let log = thread::spawn(move || {
            let mut text = String::new();
            errors.read_to_string(&mut text).unwrap();
            text
        });
        let mut welcome = String::new();
        while !welcome.contains("timestamp") {
            if output.read_line(&mut welcome).unwrap() == 0 {
                panic!("the service ended: {}", log.join().unwrap());
            }
        }
        let address = welcome.split("http://").nth(1).unwrap();
        let address = address.split(',').next().unwrap();
        Self {
            process: Process(process),
            url: format!("http://{address}"),
            welcome,
            log: Some(log),
            client: client(),
        }
    }

    /// What it says when it starts.
    pub fn welcome(&self) -> &str {
        &self.welcome
    }

    /// Stores a reading and gives the answer.
    pub async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = self.client.post(format!("{}{path}", self.url)).json(body);
        Self::answer(request).await
    }

    /// The answer to a GET.
    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        Self::answer(self.client.get(format!("{}{path}", self.url))).await
    }

    async fn answer(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
        let request = request.header("X-API-Key", "development-key");
        let answer = request.send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    /// Ends it without a word, as a crash would.
    pub fn kill(mut self) {
        self.process.0.kill().unwrap();
        self.process.0.wait().unwrap();
    }

    /// Asks it to stop.
    pub fn signal(&self, signal: &str) {
        let id = self.process.0.id().to_string();
        let told = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(told.unwrap().success());
    }

    /// Asks it to stop, and gives how it ended and what it logged.
    pub fn stop(self, signal: &str) -> (ExitStatus, String) {
        self.signal(signal);
        self.ended()
    }

    /// How it ended, once it has, and what it logged.
    pub fn ended(mut self) -> (ExitStatus, String) {
        let status = self.process.0.wait().unwrap();
        (status, self.log.take().unwrap().join().unwrap())
    }
}
