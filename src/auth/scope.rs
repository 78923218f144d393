use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::ValidationError;

/// Permission that an operation requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub enum Scope {
    /// Read readings: single ones, lists, summaries and exports.
    #[serde(rename = "data:read")]
    ReadData,
    /// Store readings.
    #[serde(rename = "data:write")]
    WriteData,
    /// Delete readings: single ones, or all of a user.
    #[serde(rename = "data:erase")]
    EraseData,
    /// Ask questions about readings.
    #[serde(rename = "insights")]
    Insights,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 4] = [
        Self::ReadData,
        Self::WriteData,
        Self::EraseData,
        Self::Insights,
    ];

    /// Returns the name used by keys and the OpenAPI description.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadData => "data:read",
            Self::WriteData => "data:write",
            Self::EraseData => "data:erase",
            Self::Insights => "insights",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::ReadData => 1,
            Self::WriteData => 2,
            Self::EraseData => 4,
            Self::Insights => 8,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = ValidationError;

    fn from_str(text: &str) -> Result<Self, ValidationError> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| {
                ValidationError::new("must be data:read, data:write, data:erase or insights")
            })
    }
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// Returns `true` if the set contains `scope`.
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Returns the set of all scopes.
    pub fn all() -> Self {
        Scope::ALL.into_iter().collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_contains_exactly_its_scopes() {
        for scope in Scope::ALL {
            let set = Scopes::from_iter([scope]);
            for other in Scope::ALL {
                assert_eq!(set.contains(other), scope == other);
            }
            assert!(Scopes::all().contains(scope));
            assert_eq!(scope.as_str().parse::<Scope>().unwrap(), scope);
            assert_eq!(
                serde_json::to_string(&scope).unwrap(),
                format!("\"{scope}\"")
            );
        }
        assert!("data:*".parse::<Scope>().is_err());
    }
}
