use std::fmt;
use std::str::FromStr;

use super::ValidationError;

/// Measured number: finite, and within the range of both stores.
///
/// Its magnitude is 0 or from 1e-130 to 9.9e125, which a DynamoDB number can represent
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct ReadingValue(f64);

impl ReadingValue {
    /// Smallest magnitude other than 0.
    pub const MIN_MAGNITUDE: f64 = 1e-130;
    /// Largest magnitude.
    pub const MAX_MAGNITUDE: f64 = 9.9e125;

    /// Returns the number as a double.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for ReadingValue {
    type Error = ValidationError;

    fn try_from(number: f64) -> Result<Self, ValidationError> {
        let magnitude = number.abs();
        if magnitude == 0.0 {
            // A DynamoDB number has no negative zero, so neither does a reading.
            Ok(Self(0.0))
        } else if (Self::MIN_MAGNITUDE..=Self::MAX_MAGNITUDE).contains(&magnitude) {
            Ok(Self(number))
        } else {
            Err(ValidationError::new(
                "must have a magnitude of 0 or from 1e-130 to 9.9e125",
            ))
        }
    }
}

/// Parses a JSON number, rounded to the nearest double.
impl FromStr for ReadingValue {
    type Err = ValidationError;

    fn from_str(text: &str) -> Result<Self, ValidationError> {
        if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return Err(ValidationError::new("must be a JSON number"));
        }
        let number: f64 = text
            .parse()
            .map_err(|_| ValidationError::new("must be a JSON number"))?;
        if number == 0.0 && has_nonzero_digit(text) {
            return Err(ValidationError::new(
                "is too close to 0 for a double; send 0 or at least 1e-130",
            ));
        }
        Self::try_from(number)
    }
}

/// Shortest digits that parse to the same double, with an exponent for very large and
/// very small numbers.
///
/// Formatted by the standard library rather than a JSON crate: reading ids depend on
/// this text through [`Metadata`](super::Metadata), so it must never change.
impl fmt::Display for ReadingValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.0;
        if number == 0.0 || (1e-6..1e21).contains(&number.abs()) {
            write!(formatter, "{number}")
        } else {
            write!(formatter, "{number:e}")
        }
    }
}

/// Returns `true` if a digit before the exponent is not zero.
fn has_nonzero_digit(text: &str) -> bool {
    text.bytes()
        .take_while(|byte| !byte.eq_ignore_ascii_case(&b'e'))
        .any(|byte| (b'1'..=b'9').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_is_that_of_both_stores() {
        for good in ["0", "72", "-3.5e2", "1e-130", "9.9e125", "0e9", "0.1"] {
            let value: ReadingValue = good.parse().unwrap();
            assert_eq!(value.get(), good.parse::<f64>().unwrap());
        }
        for bad in [
            "1e400", "1e-400", "9.91e125", "1e-131", "NaN", "inf", "-inf", "", "\"1\"", "true",
        ] {
            assert!(bad.parse::<ReadingValue>().is_err(), "{bad}");
        }
    }

    #[test]
    fn negative_zero_becomes_zero() {
        let zero: ReadingValue = "-0.0".parse().unwrap();
        assert_eq!(zero.get().to_bits(), 0);
    }
}
