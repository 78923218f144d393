use serde::Deserialize;

/// What a token says, as far as it matters here. A claim that comes twice is
/// refused by the reader.
#[derive(Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) sub: String,
    pub(super) exp: NumericDate,
    #[serde(default)]
    pub(super) nbf: Option<NumericDate>,
    #[serde(default)]
    pub(super) aud: Option<AudienceClaim>,
    #[serde(default)]
    pub(super) client_id: Option<String>,
    #[serde(default)]
    pub(super) token_use: Option<String>,
    /// Under which id the person's readings are, if not under the subject.
    #[serde(default, rename = "custom:clarity_user_id")]
    pub(super) user_id: Option<String>,
    #[serde(default, rename = "cognito:groups")]
    pub(super) groups: Vec<String>,
}

/// Seconds since 1970, which may have a fraction (RFC 7519, section 2).
#[derive(Clone, Copy, Deserialize)]
pub(super) struct NumericDate(f64);

impl NumericDate {
    /// Whole seconds; what is out of range is as far as there is.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a fraction does not matter"
    )]
    pub(super) fn seconds(self) -> i64 {
        self.0 as i64
    }
}

/// An audience is a text or a list of them (RFC 7519, section 4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum AudienceClaim {
    One(String),
    Many(Vec<String>),
}

impl AudienceClaim {
    pub(super) fn contains(&self, text: &str) -> bool {
        match self {
            Self::One(one) => one == text,
            Self::Many(many) => many.iter().any(|one| one == text),
        }
    }
}
