//! Values as the tools write them: JSON's own, and objects that represent
//! Firestore's other types.

use std::collections::BTreeMap;
use std::io::Read;

use jiff::Timestamp;

use super::events::{JsonError, JsonToken, JsonTokens};
use super::limits::VALUE_BYTES;
use crate::import::sources::firestore::value::{GeoPoint, MAX_DEPTH, Value};

/// Reader of values of documents.
pub(super) struct ValueReader<'a, R> {
    tokens: &'a mut JsonTokens<R>,
    /// Bytes that the document may still take.
    remaining: &'a mut u64,
}

impl<'a, R: Read> ValueReader<'a, R> {
    /// Returns a reader for a document that may take `remaining` more bytes, from which it
    /// deducts what it reads.
    pub(super) fn new(tokens: &'a mut JsonTokens<R>, remaining: &'a mut u64) -> Self {
        Self { tokens, remaining }
    }

    /// Reads the next value.
    pub(super) fn value(&mut self) -> Result<Value, JsonError> {
        let token = self.token()?;
        self.value_from(token, 1)
    }

    /// Reads the value that starts with a token already consumed.
    pub(super) fn value_from_token(&mut self, token: JsonToken) -> Result<Value, JsonError> {
        self.value_from(token, 1)
    }

    /// Reads the rest of an object; `first` is a token already consumed.
    pub(super) fn object(&mut self, first: Option<JsonToken>) -> Result<Value, JsonError> {
        self.map(first, 1).map(special)
    }

    /// Reads the rest of an object that is a document or its data.
    pub(super) fn fields(&mut self) -> Result<BTreeMap<String, Value>, JsonError> {
        self.map(None, 0)
    }

    fn token(&mut self) -> Result<JsonToken, JsonError> {
        let start = self.tokens.offset();
        let token = self.tokens.next()?;
        let cost = self.tokens.offset() - start + VALUE_BYTES;
        let remaining = self.remaining.checked_sub(cost);
        *self.remaining = remaining.ok_or(JsonError::Document)?;
        Ok(token)
    }

    fn value_from(&mut self, token: JsonToken, depth: usize) -> Result<Value, JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError::Depth);
        }
        Ok(match token {
            JsonToken::Null => Value::Null,
            JsonToken::Boolean(bit) => Value::Boolean(bit),
            JsonToken::String(text) => Value::String(text),
            JsonToken::Number(digits) => number(&digits)?,
            JsonToken::StartArray => self.array(depth)?,
            JsonToken::StartObject => special(self.map(None, depth)?),
            JsonToken::EndArray | JsonToken::EndObject | JsonToken::Key(_) | JsonToken::End => {
                return Err(JsonError::Syntax);
            }
        })
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        let mut elements = Vec::new();
        loop {
            match self.token()? {
                JsonToken::EndArray => return Ok(Value::Array(elements)),
                token => elements.push(self.value_from(token, depth + 1)?),
            }
        }
    }

    fn map(
        &mut self,
        mut first: Option<JsonToken>,
        depth: usize,
    ) -> Result<BTreeMap<String, Value>, JsonError> {
        let mut fields = BTreeMap::new();
        loop {
            let token = match first.take() {
                Some(token) => token,
                None => self.token()?,
            };
            match token {
                JsonToken::EndObject => return Ok(fields),
                JsonToken::Key(key) => {
                    let token = self.token()?;
                    let value = self.value_from(token, depth + 1)?;
                    if fields.insert(key, value).is_some() {
                        return Err(JsonError::RepeatedField);
                    }
                }
                _ => return Err(JsonError::Syntax),
            }
        }
    }
}

/// Parses a number. A double without a fraction becomes an integer, as the tools
/// write both alike.
fn number(digits: &str) -> Result<Value, JsonError> {
    if let Ok(integer) = digits.parse() {
        return Ok(Value::Integer(integer));
    }
    let double = digits.parse().map_err(|_| JsonError::Syntax)?;
    Ok(Value::Double(double))
}

/// Returns the value that an object represents, or the map that it is.
fn special(fields: BTreeMap<String, Value>) -> Value {
    timestamp(&fields)
        .or_else(|| geo_point(&fields))
        .or_else(|| reference(&fields))
        .or_else(|| buffer(&fields))
        .or_else(|| tagged(&fields))
        .unwrap_or(Value::Map(fields))
}

/// Returns the values of an object that has exactly these keys.
fn exactly<'a, const N: usize>(
    fields: &'a BTreeMap<String, Value>,
    keys: [&str; N],
) -> Option<[&'a Value; N]> {
    if fields.len() != N {
        return None;
    }
    let values: Option<Vec<_>> = keys.iter().map(|key| fields.get(*key)).collect();
    values?.try_into().ok()
}

fn timestamp(fields: &BTreeMap<String, Value>) -> Option<Value> {
    match exactly(fields, ["_seconds", "_nanoseconds"])? {
        [Value::Integer(seconds), Value::Integer(nanoseconds)] => {
            let nanoseconds = i32::try_from(*nanoseconds).ok()?;
            let instant = Timestamp::new(*seconds, 0).ok()?;
            let rest = jiff::SignedDuration::from_nanos(nanoseconds.into());
            Some(Value::Timestamp(instant.checked_add(rest).ok()?))
        }
        _ => None,
    }
}

fn geo_point(fields: &BTreeMap<String, Value>) -> Option<Value> {
    let [latitude, longitude] = exactly(fields, ["_latitude", "_longitude"])?;
    Some(Value::GeoPoint(GeoPoint {
        latitude: degrees(latitude)?,
        longitude: degrees(longitude)?,
    }))
}

fn degrees(value: &Value) -> Option<f64> {
    match value {
        Value::Double(degrees) => Some(*degrees),
        Value::Integer(degrees) => i32::try_from(*degrees).ok().map(f64::from),
        _ => None,
    }
}

/// `firestore-export-import` writes the in-memory representation of a reference.
fn reference(fields: &BTreeMap<String, Value>) -> Option<Value> {
    let (Some(_), Some(Value::Map(path))) = (fields.get("_firestore"), fields.get("_path")) else {
        return None;
    };
    let Some(Value::Array(segments)) = path.get("segments") else {
        return None;
    };
    let segments: Option<Vec<&str>> = segments
        .iter()
        .map(|segment| match segment {
            Value::String(segment) => Some(&**segment),
            _ => None,
        })
        .collect();
    Some(Value::Reference(segments?.join("/")))
}

fn buffer(fields: &BTreeMap<String, Value>) -> Option<Value> {
    match exactly(fields, ["type", "data"])? {
        [Value::String(tag), Value::Array(bytes)] if tag == "Buffer" => {
            let bytes: Option<Vec<u8>> = bytes
                .iter()
                .map(|byte| match byte {
                    Value::Integer(byte) => u8::try_from(*byte).ok(),
                    _ => None,
                })
                .collect();
            bytes.map(Value::Bytes)
        }
        _ => None,
    }
}

/// `node-firestore-import-export` and `@endran/firestore-export-import` tag values
/// with their type. The inner value is converted already.
fn tagged(fields: &BTreeMap<String, Value>) -> Option<Value> {
    match exactly(fields, ["__datatype__", "value"])? {
        [Value::String(tag), value] => match (&**tag, value) {
            ("timestamp", Value::Timestamp(_)) | ("geopoint", Value::GeoPoint(_)) => {
                Some(value.clone())
            }
            ("documentReference", Value::String(path)) => Some(Value::Reference(path.clone())),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::sources::firestore::json::limits::MAX_DOCUMENT_BYTES;

    #[test]
    fn document_size_is_limited() {
        let json = r#"[1, "text", {"a": null}]"#;
        let tokens = 8;
        let size = u64::try_from(json.len()).unwrap() + tokens * VALUE_BYTES;
        let read = |mut remaining| {
            let mut tokens = JsonTokens::new(json.as_bytes());
            ValueReader::new(&mut tokens, &mut remaining).value()
        };
        assert!(read(size).is_ok());
        assert!(matches!(read(size - 1), Err(JsonError::Document)));
    }

    #[test]
    fn endless_array_is_abandoned_early() {
        for (start, element) in [("[", "0,"), ("[", "[],"), ("[", "null,")] {
            let endless = start.as_bytes().chain(Repeated::of(element));
            let mut tokens = JsonTokens::new(endless);
            let mut remaining = MAX_DOCUMENT_BYTES;
            let read = ValueReader::new(&mut tokens, &mut remaining).value();
            assert!(matches!(read, Err(JsonError::Document)));
            assert!(tokens.offset() <= MAX_DOCUMENT_BYTES / 4, "{element}");
        }
    }

    /// A text without end.
    struct Repeated {
        text: &'static [u8],
        position: usize,
    }

    impl Repeated {
        fn of(text: &'static str) -> Self {
            Self {
                text: text.as_bytes(),
                position: 0,
            }
        }
    }

    impl Read for Repeated {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            for byte in &mut *buffer {
                *byte = self.text[self.position];
                self.position = (self.position + 1) % self.text.len();
            }
            Ok(buffer.len())
        }
    }
}
