//! Queue of the writer, bounded by memory.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::write::Write;

/// Maximum number of bytes of queued and active writes. A larger write gets the whole
/// queue for itself.
const MAX_QUEUE_BYTES: u32 = 32 * 1024 * 1024;

/// Sending side. Callers wait for memory in the order of their calls; one that is
/// cancelled leaves nothing behind.
pub(super) struct WriteQueue {
    permits: Arc<Semaphore>,
    writes: mpsc::UnboundedSender<Queued>,
}

/// A queued write; dropping it releases its memory.
pub(super) struct Queued {
    pub(super) write: Write,
    _permit: OwnedSemaphorePermit,
}

/// The writer thread has stopped.
#[derive(Debug)]
pub(super) struct Closed;

/// Creates a queue and its receiving side.
pub(super) fn queue() -> (WriteQueue, mpsc::UnboundedReceiver<Queued>) {
    let (writes, receiver) = mpsc::unbounded_channel();
    let permits = Arc::new(Semaphore::new(MAX_QUEUE_BYTES as usize));
    (WriteQueue { permits, writes }, receiver)
}

impl WriteQueue {
    pub(super) async fn send(&self, write: Write) -> Result<(), Closed> {
        let bytes = u32::try_from(write.bytes())
            .map_or(MAX_QUEUE_BYTES, |bytes| bytes.min(MAX_QUEUE_BYTES));
        let permit = Arc::clone(&self.permits).acquire_many_owned(bytes).await;
        let queued = Queued {
            write,
            _permit: permit.map_err(|_| Closed)?,
        };
        self.writes.send(queued).map_err(|_| Closed)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.writes.is_closed()
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use tokio::sync::oneshot;

    use super::super::write::PutRequest;
    use super::*;
    use crate::domain::{Measurement, MeasurementTime, Metadata, Reading};

    /// Returns a batch of `count` readings of about 16 KB each.
    fn batch(count: usize) -> Write {
        let measurement = Measurement {
            user_id: "someone".parse().unwrap(),
            data_type: "heart_rate".parse().unwrap(),
            value: "72".parse().unwrap(),
            timestamp: MeasurementTime::parse_any("2024-01-15T10:30:00Z").unwrap(),
            unit: None,
            metadata: Metadata::parse(&format!(r#"{{"a":"{}"}}"#, "x".repeat(16_000))).unwrap(),
            client_record: None,
        };
        let reading = Reading::accept(measurement, jiff::Timestamp::UNIX_EPOCH);
        let put = || PutRequest::new(reading.clone()).unwrap();
        let (responder, _) = oneshot::channel();
        Write::PutMany((0..count).map(|_| put()).collect(), responder)
    }

    #[test]
    fn full_queue_makes_senders_wait() {
        let (queue, mut receiver) = queue();
        let mut context = Context::from_waker(Waker::noop());
        let mut waiting: Vec<_> = (0..100).map(|_| Box::pin(queue.send(batch(64)))).collect();
        let mut sent = Vec::new();
        waiting.retain_mut(|send| match send.as_mut().poll(&mut context) {
            Poll::Ready(outcome) => {
                sent.push(outcome);
                false
            }
            Poll::Pending => true,
        });
        assert!((4..=32).contains(&sent.len()), "{}", sent.len());
        // Cancel the others.
        let mut last = waiting.pop().unwrap();
        drop(waiting);
        assert_eq!(receiver.len(), sent.len());

        let under_way = receiver.try_recv().unwrap();
        assert!(last.as_mut().poll(&mut context).is_pending(), "it holds on");
        drop(under_way);
        assert!(last.as_mut().poll(&mut context).is_ready());
        assert_eq!(receiver.len(), sent.len());
    }

    #[test]
    fn write_larger_than_the_queue_is_accepted_alone() {
        let (queue, mut receiver) = queue();
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..2 {
            let mut send = Box::pin(queue.send(batch(3_000)));
            assert!(send.as_mut().poll(&mut context).is_ready());
            drop(receiver.try_recv().unwrap());
        }
    }

    #[test]
    fn sending_without_a_receiver_fails() {
        let (queue, receiver) = queue();
        drop(receiver);
        assert!(queue.is_closed());
        let mut send = Box::pin(queue.send(batch(1)));
        let sent = send.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(sent, Poll::Ready(Err(Closed))));
    }
}
