//! Which batches must be stored one after another.

use tokio::sync::oneshot;

use super::batch_channel::Batch;
use crate::import::record::Content;

/// Gives batches their turns, in the order of the source.
///
/// Of two readings of one record of a client that name no version, or the same,
/// the later word counts: batches that have such readings wait for each other.
/// All others have ids that follow from their content, and may go side by side.
#[derive(Default)]
pub(super) struct OrderingGate {
    last: Option<oneshot::Receiver<()>>,
}

/// The turn of a batch.
#[derive(Default)]
pub(super) struct OrderingTicket {
    before: Option<oneshot::Receiver<()>>,
    done: Option<OrderingPermit>,
}

/// Ends a turn when it is dropped.
pub(super) struct OrderingPermit {
    _sender: oneshot::Sender<()>,
}

impl OrderingGate {
    pub(super) fn of(&mut self, batch: &Batch) -> OrderingTicket {
        if !has_client_records(batch) {
            return OrderingTicket::default();
        }
        let (sender, receiver) = oneshot::channel();
        OrderingTicket {
            before: self.last.replace(receiver),
            done: Some(OrderingPermit { _sender: sender }),
        }
    }
}

impl OrderingTicket {
    /// Waits until it is there; it ends when what this gives is dropped.
    pub(super) async fn come(self) -> Option<OrderingPermit> {
        if let Some(before) = self.before {
            // Nothing is ever sent: the other end goes.
            let _ = before.await;
        }
        self.done
    }
}

fn has_client_records(batch: &Batch) -> bool {
    batch.iter().flatten().any(|record| match &record.content {
        Content::Readings(parts) => parts
            .iter()
            .flatten()
            .any(|reading| reading.measurement.client_record.is_some()),
        Content::Other(_) => false,
    })
}
