//! The running server.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long it may take until it answers.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How often another port is tried where one was taken.
const STARTS: usize = 3;

/// Runs its arguments and ends with them, but ends them when the standard
/// input ends: the test process holds that pipe, and however it dies, the
/// system closes it.
///
/// Background commands get an empty standard input, hence the descriptor 3.
const WRAPPER: &str = r#"
exec 3<&0
"$@" 3<&- &
server=$!
(read -r line <&3; kill -9 "$server") &
watcher=$!
wait "$server"
status=$?
kill "$watcher" 2>&-
exit "$status"
"#;

/// What the shell answers where a command is not there.
const NOT_FOUND: i32 = 127;

/// A server that ends with the process that holds it.
pub struct Server {
    endpoint: String,
    /// Its standard input is what keeps the server alive.
    wrapper: Child,
}

/// Why a start failed.
enum Failure {
    PortTaken,
    Other(String),
}

impl Server {
    /// Starts the server in the folder `package` on a free port, and waits
    /// until it answers. What it says goes to the end of `log`.
    pub fn start(package: &Path, log: &Path) -> Result<Self, String> {
        for _ in 0..STARTS {
            match Self::start_once(package, log) {
                Ok(server) => return Ok(server),
                Err(Failure::PortTaken) => {}
                Err(Failure::Other(reason)) => return Err(reason),
            }
        }
        Err("DynamoDB Local found no free port".to_owned())
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    fn start_once(package: &Path, log: &Path) -> Result<Self, Failure> {
        let cannot = |error: io::Error| Failure::Other(format!("cannot start a shell: {error}"));
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .map_err(cannot)?;
        let log = Log {
            path: log,
            start: output.metadata().map_err(cannot)?.len(),
        };
        let port = free_port().map_err(cannot)?;
        let wrapper = Command::new("sh")
            .args(["-c", WRAPPER, "sh", "java"])
            // Small and quick to start, and no files elsewhere.
            .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
            .arg("-XX:-UsePerfData")
            .args(["-jar", "DynamoDBLocal.jar"])
            .args(["-inMemory", "-disableTelemetry"])
            .args(["-port", &port.to_string()])
            .current_dir(package)
            .stdin(Stdio::piped())
            .stderr(output.try_clone().map_err(cannot)?)
            .stdout(output)
            .spawn()
            .map_err(cannot)?;
        let mut server = Self {
            endpoint: format!("http://127.0.0.1:{port}"),
            wrapper,
        };
        server.await_answer(port, &log)?;
        Ok(server)
    }

    fn await_answer(&mut self, port: u16, log: &Log) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let ended = self.wrapper.try_wait().ok().flatten();
            let answers = answers(port).unwrap_or(false);
            // Looked for last, as whoever took the port may be what answers.
            if log.text().contains("Failed to bind") {
                return Err(Failure::PortTaken);
            }
            match ended {
                None if answers => return Ok(()),
                None => thread::sleep(LOOK_EVERY),
                Some(status) => {
                    return Err(Failure::Other(match status.code() {
                        Some(NOT_FOUND) => {
                            "these tests run DynamoDB Local and need java: install Java 17 or later"
                                .to_owned()
                        }
                        _ => format!(
                            "DynamoDB Local stopped at once ({status}), see {}; it needs Java 17 or later",
                            log.path.display()
                        ),
                    }));
                }
            }
        }
        Err(Failure::Other(format!(
            "DynamoDB Local does not answer, see {}",
            log.path.display()
        )))
    }
}

/// A server that did not come up is not left behind; one that did ends with
/// the process, as statics are never dropped.
impl Drop for Server {
    fn drop(&mut self) {
        drop(self.wrapper.stdin.take());
        let _ = self.wrapper.wait();
    }
}

/// What a server has written to the log that it shares with earlier ones.
struct Log<'a> {
    path: &'a Path,
    start: u64,
}

impl Log<'_> {
    fn text(&self) -> String {
        let bytes = fs::read(self.path).unwrap_or_default();
        let start = usize::try_from(self.start).unwrap_or(usize::MAX);
        String::from_utf8_lossy(bytes.get(start..).unwrap_or_default()).into_owned()
    }
}

fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// Whether a DynamoDB answers there: it refuses a request without signature.
fn answers(port: u16) -> io::Result<bool> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.contains("MissingAuthenticationToken"))
}
