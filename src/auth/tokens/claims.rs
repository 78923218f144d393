use serde::Deserialize;

/// Claims of a token that matter here. A claim that occurs twice is rejected. An
/// optional claim that is null counts as absent, as some issuers write it; one of
/// another type is rejected.
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
    /// Id of the person's readings, if it is not the subject.
    #[serde(default, rename = "custom:clarity_user_id")]
    pub(super) user_id: Option<String>,
    #[serde(default, rename = "cognito:groups")]
    pub(super) groups: Option<Vec<String>>,
}

/// Seconds since 1970, possibly with a fraction (RFC 7519, section 2).
#[derive(Clone, Copy, Deserialize)]
pub(super) struct NumericDate(f64);

impl NumericDate {
    /// Returns whole seconds, saturating.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "fractions are irrelevant, and the cast saturates"
    )]
    pub(super) fn seconds(self) -> i64 {
        self.0 as i64
    }
}

/// An audience: a string or a list of strings (RFC 7519, section 4.1.3).
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
