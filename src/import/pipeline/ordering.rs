//! The order in which batches are stored.

use tokio::sync::oneshot;

use super::batch_channel::RecordBatch;
use crate::import::record::RecordContent;

/// Issues tickets that keep batches in the order of the source where it matters.
///
/// Of two readings of one client record with the same version, or without one,
/// the later wins, so batches with client records are stored one after another.
/// All other readings have ids derived from their content and may be stored
/// concurrently.
#[derive(Default)]
pub(super) struct OrderingGate {
    last: Option<oneshot::Receiver<()>>,
}

/// Place of a batch in the order.
#[derive(Default)]
pub(super) struct OrderingTicket {
    previous: Option<oneshot::Receiver<()>>,
    permit: Option<OrderingPermit>,
}

/// Admits the next batch when dropped.
pub(super) struct OrderingPermit {
    _sender: oneshot::Sender<()>,
}

impl OrderingGate {
    pub(super) fn ticket(&mut self, batch: &RecordBatch) -> OrderingTicket {
        if !has_client_records(batch) {
            return OrderingTicket::default();
        }
        let (sender, receiver) = oneshot::channel();
        OrderingTicket {
            previous: self.last.replace(receiver),
            permit: Some(OrderingPermit { _sender: sender }),
        }
    }
}

impl OrderingTicket {
    /// Waits for the previous batch.
    pub(super) async fn wait(self) -> Option<OrderingPermit> {
        if let Some(previous) = self.previous {
            // Nothing is sent: the channel closes when the permit is dropped.
            let _ = previous.await;
        }
        self.permit
    }
}

fn has_client_records(batch: &RecordBatch) -> bool {
    batch.iter().flatten().any(|record| match &record.content {
        RecordContent::Readings(parts) => parts
            .iter()
            .flatten()
            .any(|reading| reading.measurement.client_record.is_some()),
        RecordContent::Other(_) => false,
    })
}
