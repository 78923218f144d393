//! SIGTERM ends the process even during startup or with blocked output.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::service::{PRODUCTION, Process, command};

/// Far more than a shutdown takes, since the machine may be busy.
const MAX_STOP_TIME: Duration = Duration::from_secs(15);

fn terminate(process: &Child) {
    let id = process.id().to_string();
    let sent = Command::new("kill").args(["-s", "TERM", &id]).status();
    assert!(sent.unwrap().success());
}

#[test]
fn sigterm_during_startup_ends_the_process() {
    let directory = tempfile::tempdir().unwrap();
    // Accepts connections but never responds.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let mut command = command(directory.path());
    command
        .env("DYNAMODB_ENDPOINT", endpoint)
        .env("PORT", "0")
        .stderr(Stdio::null());
    let mut process = Process(command.spawn().unwrap());
    // Waits until the service requests the description of its table.
    let _connection = silent.accept().unwrap();
    let signalled = Instant::now();
    terminate(&process.0);
    assert!(process.0.wait().unwrap().success());
    assert!(
        signalled.elapsed() < MAX_STOP_TIME,
        "{:?}",
        signalled.elapsed()
    );
}

#[test]
fn sigterm_with_blocked_metrics_output_ends_the_process() {
    let directory = tempfile::tempdir().unwrap();
    let (_unread, mut output) = std::io::pipe().unwrap();
    // Fills the pipe.
    output.write_all(&[b' '; 64 * 1024]).unwrap();
    let mut command = command(directory.path());
    command
        .envs(PRODUCTION)
        .env("METRICS_EMF", "true")
        .env("SHUTDOWN_GRACE", "0")
        .stdout(output)
        .stderr(Stdio::piped());
    let mut process = Process(command.spawn().unwrap());
    let mut log = BufReader::new(process.0.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("serving") {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "the service exited");
    }
    let signalled = Instant::now();
    terminate(&process.0);
    assert!(process.0.wait().unwrap().success());
    assert!(
        signalled.elapsed() < MAX_STOP_TIME,
        "{:?}",
        signalled.elapsed()
    );
}
