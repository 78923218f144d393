use tokio::sync::mpsc::UnboundedSender;

use super::draft::{DraftFinding, MAX_FINDINGS, VerifiedDraft};
use super::draft_stream::DraftStream;
use crate::insights::answer::VerificationReport;
use crate::insights::context::AnalysisContext;
use crate::insights::gemini::TextSink;

/// Verifies the findings of a streamed draft and sends each as soon as it is
/// complete. A sentence that fails is replaced by its facts in the service's own
/// words.
pub struct StreamingRenderer<'a> {
    context: &'a AnalysisContext,
    draft: DraftStream,
    rendered: RenderedStream,
    /// Receives the sentences. Unbounded, since the client limits the size of a
    /// reply.
    sender: UnboundedSender<String>,
}

/// Part of a draft that was sent.
pub struct RenderedStream {
    /// Findings in the order in which they were sent.
    pub findings: Vec<DraftFinding>,
    /// The same findings, verified.
    pub verified: VerifiedDraft,
    /// Counts of all verified findings of the last attempt.
    pub verification: VerificationReport,
}

impl<'a> StreamingRenderer<'a> {
    /// Creates a renderer that sends sentences to `sender`.
    pub fn new(context: &'a AnalysisContext, sender: UnboundedSender<String>) -> Self {
        Self {
            context,
            draft: DraftStream::default(),
            rendered: RenderedStream {
                findings: Vec::new(),
                verified: VerifiedDraft::default(),
                verification: VerificationReport::default(),
            },
            sender,
        }
    }

    /// Closes the channel and returns the part that was sent.
    pub fn finish(self) -> RenderedStream {
        self.rendered
    }

    fn render(&mut self, finding: DraftFinding) {
        let rendered = &mut self.rendered;
        let is_known = rendered.findings.contains(&finding);
        if is_known || rendered.findings.len() >= MAX_FINDINGS || self.context.is_withheld {
            return;
        }
        let (verdict, sentences) = rendered.verified.push(&finding, self.context);
        rendered.verification.add(&verdict);
        if sentences.is_empty() {
            return;
        }
        for sentence in sentences {
            // The receiver may have gone away.
            let _ = self.sender.send(sentence.text.clone());
        }
        rendered.findings.push(finding);
    }
}

impl TextSink for StreamingRenderer<'_> {
    fn start_attempt(&mut self) {
        self.draft = DraftStream::default();
        self.rendered.verification = VerificationReport::default();
    }

    fn push(&mut self, piece: &str) {
        for finding in self.draft.push(piece) {
            self.render(finding);
        }
    }

    fn is_committed(&self) -> bool {
        !self.rendered.findings.is_empty()
    }
}
