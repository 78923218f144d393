use std::sync::Arc;
use std::time::Duration;

use crate::specification::Class;

/// Bodies up to this size may contain a placeholder.
const MAX_TEMPLATE: usize = 64 * 1024;

const PLACEHOLDER: &str = "{n}";

/// Requests of a class.
pub struct Template {
    method: String,
    paths: Vec<String>,
    headers: String,
    body: Arc<[u8]>,
    /// The body as text, if it has a placeholder.
    varied: Option<String>,
}

/// Request to send.
pub struct Request {
    pub head: Vec<u8>,
    pub body: Arc<[u8]>,
    pub withheld: usize,
    /// Pause after each part of [`Request::PART`] bytes.
    pub pause: Option<Duration>,
    pub expects_continue: bool,
}

impl Request {
    /// Bytes that a slow uplink accepts at once.
    pub const PART: usize = 16 * 1024;
}

impl Template {
    pub fn new(class: &Class) -> Self {
        let body = class.body.as_ref().map(|path| std::fs::read(path).unwrap());
        let body: Arc<[u8]> = body.unwrap_or_default().into();
        let varied = (body.len() <= MAX_TEMPLATE)
            .then(|| String::from_utf8_lossy(&body).into_owned())
            .filter(|text| text.contains(PLACEHOLDER));
        let mut headers: String = class
            .headers
            .iter()
            .map(|line| format!("{line}\r\n"))
            .collect();
        if class.expects_continue {
            headers += "Expect: 100-continue\r\n";
        }
        Self {
            method: class.method.clone(),
            paths: class.paths.clone(),
            headers,
            body,
            varied,
        }
    }

    /// Returns the request with this number.
    pub fn request(&self, class: &Class, key: Option<&str>, number: usize) -> Request {
        let Self {
            method,
            paths,
            headers,
            ..
        } = self;
        let digits = number.to_string();
        let path = paths[number % paths.len()].replace(PLACEHOLDER, &digits);
        let body = match &self.varied {
            Some(text) => text.replace(PLACEHOLDER, &digits).into_bytes().into(),
            None => Arc::clone(&self.body),
        };
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}");
        if let Some(key) = key {
            head += &format!("X-API-Key: {key}\r\n");
        }
        if method == "POST" {
            let length = body.len();
            head += &format!("Content-Type: application/json\r\nContent-Length: {length}\r\n");
        }
        head += "\r\n";
        Request {
            head: head.into_bytes(),
            body,
            withheld: class.withheld,
            pause: class
                .send_rate
                .map(|rate| Duration::from_secs_f64(Request::PART as f64 / rate)),
            expects_continue: class.expects_continue,
        }
    }
}
