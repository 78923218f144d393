use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{Stream, stream};

use super::batch_channel::{BatchReceiver, RecordBatch};

/// Returns the batches of `receiver` until `stop` is set.
pub(super) fn batches_until_stopped(
    receiver: BatchReceiver,
    stop: Arc<AtomicBool>,
) -> impl Stream<Item = RecordBatch> {
    let state = (receiver.batches, stop);
    stream::unfold(state, |(mut batches, stop)| async move {
        // Polls the flag, as the next batch may take long.
        loop {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            match tokio::time::timeout(Duration::from_millis(100), batches.recv()).await {
                Ok(batch) => return Some((batch?, (batches, stop))),
                Err(_) => continue,
            }
        }
    })
}
