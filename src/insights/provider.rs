use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio::sync::mpsc::Sender;

use super::answer::Insight;
use super::context::AnalysisContext;

/// Chooses among the facts of a context and puts them in words.
///
/// An answer holds no number that is not a fact's, says who wrote it, and is
/// there whatever happens: a provider that fails answers with statistics.
#[async_trait]
pub trait InsightProvider: Send + Sync {
    /// Answers the question of `context`. Where `deltas` are wanted, they may get
    /// the beginning of the answer's text while the rest is not there yet.
    async fn answer(&self, context: &AnalysisContext, deltas: &DeltaSink) -> Insight;
}

/// Where an answer's text goes as it comes.
#[derive(Debug, Default)]
pub struct DeltaSink {
    receiver: Option<Sender<String>>,
    /// How many bytes of the text were sent.
    sent: AtomicUsize,
}

impl DeltaSink {
    /// Nowhere: it is wanted whole.
    pub fn disabled() -> Self {
        Self::default()
    }

    /// To whoever receives from `sender`.
    pub fn new(sender: Sender<String>) -> Self {
        Self {
            receiver: Some(sender),
            sent: AtomicUsize::new(0),
        }
    }

    /// Whether anybody waits for them.
    pub fn is_enabled(&self) -> bool {
        self.receiver.is_some()
    }

    /// Sends the next piece of the text, once there is room for it.
    pub async fn send(&self, piece: &str) {
        if let Some(receiver) = &self.receiver {
            self.sent.fetch_add(piece.len(), Ordering::Relaxed);
            // Who does not listen any more has gone, and the answer with them.
            let _ = receiver.send(piece.to_owned()).await;
        }
    }

    /// Sends what of `text` was not sent yet.
    pub async fn finish(&self, text: &str) {
        let rest = text.get(self.sent.load(Ordering::Relaxed)..);
        if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
            self.send(rest).await;
        }
    }
}
