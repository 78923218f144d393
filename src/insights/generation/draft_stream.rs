use super::draft::DraftFinding;

/// Incremental parser of the findings in a streamed draft.
///
/// The schema puts the findings first. If a model does not, none is found here,
/// and they are read from the whole draft.
#[derive(Debug, Default)]
pub struct DraftStream {
    text: String,
    /// Offset of the unparsed text, once the list of findings has started.
    parsed: Option<usize>,
    is_finished: bool,
}

impl DraftStream {
    /// Adds a piece of the draft and returns the findings that it completes.
    pub fn push(&mut self, piece: &str) -> Vec<DraftFinding> {
        self.text.push_str(piece);
        let mut findings = Vec::new();
        while let Some(finding) = self.next() {
            findings.push(finding);
        }
        findings
    }

    fn next(&mut self) -> Option<DraftFinding> {
        if self.is_finished {
            return None;
        }
        let parsed = match self.parsed {
            Some(parsed) => parsed,
            None => findings_start(&self.text)?,
        };
        let rest = &self.text[parsed..];
        let skipped = rest.len() - rest.trim_start_matches([',', ' ', '\n', '\r', '\t']).len();
        self.parsed = Some(parsed + skipped);
        let rest = &rest[skipped..];
        if rest.starts_with(']') {
            self.is_finished = true;
            return None;
        }
        let mut findings = serde_json::Deserializer::from_str(rest).into_iter::<DraftFinding>();
        match findings.next()? {
            Ok(finding) => {
                self.parsed = Some(parsed + skipped + findings.byte_offset());
                Some(finding)
            }
            Err(error) if error.is_eof() => None,
            Err(_) => {
                // Not the schema: parsing the whole draft will fail too.
                self.is_finished = true;
                None
            }
        }
    }
}

/// Returns the offset of the first finding, once the list has started.
fn findings_start(text: &str) -> Option<usize> {
    let mut rest = text;
    for expected in ["{", "\"findings\"", ":", "["] {
        rest = rest.trim_start().strip_prefix(expected)?;
    }
    Some(text.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAFT: &str = r#" { "findings" : [ {"fact_ids":["f1"],"text":"One, [}\"é."} ,
        {"text":"Two.","fact_ids":[]}], "recommendations":[{"text":"x","based_on":[]}]}"#;

    #[test]
    fn findings_are_returned_once_complete_for_any_chunk_size() {
        for size in 1..DRAFT.len() {
            let mut stream = DraftStream::default();
            let mut found = Vec::new();
            let mut piece = String::new();
            for character in DRAFT.chars() {
                piece.push(character);
                if piece.len() >= size {
                    found.extend(stream.push(&piece));
                    piece.clear();
                }
            }
            found.extend(stream.push(&piece));
            let texts: Vec<&str> = found.iter().map(|finding| &*finding.text).collect();
            assert_eq!(texts, ["One, [}\"é.", "Two."], "{size}");
        }
    }

    #[test]
    fn invalid_draft_has_no_findings() {
        for text in [
            "",
            "no JSON",
            "[]",
            r#"{"recommendations":[]}"#,
            r#"{"findings":[1,{"text":"x"}]}"#,
        ] {
            assert!(DraftStream::default().push(text).is_empty(), "{text}");
        }
    }
}
