//! Runs the binary in a directory of its own.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::{self, JoinHandle};

use reqwest::{Client, StatusCode};
use serde_json::Value;

/// Returns a command that runs the binary in `directory` with an empty environment.
///
/// `CLARITY_BINARY` selects another build, such as the release build.
pub fn command(directory: &Path) -> Command {
    #[expect(
        clippy::disallowed_methods,
        reason = "set in the environment of the test run"
    )]
    let binary = std::env::var_os("CLARITY_BINARY")
        .unwrap_or_else(|| env!("CARGO_BIN_EXE_clarity-backend").into());
    let mut command = Command::new(binary);
    command
        .env_clear()
        .current_dir(directory)
        .stdin(Stdio::null());
    command
}

/// Runs the binary until it exits.
pub fn run(directory: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    command(directory)
        .args(arguments)
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

/// Checks the exit code of a run; returns its standard error.
#[track_caller]
pub fn error_output(output: &Output, code: i32) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

/// Returns an HTTP client without timeouts.
#[expect(clippy::disallowed_methods, reason = "the test runner has a timeout")]
pub fn client() -> Client {
    Client::new()
}

/// Variables of a production service that listens on loopback and has no AWS
/// credentials.
pub const PRODUCTION: [(&str, &str); 6] = [
    ("ENVIRONMENT", "production"),
    ("HOST", "127.0.0.1"),
    ("PORT", "0"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("CLARITY_API_KEY", "0123456789abcdef0123456789abcdef"),
];

/// Process that is killed on drop.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Fails if the process has exited already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Running service, killed on drop.
pub struct Service {
    pub process: Process,
    /// Base URL.
    pub url: String,
    banner: String,
    log: Option<JoinHandle<String>>,
    client: Client,
}

impl Service {
    /// Starts the service on a free port and waits for its banner.
    pub fn start(directory: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = command(directory);
        command.envs(variables.iter().copied());
        Self::spawn(command)
    }

    /// Starts the service with a limit on the size of its files, which simulates a full
    /// disk.
    pub fn start_with_file_limit(directory: &Path, kibibytes: u32) -> Self {
        let plain = command(directory);
        let mut limited = Command::new("sh");
        let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\"", 2 * kibibytes);
        limited
            .args(["-c", &script])
            .arg(plain.get_program())
            .env_clear()
            .current_dir(directory);
        Self::spawn(limited)
    }

    fn spawn(mut command: Command) -> Self {
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
        let mut banner = String::new();
        while !banner.contains("timestamp") {
            if output.read_line(&mut banner).unwrap() == 0 {
                panic!("the service exited: {}", log.join().unwrap());
            }
        }
        let address = banner.split("http://").nth(1).unwrap();
        let address = address.split(',').next().unwrap();
        Self {
            process: Process(process),
            url: format!("http://{address}"),
            banner,
            log: Some(log),
            client: client(),
        }
    }

    /// Returns the text that the service prints at startup.
    pub fn banner(&self) -> &str {
        &self.banner
    }

    /// Posts a JSON body; returns status and body of the response.
    pub async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = self.client.post(format!("{}{path}", self.url)).json(body);
        Self::send(request).await
    }

    /// Sends a GET request; returns status and body of the response.
    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        Self::send(self.client.get(format!("{}{path}", self.url))).await
    }

    async fn send(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
        let request = request.header("X-API-Key", "development-key");
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    /// Sends SIGKILL, which simulates a crash.
    pub fn kill(mut self) {
        self.process.0.kill().unwrap();
        self.process.0.wait().unwrap();
    }

    /// Sends a signal.
    pub fn signal(&self, signal: &str) {
        let id = self.process.0.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(sent.unwrap().success());
    }

    /// Sends a signal; returns exit status and log.
    pub fn stop(self, signal: &str) -> (ExitStatus, String) {
        self.signal(signal);
        self.wait()
    }

    /// Waits for the service to exit; returns exit status and log.
    pub fn wait(mut self) -> (ExitStatus, String) {
        let status = self.process.0.wait().unwrap();
        (status, self.log.take().unwrap().join().unwrap())
    }
}
