use super::draft::DraftFinding;

/// Reads findings out of a draft while it comes.
///
/// The schema puts them first; where a model does not, they are found once the
/// draft is whole.
#[derive(Debug, Default)]
pub struct DraftStream {
    text: String,
    /// How far the text is read, once its list of findings has begun.
    read: Option<usize>,
    is_over: bool,
}

impl DraftStream {
    /// Takes in a piece of the draft, and gives the findings that are whole
    /// with it.
    pub fn take(&mut self, piece: &str) -> Vec<DraftFinding> {
        self.text.push_str(piece);
        let mut findings = Vec::new();
        while let Some(finding) = self.next() {
            findings.push(finding);
        }
        findings
    }

    fn next(&mut self) -> Option<DraftFinding> {
        if self.is_over {
            return None;
        }
        let read = match self.read {
            Some(read) => read,
            None => beginning(&self.text)?,
        };
        let rest = &self.text[read..];
        let skipped = rest.len() - rest.trim_start_matches([',', ' ', '\n', '\r', '\t']).len();
        self.read = Some(read + skipped);
        let rest = &rest[skipped..];
        if rest.starts_with(']') {
            self.is_over = true;
            return None;
        }
        let mut findings = serde_json::Deserializer::from_str(rest).into_iter::<DraftFinding>();
        match findings.next()? {
            Ok(finding) => {
                self.read = Some(read + skipped + findings.byte_offset());
                Some(finding)
            }
            Err(error) if error.is_eof() => None,
            Err(_) => {
                // No draft as the schema has it: it will fail as a whole.
                self.is_over = true;
                None
            }
        }
    }
}

/// Where the list of findings begins, once it has.
fn beginning(text: &str) -> Option<usize> {
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
    fn findings_come_as_soon_as_they_are_whole_however_the_text_is_cut() {
        for size in 1..DRAFT.len() {
            let mut stream = DraftStream::default();
            let mut found = Vec::new();
            let mut piece = String::new();
            for character in DRAFT.chars() {
                piece.push(character);
                if piece.len() >= size {
                    found.extend(stream.take(&piece));
                    piece.clear();
                }
            }
            found.extend(stream.take(&piece));
            let texts: Vec<&str> = found.iter().map(|finding| &*finding.text).collect();
            assert_eq!(texts, ["One, [}\"é.", "Two."], "{size}");
        }
    }

    #[test]
    fn what_is_no_draft_has_no_findings() {
        for text in [
            "",
            "no JSON",
            "[]",
            r#"{"recommendations":[]}"#,
            r#"{"findings":[1,{"text":"x"}]}"#,
        ] {
            assert!(DraftStream::default().take(text).is_empty(), "{text}");
        }
    }
}
