use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

use crate::domain::{UserId, ValidationError};

/// Users that a principal may act for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Users(Box<[UserPattern]>);

impl Users {
    /// Returns all users.
    pub fn all() -> Self {
        Self([UserPattern::All].into())
    }

    /// Returns a single user.
    pub fn only(user_id: UserId) -> Self {
        Self([UserPattern::Id(user_id)].into())
    }

    /// Returns no users.
    pub fn none() -> Self {
        Self([].into())
    }

    /// Returns `true` if `user_id` is included.
    pub fn contains(&self, user_id: &UserId) -> bool {
        self.0.iter().any(|pattern| match pattern {
            UserPattern::All => true,
            UserPattern::Prefix(prefix) => user_id.as_str().starts_with(prefix.as_str()),
            UserPattern::Id(id) => id == user_id,
        })
    }
}

impl FromIterator<UserPattern> for Users {
    fn from_iter<I: IntoIterator<Item = UserPattern>>(patterns: I) -> Self {
        Self(patterns.into_iter().collect())
    }
}

/// Pattern of user ids: `*` matches all, `prefix*` those with that prefix, and anything
/// else that id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserPattern {
    /// All users.
    All,
    /// Users whose id has the prefix.
    Prefix(UserId),
    /// A single user.
    Id(UserId),
}

impl FromStr for UserPattern {
    type Err = ValidationError;

    fn from_str(text: &str) -> Result<Self, ValidationError> {
        // A prefix of an id is a valid id itself, as ids have no minimum length.
        match text.strip_suffix('*') {
            Some("") => Ok(Self::All),
            Some(prefix) => prefix.parse().map(Self::Prefix),
            None => text.parse().map(Self::Id),
        }
        .map_err(|_| {
            ValidationError::new("must be *, a prefix of user ids followed by *, or a user id")
        })
    }
}

impl<'de> Deserialize<'de> for UserPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pattern_matches_all_a_prefix_or_one_user() {
        let matches = |pattern: &str, user_id: &str| {
            let users = Users::from_iter([pattern.parse().unwrap()]);
            users.contains(&user_id.parse().unwrap())
        };
        assert!(matches("*", "anybody"));
        assert!(matches("demo-*", "demo-1") && matches("demo-*", "demo-"));
        assert!(!matches("demo-*", "demo") && !matches("demo-*", "Demo-1"));
        assert!(matches("jane", "jane"));
        assert!(!matches("jane", "jane2") && !matches("jane", "jan"));
        for bad in ["", "**", "a*b", "*a", "-*", "a b", "é*"] {
            assert!(bad.parse::<UserPattern>().is_err(), "{bad}");
        }
        assert!(!Users::none().contains(&"jane".parse().unwrap()));
    }
}
