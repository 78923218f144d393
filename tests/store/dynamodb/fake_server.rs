//! Fake DynamoDB servers, for responses that DynamoDB Local never sends.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// Request data that a message of DynamoDB may repeat, and ours must not.
pub const SECRET: &str = "secret-of-jane";
pub const REQUEST_ID: &str = "REQUEST-ID-0123456789";

/// Starts a server that rejects everything with this status and error code.
pub fn refusals(status: u16, code: &str) -> String {
    let body = format!(
        r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"{SECRET} is invalid"}}"#
    );
    always(status, body)
}

/// Starts a server that sends a truncated item.
pub fn halves() -> String {
    let body = format!(r#"{{"Item":{{"user_id":{{"S":"{SECRET}"}},"value":{{"N":"#);
    always(200, body)
}

/// Starts a server with a constant response, and returns its URL. It runs as long as
/// the tests.
fn always(status: u16, body: String) -> String {
    serve(move |_, _| (status, body.clone()))
}

/// Starts a server that responds with `respond`, and returns its URL. It runs as long
/// as the tests.
pub fn serve<R>(respond: R) -> String
where
    R: Fn(&str, &[u8]) -> (u16, String) + Send + Sync + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let respond = Arc::new(respond);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let respond = Arc::clone(&respond);
            // A client may disconnect early.
            thread::spawn(move || answer(stream, &*respond).ok());
        }
    });
    format!("http://{address}")
}

fn answer(stream: TcpStream, respond: &impl Fn(&str, &[u8]) -> (u16, String)) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut length = 0;
    let mut operation = String::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        if let Some((name, value)) = line.split_once(':') {
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap_or(0),
                "x-amz-target" => operation = value.rsplit('.').next().unwrap().to_owned(),
                _ => {}
            }
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut sent = vec![0; length];
    stream.read_exact(&mut sent)?;
    let (status, body) = respond(&operation, &sent);
    let answer = format!(
        "HTTP/1.1 {status} Answer\r\ncontent-type: application/x-amz-json-1.0\r\n\
         x-amzn-requestid: {REQUEST_ID}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.get_mut().write_all(answer.as_bytes())
}
