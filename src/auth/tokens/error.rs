/// Rejection of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// The token is invalid. The reason is not disclosed.
    Invalid,
    /// The token may be valid, but the issuer's keys are unavailable.
    KeysUnavailable,
}
