//! Deadlines for clients that send a header or take a response slowly.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use super::connections::{Client, KEY};

const HEALTH: &str = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";

fn address(client: &Client) -> SocketAddr {
    let address = client.service.url.trim_start_matches("http://");
    address.parse().unwrap()
}

/// Opens a connection that waits long enough for every response of these tests.
fn connect(client: &Client) -> TcpStream {
    let connection = TcpStream::connect(address(client)).unwrap();
    let timeout = Some(Duration::from_secs(40));
    connection.set_read_timeout(timeout).unwrap();
    connection
}

/// Opens a connection with the segment size of a real network and a small receive
/// buffer, so that the service notices how fast its client reads. On loopback,
/// segments of 64 KB and large buffers hide it.
fn connect_like_a_phone(client: &Client) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    socket.set_tcp_mss(1_400).unwrap();
    socket.connect(&address(client).into()).unwrap();
    let connection = TcpStream::from(socket);
    let timeout = Some(Duration::from_secs(40));
    connection.set_read_timeout(timeout).unwrap();
    connection
}

fn read_to_end(connection: &mut TcpStream) -> String {
    let mut received = Vec::new();
    match connection.read_to_end(&mut received) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("{error}"),
    }
    String::from_utf8_lossy(&received).into_owned()
}

fn get_health(connection: &mut TcpStream) {
    connection.write_all(HEALTH.as_bytes()).unwrap();
    let mut buffer = [0; 4_096];
    let count = connection.read(&mut buffer).unwrap();
    assert!(buffer[..count].starts_with(b"HTTP/1.1 200"));
}

#[test]
fn silent_connections_do_not_keep_health_checks_waiting() {
    let mut client = Client::start(&[("MAX_CONNECTIONS", "20")]);
    let sent = ["", "GET /health HTTP/1.1\r\nHost:"];
    let silent: Vec<_> = (0..40)
        .map(|index| {
            let mut connection = connect(&client);
            connection.write_all(sent[index % 2].as_bytes()).unwrap();
            connection
        })
        .collect();
    let started = Instant::now();
    get_health(&mut connect(&client));
    // Two rounds of connections precede it, each of which has a second.
    let elapsed = started.elapsed();
    assert!(elapsed < Duration::from_secs(9), "{elapsed:?}");
    drop(silent);
    client.send("");
}

#[test]
fn header_has_ten_seconds_and_an_idle_connection_more() {
    let client = Client::start(&[]);
    let started = Instant::now();
    let mut silent = connect(&client);
    let mut first = connect(&client);
    first
        .write_all(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        .unwrap();
    let mut second = connect(&client);
    get_health(&mut second);
    second.write_all(b"GET /health HTTP/1.1\r\nHost:").unwrap();
    let mut idle = connect(&client);
    get_health(&mut idle);
    // Single bytes do not extend the time.
    let mut dripping = first.try_clone().unwrap();
    std::thread::spawn(move || {
        while dripping.write_all(b"x").is_ok() {
            sleep(Duration::from_millis(500));
        }
    });

    assert_eq!(read_to_end(&mut silent), "");
    for connection in [&mut first, &mut second] {
        let response = read_to_end(connection);
        assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
        assert!(response.contains("header_too_slow"), "{response}");
    }
    let elapsed = started.elapsed();
    assert!(elapsed > Duration::from_secs(9), "{elapsed:?}");
    assert!(elapsed < Duration::from_secs(25), "{elapsed:?}");
    get_health(&mut idle);
}

#[test]
fn kept_alive_connection_is_closed_after_idle_timeout() {
    let mut client = Client::start(&[("IDLE_TIMEOUT", "1")]);
    client.send(&format!("GET /health/ready HTTP/1.1\r\n{KEY}\r\n"));
    assert!(client.read_some().starts_with("HTTP/1.1 200"));
    let started = Instant::now();
    assert_eq!(client.read_to_end(), "");
    assert!(started.elapsed() < Duration::from_secs(20));
}

/// Requests of a large document; their responses exceed the buffers of both sides.
const DOWNLOADS: usize = 60;

fn request_downloads(connection: &mut TcpStream) {
    let request = format!("GET /openapi.json HTTP/1.1\r\n{KEY}\r\n");
    let requests = request.repeat(DOWNLOADS);
    connection.write_all(requests.as_bytes()).unwrap();
}

/// Reads `bytes` at a time, eight times a second.
fn read_slowly(connection: &mut TcpStream, bytes: usize, time: Duration) -> Result<usize, ()> {
    let started = Instant::now();
    let mut buffer = vec![0; bytes];
    let mut received = 0;
    while started.elapsed() < time {
        match connection.read(&mut buffer) {
            Ok(0) | Err(_) => return Err(()),
            Ok(count) => received += count,
        }
        sleep(Duration::from_millis(125));
    }
    Ok(received)
}

#[test]
fn steady_slow_reader_receives_its_whole_response() {
    let client = Client::start(&[("WRITE_TIMEOUT", "3")]);
    let mut phone = connect_like_a_phone(&client);
    request_downloads(&mut phone);
    // 16 KB/s, for several times the timeout.
    let slowly = read_slowly(&mut phone, 2_048, Duration::from_secs(10));
    slowly.expect("the connection is kept");
    phone
        .write_all(b"GET /health HTTP/1.0\r\nHost: x\r\n\r\n")
        .unwrap();
    let rest = read_to_end(&mut phone);
    assert!(rest.ends_with('}'), "{}", &rest[rest.len() - 200..]);
    let responses = rest.matches("HTTP/1.1 200").count();
    assert!(responses >= DOWNLOADS / 2, "{responses}");
}

#[test]
fn reader_below_the_minimum_rate_is_cut_off() {
    let client = Client::start(&[("WRITE_TIMEOUT", "3")]);
    let mut phone = connect_like_a_phone(&client);
    request_downloads(&mut phone);
    // 1 KB/s; the minimum is 4.
    let _ = read_slowly(&mut phone, 128, Duration::from_secs(8));
    // What the kernel still has, at most.
    let rest = read_to_end(&mut phone);
    assert!(rest.len() < 64 * 1_024, "{}", rest.len());
}
