mod intent;
mod intent_rules;
pub mod tokenize;
pub mod topics;

use std::sync::LazyLock;

use regex::Regex;

pub use intent::Intent;
pub use intent_rules::RequestedStatistic;

use crate::domain::{UserId, ValidationError};

/// What a person asks: 1 to 2,000 characters.
#[derive(Clone)]
pub struct Question {
    original: String,
    /// Without what would tell who asks.
    redacted: String,
}

impl Question {
    /// The most characters.
    pub const MAX_CHARS: usize = 2_000;

    /// The question as asked.
    pub fn as_str(&self) -> &str {
        &self.original
    }

    /// The question as it may leave the service: without ids, addresses and
    /// long numbers.
    pub fn redacted(&self) -> &str {
        &self.redacted
    }

    /// The question, of which this user's id may not leave the service.
    pub fn redact_user_id(mut self, user_id: &UserId) -> Self {
        // The id first, of which the rest could leave a part.
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
            })
        }
    }
}

/// What stands in place of what is left out.
const REDACTED: &str = "[…]";

/// E-mail addresses, UUIDs, and numbers as long as those of telephones.
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
        // Part of the program: a test makes sure that it compiles.
        None => REDACTED.to_owned(),
    }
}

/// An id this long stands for itself wherever it is found; a shorter one could
/// be part of any word.
const MIN_IDENTIFYING_LEN: usize = 5;

/// The text without `id`, in upper or lower case.
fn redact_id(text: &str, id: &str) -> String {
    // Same bytes at the same places, whatever else the text holds.
    let (folded, id) = (text.to_ascii_lowercase(), id.to_ascii_lowercase());
    let mut kept = String::with_capacity(text.len());
    let mut rest = 0;
    for (at, found) in folded.match_indices(&id) {
        let end = at + found.len();
        let before = text[..at].chars().next_back();
        let after = text[end..].chars().next();
        let is_short = id.len() < MIN_IDENTIFYING_LEN;
        let is_part = |next: Option<char>| is_short && next.is_some_and(char::is_alphanumeric);
        if at >= rest && !is_part(before) && !is_part(after) {
            kept.push_str(&text[rest..at]);
            kept.push_str(REDACTED);
            rest = end;
        }
    }
    kept.push_str(&text[rest..]);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_who_asks_does_not_leave() {
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
