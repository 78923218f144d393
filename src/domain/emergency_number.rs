use std::collections::HashMap;
use std::sync::LazyLock;

/// Number of the medical emergency service where a person lives, if that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EmergencyNumber(Option<&'static str>);

/// Numbers by region (ISO 3166-1 alpha-2): the general emergency number, or that of
/// the ambulance where there is none. The answer always names 112 and 911 as well, as the
/// region of a language is not a place.
static NUMBERS: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    include_str!("emergency_numbers.csv")
        .lines()
        .skip(1)
        .filter_map(|row| row.split_once(','))
        .collect()
});

impl EmergencyNumber {
    /// Returns the number of the region in a language tag (RFC 5646), such as `de-AT`.
    pub fn from_language_tag(tag: &str) -> Self {
        let region = tag
            .split(['-', '_'])
            .skip(1)
            // A single character starts an extension, whose parts are no regions.
            .take_while(|part| part.len() > 1)
            .find(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_alphabetic()));
        Self(region.and_then(|region| NUMBERS.get(&*region.to_ascii_uppercase()).copied()))
    }

    /// Returns true if the region is known.
    pub fn is_known(self) -> bool {
        self.0.is_some()
    }

    /// Returns the number and its alternatives, as in "call 112 or 911". A person may
    /// be elsewhere than the language tag says.
    pub fn in_words(self) -> String {
        match self.0 {
            Some(number) => {
                format!("{number} (elsewhere 112 or 911, or the local emergency number)")
            }
            None => "112 or 911, or the local emergency number".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_region_of_a_language_tag() {
        for (tag, expected) in [
            ("de-AT", Some("112")),
            ("en_us", Some("911")),
            ("zh-Hant-HK", Some("999")),
            ("en-AU-u-ca-gregory", Some("000")),
            ("en-u-US", None),
            ("en", None),
            ("US", None),
            ("en-XX", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(EmergencyNumber::from_language_tag(tag).0, expected, "{tag}");
        }
    }

    #[test]
    fn every_row_is_a_region_and_its_number() {
        let rows = include_str!("emergency_numbers.csv").lines().count() - 1;
        assert_eq!(NUMBERS.len(), rows, "no region is listed twice");
        for (region, number) in NUMBERS.iter() {
            assert!(region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_uppercase()));
            assert!((3..=4).contains(&number.len()) && number.parse::<u16>().is_ok());
        }
    }
}
