//! Question of a client, its redaction and its interpretation.

mod intent;
mod intent_rules;
pub mod tokenize;
pub mod topics;

use std::sync::LazyLock;

use regex::Regex;

pub use intent::Intent;
pub use intent_rules::RequestedStatistic;

use crate::domain::{EmergencyNumber, UserId, ValidationError};

/// Question of a client: 1 to 2,000 characters.
#[derive(Clone)]
pub struct Question {
    original: String,
    /// Without personal data.
    redacted: String,
    /// Number to call in an emergency.
    emergency_number: EmergencyNumber,
}

impl Question {
    /// Maximum length in characters.
    pub const MAX_CHARS: usize = 2_000;

    /// Returns the question as asked.
    pub fn as_str(&self) -> &str {
        &self.original
    }

    /// Returns the question as it may be sent to a model: without ids, e-mail
    /// addresses and long numbers.
    pub fn redacted(&self) -> &str {
        &self.redacted
    }

    /// Returns the emergency number where the question is asked.
    pub fn emergency_number(&self) -> EmergencyNumber {
        self.emergency_number
    }

    /// Sets the emergency number where the question is asked.
    pub fn with_emergency_number(self, emergency_number: EmergencyNumber) -> Self {
        Self {
            emergency_number,
            ..self
        }
    }

    /// Also redacts the id of this user.
    pub fn redact_user_id(mut self, user_id: &UserId) -> Self {
        // The id first: other patterns could match only a part of it.
        self.redacted = redact_personal_data(&redact_id(&self.original, user_id.as_str()));
        self
    }
}

impl TryFrom<String> for Question {
    type Error = ValidationError;

    fn try_from(text: String) -> Result<Self, ValidationError> {
        if text.trim().is_empty() || text.chars().count() > Self::MAX_CHARS {
            Err(ValidationError::new(
                "must be 1 to 2000 characters, not all of them blank",
            ))
        } else {
            Ok(Self {
                redacted: redact_personal_data(&text),
                original: text,
                emergency_number: EmergencyNumber::default(),
            })
        }
    }
}

/// Replacement of redacted text.
const REDACTED: &str = "[…]";

/// Pattern of e-mail addresses, UUIDs, and numbers as long as phone numbers.
static PERSONAL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+",
        r"|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}",
        r"|\+[0-9](?:[ ()/.-]?[0-9]){6,}",
        r"|[0-9](?:[.-]?[0-9]){6,}",
    ))
    .ok()
});

fn redact_personal_data(text: &str) -> String {
    match &*PERSONAL {
        Some(personal) => personal.replace_all(text, REDACTED).into_owned(),
        // The pattern is constant; a test verifies that it compiles.
        None => REDACTED.to_owned(),
    }
}

/// Minimum length of an id that is redacted within words too. A shorter one
/// could be part of any word.
const MIN_IDENTIFYING_LEN: usize = 5;

/// Returns `text` with `id` redacted, ignoring ASCII case.
fn redact_id(text: &str, id: &str) -> String {
    // ASCII case folding keeps the byte offsets.
    let (folded, id) = (text.to_ascii_lowercase(), id.to_ascii_lowercase());
    let mut redacted = String::with_capacity(text.len());
    let mut rest = 0;
    for (at, found) in folded.match_indices(&id) {
        let end = at + found.len();
        let before = text[..at].chars().next_back();
        let after = text[end..].chars().next();
        let is_short = id.len() < MIN_IDENTIFYING_LEN;
        let is_part = |next: Option<char>| is_short && next.is_some_and(char::is_alphanumeric);
        if at >= rest && !is_part(before) && !is_part(after) {
            redacted.push_str(&text[rest..at]);
            redacted.push_str(REDACTED);
            rest = end;
        }
    }
    redacted.push_str(&text[rest..]);
    redacted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_data_is_redacted() {
        let question = |text: &str, user: &str| {
            let question = Question::try_from(text.to_owned()).unwrap();
            question
                .redact_user_id(&user.parse().unwrap())
                .redacted()
                .to_owned()
        };
        assert_eq!(
            question("I am User-7, and myuser-7", "user-7"),
            "I am […], and my[…]"
        );
        assert_eq!(question("I am u7, and u77?", "u7"), "I am […], and u77?");
        assert_eq!(
            question("I am maria-19850412", "maria-19850412"),
            "I am […]"
        );
        assert_eq!(
            question("it was 120/80 118/79", "u"),
            "it was 120/80 118/79"
        );
        assert_eq!(question("Mail ann@example.org!", "u"), "Mail […]!");
        assert_eq!(
            question(
                "018d0cab-c440-85d0-a3ae-7ec39b0fdb2e and +49 170 1234567",
                "u"
            ),
            "[…] and […]"
        );
        assert_eq!(
            question("7 days, 10,000 steps, 120/80?", "u"),
            "7 days, 10,000 steps, 120/80?"
        );
        assert_eq!(question("é u é", "u"), "é […] é");
    }
}
