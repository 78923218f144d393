//! Identifiers and other short texts of a reading.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::ValidationError;

/// Defines a string type that a rule validates.
///
/// `Debug` prints the type alone, as the value may identify a person and must not get
/// into a log by accident.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, max_len: $max_len:expr, rule: $rule:expr, reason: $reason:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Maximum length in bytes; all characters are ASCII.
            pub const MAX_LEN: usize = $max_len;

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            fn check(text: &str) -> Result<(), ValidationError> {
                let rule: fn(&[u8]) -> bool = $rule;
                if (1..=Self::MAX_LEN).contains(&text.len()) && rule(text.as_bytes()) {
                    Ok(())
                } else {
                    Err(ValidationError::new($reason))
                }
            }
        }

        impl FromStr for $name {
            type Err = ValidationError;

            fn from_str(text: &str) -> Result<Self, ValidationError> {
                Self::check(text)?;
                Ok(Self(text.into()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

checked_text! {
    /// Id of the person whose reading it is, assigned by the client's system.
    UserId,
    max_len: 128,
    rule: |text| {
        text[0].is_ascii_alphanumeric()
            && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._@:+-".contains(byte))
    },
    reason: "must be 1 to 128 of A-Z a-z 0-9 . _ @ : + - and start with a letter or digit"
}

checked_text! {
    /// Kind of measurement, such as `heart_rate`.
    DataType,
    max_len: 64,
    rule: |text| {
        text[0].is_ascii_alphabetic()
            && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(byte))
    },
    reason: "must be 1 to 64 of A-Z a-z 0-9 . _ : - and start with a letter"
}

checked_text! {
    /// Unit of the value in UCUM, such as `/min`, whose symbols are ASCII.
    Unit,
    max_len: 32,
    rule: |text| text.iter().all(u8::is_ascii_graphic),
    reason: "must be 1 to 32 visible ASCII characters, as in UCUM: /min, mg/dL, Cel"
}

checked_text! {
    /// The client's own id of a reading.
    ClientRecordId,
    max_len: 128,
    rule: |text| text.iter().all(u8::is_ascii_graphic),
    reason: "must be 1 to 128 visible ASCII characters"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_id_rule_is_enforced_at_its_bounds() {
        for good in ["a", "7", "a.b_c@d:e+f-g", &"x".repeat(128)] {
            assert_eq!(good.parse::<UserId>().unwrap().as_str(), good);
        }
        for bad in ["", ".a", "-a", "a b", "a/b", "a\0", "é", &"x".repeat(129)] {
            assert!(bad.parse::<UserId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn data_types_start_with_a_letter_and_units_have_no_spaces() {
        assert!("steps:total-1".parse::<DataType>().is_ok());
        assert!("1steps".parse::<DataType>().is_err());
        assert!("mm[Hg]".parse::<Unit>().is_ok());
        assert!("beats per minute".parse::<Unit>().is_err());
        assert!("°C".parse::<Unit>().is_err());
    }

    #[test]
    fn debug_output_omits_the_value() {
        let user: UserId = "jane.doe".parse().unwrap();
        assert_eq!(format!("{user:?}"), "UserId(…)");
    }
}
