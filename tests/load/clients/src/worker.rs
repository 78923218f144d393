use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use crate::connection::connect;
use crate::exchange::exchange;
use crate::request::Template;
use crate::specification::Class;
use crate::tally::{Outcome, Tally};

/// Pause after an error, which would otherwise repeat in a busy loop.
const ERROR_PAUSE: Duration = Duration::from_millis(100);

/// Connections of a class.
pub struct Group {
    pub class: Class,
    template: Template,
    address: SocketAddr,
    start: Instant,
    end: Instant,
    /// Number of the next request.
    next: AtomicUsize,
    tally: Arc<Tally>,
}

impl Group {
    pub fn new(
        class: Class,
        address: SocketAddr,
        start: Instant,
        end: Instant,
        tally: Arc<Tally>,
    ) -> Self {
        Self {
            template: Template::new(&class),
            class,
            address,
            start,
            end,
            next: AtomicUsize::new(0),
            tally,
        }
    }

    /// Sends requests on connection `number` until the end.
    pub async fn run(self: Arc<Self>, number: usize) {
        let class = &self.class;
        let keys = &class.keys;
        let key = (!keys.is_empty()).then(|| keys[number % keys.len()].as_str());
        let mut connection = None;
        if class.rate.is_none() {
            sleep(self.think_time()).await;
        }
        loop {
            let request = self.next.fetch_add(1, Ordering::Relaxed);
            let due = match class.rate {
                Some(rate) => self.start + Duration::from_secs_f64(request as f64 / rate),
                None => Instant::now(),
            };
            if due >= self.end {
                return;
            }
            sleep_until(due).await;
            let open = match connection.take() {
                Some(open) => Ok(open),
                None => connect(class, self.address, number).await,
            };
            let attempt = self.tally.start(due);
            let Ok(mut open) = open else {
                attempt.finish(Outcome::Error("connect"));
                sleep(ERROR_PAUSE).await;
                continue;
            };
            let request = self.template.request(class, key, request);
            let upload = attempt.upload();
            let (response, was_sent) =
                exchange(&mut open, &request, class.read_rate, &upload).await;
            match response {
                Ok(response) => {
                    if was_sent && !response.closes {
                        connection = Some(open);
                    }
                    let status = response.status;
                    let begun = upload.bytes() > class.begun_bytes;
                    attempt.finish(Outcome::Response {
                        status,
                        begun,
                        bytes: response.bytes,
                    });
                    self.pause(status, response.retry_after).await;
                }
                Err(error) => {
                    attempt.finish(Outcome::error(&error));
                    sleep(ERROR_PAUSE).await;
                }
            }
        }
    }

    async fn pause(&self, status: u16, retry_after: Option<f64>) {
        let class = &self.class;
        if class.rate.is_some() {
            return;
        }
        if status < 400 {
            sleep(self.think_time()).await;
        } else if class.honours_retry_after {
            let seconds = retry_after.unwrap_or_default();
            // Spread, as clients do not keep step.
            sleep(Duration::from_secs_f64(
                seconds * (1.0 + fastrand::f64() / 2.0),
            ))
            .await;
        }
    }

    fn think_time(&self) -> Duration {
        Duration::from_secs_f64(-self.class.think_secs * (1.0 - fastrand::f64()).ln())
    }
}
