use tokio::sync::mpsc::UnboundedSender;

use super::draft::{DraftFinding, MOST_FINDINGS};
use super::draft_stream::DraftStream;
use super::phrased::Told;
use crate::insights::answer::Verification;
use crate::insights::brief::Brief;
use crate::insights::gemini::TextSink;

/// Tells the findings of a draft while it comes: each once it is whole and was
/// held against the facts; one that fails in the service's own words.
pub struct Live<'a> {
    brief: &'a Brief,
    draft: DraftStream,
    /// What was told, in order.
    pub told: Vec<Told>,
    pub verification: Verification,
    /// The text goes here. What a draft can hold is bounded by the client.
    text: UnboundedSender<String>,
}

impl<'a> Live<'a> {
    pub fn new(brief: &'a Brief, text: UnboundedSender<String>) -> Self {
        Self {
            brief,
            draft: DraftStream::default(),
            told: Vec::new(),
            verification: Verification::default(),
            text,
        }
    }

    fn tell(&mut self, finding: DraftFinding) {
        if self.told.len() >= MOST_FINDINGS {
            return;
        }
        let verdict = finding.verdict(self.brief);
        self.verification.add(&verdict);
        let told = if verdict.passes() {
            Told::AsWritten(finding)
        } else {
            Told::InItsPlace(finding)
        };
        let mut is_said = false;
        for finding in told.findings(self.brief) {
            is_said = true;
            // Nobody may be there any more to read it.
            let _ = self.text.send(finding.text);
        }
        if is_said {
            self.told.push(told);
        }
    }
}

impl TextSink for Live<'_> {
    fn begin(&mut self) {
        self.draft = DraftStream::default();
    }

    fn text(&mut self, piece: &str) {
        for finding in self.draft.take(piece) {
            self.tell(finding);
        }
    }

    fn is_committed(&self) -> bool {
        !self.told.is_empty()
    }
}
