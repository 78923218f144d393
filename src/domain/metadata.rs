use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::{CanonicalWriter, ValidationError};

/// Additional data about a reading: a JSON object in canonical form.
///
/// The canonical form has no white space, members sorted by the code points of their
/// names, one spelling of each number, and only the necessary escapes. Objects of equal
/// meaning therefore have equal text, which makes reading ids reproducible. Both stores
/// store this form.
///
/// Numbers are 64-bit integers or doubles within the bounds of a
/// [`ReadingValue`](super::ReadingValue). Names must be unique, as a parser might
/// silently drop one of two.
#[derive(Clone, Default)]
pub struct Metadata(Option<Arc<RawValue>>);

impl Metadata {
    /// Maximum length of the canonical text.
    pub const MAX_BYTES: usize = 16 * 1024;
    /// Maximum nesting depth of objects and arrays; the metadata itself is level 1.
    pub const MAX_DEPTH: usize = CanonicalWriter::MAX_DEPTH;

    /// Parses a JSON value and converts it to canonical form.
    ///
    /// # Errors
    /// If it is not an object, or exceeds a bound.
    pub fn parse(text: &str) -> Result<Self, ValidationError> {
        if !text.trim_start().starts_with('{') {
            return Err(ValidationError::new("must be a JSON object"));
        }
        Self::write(|canonical| write_value(text, canonical))
    }

    /// Creates metadata from what `write` writes.
    ///
    /// # Errors
    /// If `write` fails, or writes no object, or too large a one.
    pub fn write(
        write: impl FnOnce(&mut CanonicalWriter) -> Result<(), ValidationError>,
    ) -> Result<Self, ValidationError> {
        let mut canonical = CanonicalWriter::default();
        write(&mut canonical)?;
        let canonical = canonical.into_text();
        if !canonical.starts_with('{') {
            return Err(ValidationError::new("must be a JSON object"));
        }
        Self::from_canonical(canonical)
    }

    /// Restores metadata from the result of [`Self::as_str`].
    ///
    /// # Errors
    /// If the text is not JSON, or too large. It is not checked for canonical form.
    pub fn from_canonical(canonical: String) -> Result<Self, ValidationError> {
        if canonical.len() > Self::MAX_BYTES {
            return Err(ValidationError::new("must not be larger than 16 KiB"));
        }
        if canonical == "{}" {
            return Ok(Self(None));
        }
        RawValue::from_string(canonical)
            .map(|raw| Self(Some(raw.into())))
            .map_err(|_| ValidationError::new("must be a JSON object"))
    }

    /// Returns the canonical text.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().map_or("{}", RawValue::get)
    }
}

impl PartialEq for Metadata {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Metadata {}

impl fmt::Debug for Metadata {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Metadata(…)")
    }
}

impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(raw) => raw.serialize(serializer),
            None => serializer.collect_map::<&str, &str, _>([]),
        }
    }
}

/// Members of a JSON object in the order sent, with unparsed values.
struct MetadataMembers<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// A string, borrowed from the document unless it contains escapes.
#[derive(Deserialize)]
pub(super) struct JsonText<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for MetadataMembers<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = MetadataMembers<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((JsonText(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(MetadataMembers(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

/// Writes the text of a JSON value in canonical form.
fn write_value(text: &str, canonical: &mut CanonicalWriter) -> Result<(), ValidationError> {
    // `serde_json` also rejects a lone surrogate, and nothing else here.
    let not_json = |_| ValidationError::new("must be JSON text with valid Unicode");
    let text = text.trim();
    match text.as_bytes().first() {
        Some(b'{') => {
            let MetadataMembers(mut members) = serde_json::from_str(text).map_err(not_json)?;
            members.sort_by(|(left, _), (right, _)| left.cmp(right));
            let members = members.iter().map(|(name, value)| (&**name, value.get()));
            canonical.object(members, |canonical, value| write_value(value, canonical))?;
        }
        Some(b'[') => {
            let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(not_json)?;
            canonical.array(elements, |canonical, element| {
                write_value(element.get(), canonical)
            })?;
        }
        Some(b'"') => {
            let JsonText(string) = serde_json::from_str(text).map_err(not_json)?;
            canonical.string(&string);
        }
        Some(b'n') => canonical.null(),
        Some(first @ (b't' | b'f')) => canonical.boolean(*first == b't'),
        _ => canonical.number(text)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(text: &str) -> String {
        Metadata::parse(text).unwrap().as_str().to_owned()
    }

    #[test]
    fn equal_objects_have_equal_text() {
        assert_eq!(
            canonical(" { \"b\" : [ 1.0 , 2.50, -0 ],\n\"a\":{\"y\":null,\"x\":\"\\u00e9\\/\"} } "),
            r#"{"a":{"x":"é/","y":null},"b":[1,2.5,0]}"#
        );
        assert_eq!(canonical("{}"), "{}");
        assert_eq!(Metadata::default().as_str(), "{}");
    }

    #[test]
    fn numbers_have_one_spelling() {
        for (sent, kept) in [
            ("18446744073709551615", "18446744073709551615"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("1e3", "1000"),
            ("9.007199254740993e15", "9007199254740992"),
            ("1E+30", "1e30"),
            ("2.5e20", "2.5e20"),
            ("-1e19", "-1e19"),
            ("18446744073709551616.0", "1.8446744073709552e19"),
            ("1e-9", "1e-9"),
            ("0.1", "0.1"),
            ("3.14159265358979323846", "3.141592653589793"),
        ] {
            let kept = format!("{{\"n\":{kept}}}");
            assert_eq!(canonical(&format!("{{\"n\":{sent}}}")), kept);
            assert_eq!(canonical(&kept), kept);
        }
    }

    #[test]
    fn invalid_metadata_is_rejected() {
        let deep = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
        assert!(Metadata::parse(&deep(16)).is_ok());
        for bad in [
            "[]".to_owned(),
            "null".to_owned(),
            "\"text\"".to_owned(),
            r#"{"a":1,"a":2}"#.to_owned(),
            r#"{"a":{"b":1,"\u0062":2}}"#.to_owned(),
            r#"{"":1}"#.to_owned(),
            r#"{"n":1e400}"#.to_owned(),
            r#"{"n":1e-400}"#.to_owned(),
            r#"{"n":18446744073709551616}"#.to_owned(),
            r#"{"s":"\ud800"}"#.to_owned(),
            deep(17),
            deep(10_000),
            format!("{{\"s\":\"{}\"}}", "x".repeat(16 * 1024)),
        ] {
            assert!(
                Metadata::parse(&bad).is_err(),
                "{}",
                &bad[..bad.len().min(60)]
            );
        }
    }

    proptest! {
        #[test]
        fn canonical_form_is_stable_and_equivalent(members in prop::collection::btree_map(
            "[a-zé\"\\\\]{1,6}",
            prop_oneof![
                any::<i64>().prop_map(serde_json::Value::from),
                any::<String>().prop_map(serde_json::Value::from),
                (-1e100..1e100).prop_map(serde_json::Value::from),
                (-1.0..1.0, -30..30).prop_map(|(digits, power): (f64, i32)| (digits * 10f64.powi(power)).into()),
                Just(serde_json::json!([true, {"x": null}])),
            ],
            0..6,
        )) {
            let sent = serde_json::to_string(&members).unwrap();
            let once = Metadata::parse(&sent).unwrap();
            let twice = Metadata::parse(once.as_str()).unwrap();
            prop_assert_eq!(&once, &twice);
            let back: serde_json::Map<String, serde_json::Value> = serde_json::from_str(once.as_str()).unwrap();
            for (name, value) in &members {
                match (value.as_f64(), back[name].as_f64()) {
                    (Some(sent), Some(kept)) => prop_assert_eq!(sent, kept),
                    _ => prop_assert_eq!(value, &back[name]),
                }
            }
        }
    }
}
