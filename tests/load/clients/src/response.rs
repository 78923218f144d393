use std::io::{Error, ErrorKind, Result};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::oneshot;
use tokio::time::sleep;

const BUFFER: usize = 16 * 1024;

/// Times per second that a slow downlink accepts bytes.
const SLICES: f64 = 4.0;

/// Complete response.
pub struct Response {
    pub status: u16,
    pub retry_after: Option<f64>,
    pub closes: bool,
    pub bytes: usize,
}

/// Reader of one response.
pub struct ResponseReader<'a, R> {
    reader: &'a mut R,
    /// Bytes per second.
    rate: Option<f64>,
    buffer: Vec<u8>,
    /// Received bytes that were not parsed yet start here.
    parsed: usize,
    total: usize,
}

impl<'a, R: AsyncRead + Unpin> ResponseReader<'a, R> {
    pub fn new(reader: &'a mut R, rate: Option<f64>) -> Self {
        Self {
            reader,
            rate,
            buffer: Vec::with_capacity(BUFFER),
            parsed: 0,
            total: 0,
        }
    }

    /// Reads until the response is complete, and reports `100 Continue`.
    pub async fn read(mut self, mut continues: Option<oneshot::Sender<()>>) -> Result<Response> {
        loop {
            let head = self.head().await?;
            let status: u16 = head
                .get(9..12)
                .and_then(|digits| digits.parse().ok())
                .ok_or(ErrorKind::InvalidData)?;
            if status == 100 {
                continues.take().map(|sender| sender.send(()));
                continue;
            }
            let header = |name: &str| {
                head.lines().find_map(|line| {
                    let (found, value) = line.split_once(':')?;
                    found
                        .eq_ignore_ascii_case(name)
                        .then(|| value.trim().to_ascii_lowercase())
                })
            };
            if header("transfer-encoding").is_some() {
                self.chunks().await?;
            } else {
                let length = header("content-length").and_then(|value| value.parse().ok());
                self.skip(length.unwrap_or(0)).await?;
            }
            return Ok(Response {
                status,
                retry_after: header("retry-after").and_then(|value| value.parse().ok()),
                closes: header("connection").is_some_and(|value| value == "close"),
                bytes: self.total,
            });
        }
    }

    async fn head(&mut self) -> Result<String> {
        loop {
            let unparsed = &self.buffer[self.parsed..];
            if let Some(end) = unparsed.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&unparsed[..end]).into_owned();
                self.parsed += end + 4;
                return Ok(head);
            }
            self.fill().await?;
        }
    }

    async fn chunks(&mut self) -> Result<()> {
        loop {
            let unparsed = &self.buffer[self.parsed..];
            let Some(end) = unparsed.windows(2).position(|bytes| bytes == b"\r\n") else {
                self.fill().await?;
                continue;
            };
            let digits = String::from_utf8_lossy(&unparsed[..end]).into_owned();
            self.parsed += end + 2;
            let size = usize::from_str_radix(digits.trim(), 16)
                .map_err(|_| Error::from(ErrorKind::InvalidData))?;
            // The service sends no trailers.
            self.skip(size + 2).await?;
            if size == 0 {
                return Ok(());
            }
        }
    }

    async fn skip(&mut self, mut bytes: usize) -> Result<()> {
        loop {
            let available = bytes.min(self.buffer.len() - self.parsed);
            self.parsed += available;
            bytes -= available;
            if bytes == 0 {
                return Ok(());
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Result<()> {
        self.buffer.drain(..self.parsed);
        self.parsed = 0;
        let slice = self.rate.map_or(BUFFER as f64, |rate| rate / SLICES);
        let mut limited = (&mut *self.reader).take(slice as u64);
        let read = limited.read_buf(&mut self.buffer).await?;
        self.total += read;
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if let Some(rate) = self.rate {
            sleep(Duration::from_secs_f64(read as f64 / rate)).await;
        }
        Ok(())
    }
}
