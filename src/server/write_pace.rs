use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Minimum rate at which a client must take a response. A response holds memory
/// until it is sent, and slower mobile networks are out of use.
const MIN_BYTES_PER_SEC: u64 = 4 * 1024;

/// Attempts to write per measured period. The kernel reports a socket as writable
/// only when a third of its buffer is free, so that a steady but slow client would
/// look stalled for long.
const ATTEMPTS_PER_PERIOD: u32 = 10;

/// Rate at which a client takes responses, over periods of time in which writes
/// waited for it. The time that the service needs to produce them does not count.
pub struct WritePace {
    period: Duration,
    blocked_since: Option<Instant>,
    /// Time that writes have waited in this period, without that since
    /// `blocked_since`.
    waited: Duration,
    /// Bytes written since the first wait of this period. The send buffer is
    /// limited and was full at that time, so the client has taken that many.
    taken: u64,
    timer: Option<Pin<Box<Sleep>>>,
}

impl WritePace {
    /// Creates a pace that is judged after each `period` of waiting.
    pub fn new(period: Duration) -> Self {
        Self {
            period,
            blocked_since: None,
            waited: Duration::ZERO,
            taken: 0,
            timer: None,
        }
    }

    /// Returns whether a write waits for the client.
    pub fn is_blocked(&self) -> bool {
        self.blocked_since.is_some()
    }

    /// Records a write.
    ///
    /// # Errors
    /// If the client is too slow.
    pub fn on_written(&mut self, bytes: usize) -> io::Result<()> {
        if self.blocked_since.is_none() && self.waited.is_zero() {
            return Ok(());
        }
        self.taken += bytes as u64;
        if let Some(since) = self.blocked_since.take() {
            self.timer = None;
            self.waited += since.elapsed();
        }
        self.judge()
    }

    /// Waits while the socket is not writable, and tries to write regardless from
    /// time to time.
    ///
    /// # Errors
    /// If writing fails, or the client is too slow.
    pub fn poll_blocked(
        &mut self,
        context: &mut Context<'_>,
        mut write: impl FnMut() -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let interval = self.period / ATTEMPTS_PER_PERIOD;
        let since = *self.blocked_since.get_or_insert_with(Instant::now);
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(since + interval)));
        while timer.as_mut().poll(context).is_ready() {
            match write() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let now = Instant::now();
                    timer.as_mut().reset(now + interval);
                    self.waited += now - self.blocked_since.replace(now).unwrap_or(now);
                }
                written => return Poll::Ready(written),
            }
        }
        self.judge()?;
        Poll::Pending
    }

    /// Starts the next period after a whole one in which the client was fast enough.
    fn judge(&mut self) -> io::Result<()> {
        if self.waited < self.period {
            return Ok(());
        }
        if u128::from(self.taken) * 1000 < u128::from(MIN_BYTES_PER_SEC) * self.waited.as_millis() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.waited = Duration::ZERO;
        self.taken = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const PERIOD: Duration = Duration::from_secs(30);

    /// Writes for `time` to a client that takes `bytes_per_sec`, in a socket that is
    /// never reported as writable.
    async fn write_to_client(bytes_per_sec: u64, time: Duration) -> io::Result<()> {
        let mut pace = WritePace::new(PERIOD);
        let started = Instant::now();
        let mut written = 0;
        while started.elapsed() < time {
            let mut attempt = || {
                let room = started.elapsed().as_secs() * bytes_per_sec - written;
                written += room;
                match usize::try_from(room) {
                    Ok(room @ 1..) => Ok(room),
                    _ => Err(io::ErrorKind::WouldBlock.into()),
                }
            };
            let bytes = poll_fn(|context| pace.poll_blocked(context, &mut attempt)).await?;
            pace.on_written(bytes)?;
        }
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn client_is_cut_off_below_the_minimum_rate() {
        let minimum = MIN_BYTES_PER_SEC;
        let time = 20 * PERIOD;
        for rate in [0, 1, minimum / 2, minimum - 100] {
            let started = Instant::now();
            let error = write_to_client(rate, time).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            assert!(started.elapsed() <= PERIOD + PERIOD / 5);
        }
        for rate in [minimum + 100, 4 * minimum] {
            write_to_client(rate, time).await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn time_that_the_service_needs_does_not_count() {
        let mut pace = WritePace::new(PERIOD);
        for _ in 0..100 {
            tokio::time::sleep(PERIOD).await;
            pace.on_written(1).unwrap();
        }
    }
}
