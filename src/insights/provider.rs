use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio::sync::mpsc::Sender;

use super::answer::Insight;
use super::context::AnalysisContext;

/// Source of answers: chooses among the facts of a context and phrases them.
///
/// Every number in an answer is the value of a fact, and the answer names its
/// author. A provider never fails: if its model does, it answers with
/// statistics.
#[async_trait]
pub trait InsightProvider: Send + Sync {
    /// Answers the question of `context`. If `deltas` is enabled, parts of the
    /// answer's text may be sent there before the answer is complete.
    async fn answer(&self, context: &AnalysisContext, deltas: &DeltaSink) -> Insight;
}

/// Receiver of an answer's text while it is generated.
#[derive(Debug, Default)]
pub struct DeltaSink {
    sender: Option<Sender<String>>,
    /// Bytes of the text sent so far.
    sent: AtomicUsize,
}

impl DeltaSink {
    /// Creates a sink for a client that wants the answer as a whole.
    pub fn disabled() -> Self {
        Self::default()
    }

    /// Creates a sink that sends to `sender`.
    pub fn new(sender: Sender<String>) -> Self {
        Self {
            sender: Some(sender),
            sent: AtomicUsize::new(0),
        }
    }

    /// Returns true if the text is wanted while it is generated.
    pub fn is_enabled(&self) -> bool {
        self.sender.is_some()
    }

    /// Sends the next piece of the text, waiting for room in the channel.
    pub async fn send(&self, piece: &str) {
        if let Some(sender) = &self.sender {
            self.sent.fetch_add(piece.len(), Ordering::Relaxed);
            // The receiver goes away together with the request.
            let _ = sender.send(piece.to_owned()).await;
        }
    }

    /// Sends the rest of `text`, the complete answer.
    pub async fn finish(&self, text: &str) {
        let rest = text.get(self.sent.load(Ordering::Relaxed)..);
        if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
            self.send(rest).await;
        }
    }
}
