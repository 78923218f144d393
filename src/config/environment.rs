/// API key of a development service that has no other.
pub const DEVELOPMENT_KEY: &str = "development-key";

/// Environment that the service runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// A developer's machine: defaults are convenient.
    Development,
    /// Real users' data: insecure settings are rejected.
    Production,
}

impl Environment {
    /// Returns the value of `ENVIRONMENT`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
        }
    }
}
