use crate::domain::Invalid;

/// What a person asks: 1 to 2,000 characters.
#[derive(Clone)]
pub struct Question(String);

impl Question {
    /// The most characters.
    pub const LONGEST: usize = 2_000;

    /// The question as asked.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Question {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        if text.trim().is_empty() || text.chars().count() > Self::LONGEST {
            Err(Invalid::because(
                "must be 1 to 2000 characters, not all of them blank",
            ))
        } else {
            Ok(Self(text))
        }
    }
}
