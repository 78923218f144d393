use tokio::sync::mpsc::UnboundedSender;

use super::draft::{DraftFinding, MOST_FINDINGS};
use super::draft_stream::DraftStream;
use crate::insights::answer::Verification;
use crate::insights::context::AnalysisContext;
use crate::insights::gemini::TextSink;

/// Tells the findings of a draft while it comes: each once it is whole and was
/// held against the facts; one that fails in the service's own words.
pub struct Live<'a> {
    context: &'a AnalysisContext,
    draft: DraftStream,
    /// What was told, in order.
    pub told: Vec<DraftFinding>,
    pub verification: Verification,
    /// The text goes here. What a draft can hold is bounded by the client.
    text: UnboundedSender<String>,
}

impl<'a> Live<'a> {
    pub fn new(context: &'a AnalysisContext, text: UnboundedSender<String>) -> Self {
        Self {
            context,
            draft: DraftStream::default(),
            told: Vec::new(),
            verification: Verification::default(),
            text,
        }
    }

    fn tell(&mut self, finding: DraftFinding) {
        let is_known = self.told.contains(&finding);
        if is_known || self.told.len() >= MOST_FINDINGS || self.context.is_withheld {
            return;
        }
        let (verdict, sentences) = finding.told(self.context);
        self.verification.add(&verdict);
        if sentences.is_empty() {
            return;
        }
        for sentence in sentences {
            // Nobody may be there any more to read it.
            let _ = self.text.send(sentence.text);
        }
        self.told.push(finding);
    }
}

impl TextSink for Live<'_> {
    fn start_attempt(&mut self) {
        self.draft = DraftStream::default();
        self.verification = Verification::default();
    }

    fn push(&mut self, piece: &str) {
        for finding in self.draft.take(piece) {
            self.tell(finding);
        }
    }

    fn is_committed(&self) -> bool {
        !self.told.is_empty()
    }
}
