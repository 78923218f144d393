//! Process of DynamoDB Local.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Maximum time until the server responds.
const STARTUP_TIMEOUT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Attempts with another port when a port is taken.
const MAX_ATTEMPTS: usize = 3;

/// Runs its arguments as a command, and kills the command at the end of standard input.
/// The test process has the other end of that pipe, which the kernel closes however the
/// process dies.
///
/// The shell redirects standard input of background commands, hence the descriptor 3.
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

/// Exit status of a shell whose command does not exist.
const NOT_FOUND: i32 = 127;

/// Server that is terminated with the process that owns it.
pub struct Server {
    endpoint: String,
    /// The server runs until its standard input is closed.
    wrapper: Child,
}

/// Reason of a failed start.
enum StartError {
    PortTaken,
    Other(String),
}

impl Server {
    /// Starts the server in the folder `package` on a free port, and waits until it
    /// responds. Its output is appended to `log`.
    pub fn start(package: &Path, log: &Path) -> Result<Self, String> {
        for _ in 0..MAX_ATTEMPTS {
            match Self::start_once(package, log) {
                Ok(server) => return Ok(server),
                Err(StartError::PortTaken) => {}
                Err(StartError::Other(reason)) => return Err(reason),
            }
        }
        Err("DynamoDB Local found no free port".to_owned())
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    fn start_once(package: &Path, log: &Path) -> Result<Self, StartError> {
        let cannot = |error: io::Error| StartError::Other(format!("cannot start a shell: {error}"));
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
            // Little memory, a quick start, and no files elsewhere.
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
        server.wait_until_ready(port, &log)?;
        Ok(server)
    }

    fn wait_until_ready(&mut self, port: u16, log: &Log) -> Result<(), StartError> {
        let deadline = Instant::now() + STARTUP_TIMEOUT;
        while Instant::now() < deadline {
            let exited = self.wrapper.try_wait().ok().flatten();
            let responds = responds(port).unwrap_or(false);
            // Checked last, since the response may come from the process that took the port.
            if log.text().contains("Failed to bind") {
                return Err(StartError::PortTaken);
            }
            match exited {
                None if responds => return Ok(()),
                None => thread::sleep(POLL_INTERVAL),
                Some(status) => {
                    return Err(StartError::Other(match status.code() {
                        Some(NOT_FOUND) => {
                            "these tests run DynamoDB Local and need java: install Java 17 or later"
                                .to_owned()
                        }
                        _ => format!(
                            "DynamoDB Local exited during startup ({status}), see {}; it needs Java 17 or later",
                            log.path.display()
                        ),
                    }));
                }
            }
        }
        Err(StartError::Other(format!(
            "DynamoDB Local does not respond, see {}",
            log.path.display()
        )))
    }
}

/// Terminates a server that failed to start. A started one is in a static, which is
/// never dropped, and is terminated with the process.
impl Drop for Server {
    fn drop(&mut self) {
        drop(self.wrapper.stdin.take());
        let _ = self.wrapper.wait();
    }
}

/// Part of the shared log that this server has written.
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

/// Checks for a DynamoDB on this port: it rejects a request without a signature.
fn responds(port: u16) -> io::Result<bool> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    Ok(response.contains("MissingAuthenticationToken"))
}
