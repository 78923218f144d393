use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

/// Name that may be part of a sentence, a fact or a prompt. It is made from text of
/// this program only, so that no client's text can become part of an answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Label(Cow<'static, str>);

impl Label {
    /// Creates a label from text of the program.
    pub const fn new(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// Returns the unit of a change per day of values in this unit.
    pub fn per_day(&self) -> Self {
        Self(Cow::Owned(format!("{}/d", self.0)))
    }

    /// Returns the label of a phrase of the program, with spaces for underscores.
    pub fn spaced(phrase: &'static str) -> Self {
        Self(if phrase.contains('_') {
            Cow::Owned(phrase.replace('_', " "))
        } else {
            Cow::Borrowed(phrase)
        })
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
