use async_trait::async_trait;
use tokio::sync::mpsc::Sender;

use super::answer::Insight;
use super::brief::Brief;

/// Chooses among the facts of a brief and puts them in words.
///
/// An answer holds no number that is not a fact's, says who wrote it, and is
/// there whatever happens: a provider that fails answers with statistics.
#[async_trait]
pub trait InsightProvider: Send + Sync {
    /// Answers the question of `brief`. Where `deltas` are wanted, they get the
    /// answer's text piece by piece: all of it, and nothing else.
    async fn answer(&self, brief: &Brief, deltas: &Deltas) -> Insight;
}

/// Where an answer's text goes as it comes.
#[derive(Debug, Default)]
pub struct Deltas(Option<Sender<String>>);

impl Deltas {
    /// Nowhere: it is wanted whole.
    pub fn unwanted() -> Self {
        Self(None)
    }

    /// To whoever receives from `sender`.
    pub fn to(sender: Sender<String>) -> Self {
        Self(Some(sender))
    }

    /// Whether anybody waits for them.
    pub fn are_wanted(&self) -> bool {
        self.0.is_some()
    }

    /// Sends a piece of the text, once there is room for it.
    pub async fn send(&self, piece: &str) {
        if let Some(sender) = &self.0 {
            // Who does not listen any more has gone, and the answer with them.
            let _ = sender.send(piece.to_owned()).await;
        }
    }
}
