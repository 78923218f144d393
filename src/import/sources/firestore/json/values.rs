//! Values as the tools write them: JSON's own, and objects that stand for
//! Firestore's other types.

use std::collections::BTreeMap;
use std::io::Read;

use jiff::Timestamp;

use super::events::{Event, Events, JsonError};
use crate::import::sources::firestore::value::{GeoPoint, MAX_DEPTH, Value};

/// Reads values of documents.
pub(super) struct Values<'a, R> {
    events: &'a mut Events<R>,
    /// How far the document may go.
    end: u64,
}

impl<'a, R: Read> Values<'a, R> {
    /// For a document that may take `left` more bytes.
    pub(super) fn of(events: &'a mut Events<R>, left: u64) -> Self {
        let end = events.offset().saturating_add(left);
        Self { events, end }
    }

    /// The value that comes next.
    pub(super) fn value(&mut self) -> Result<Value, JsonError> {
        let event = self.event()?;
        self.value_from(event, 1)
    }

    /// The value that begins with an event already taken.
    pub(super) fn value_from_event(&mut self, event: Event) -> Result<Value, JsonError> {
        self.value_from(event, 1)
    }

    /// The rest of an object that has begun; `first` is a key already taken.
    pub(super) fn object(&mut self, first: Option<Event>) -> Result<Value, JsonError> {
        self.map(first, 1).map(special)
    }

    /// The rest of an object that is a document or its data.
    pub(super) fn fields(&mut self) -> Result<BTreeMap<String, Value>, JsonError> {
        self.map(None, 0)
    }

    fn event(&mut self) -> Result<Event, JsonError> {
        let event = self.events.next()?;
        if self.events.offset() > self.end {
            return Err(JsonError::Document);
        }
        Ok(event)
    }

    fn value_from(&mut self, event: Event, depth: usize) -> Result<Value, JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError::Depth);
        }
        Ok(match event {
            Event::Null => Value::Null,
            Event::Boolean(bit) => Value::Boolean(bit),
            Event::String(text) => Value::String(text),
            Event::Number(digits) => number(&digits)?,
            Event::StartArray => self.array(depth)?,
            Event::StartObject => special(self.map(None, depth)?),
            Event::EndArray | Event::EndObject | Event::Key(_) | Event::End => {
                return Err(JsonError::Syntax);
            }
        })
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        let mut elements = Vec::new();
        loop {
            match self.event()? {
                Event::EndArray => return Ok(Value::Array(elements)),
                event => elements.push(self.value_from(event, depth + 1)?),
            }
        }
    }

    fn map(
        &mut self,
        mut first: Option<Event>,
        depth: usize,
    ) -> Result<BTreeMap<String, Value>, JsonError> {
        let mut fields = BTreeMap::new();
        loop {
            let event = match first.take() {
                Some(event) => event,
                None => self.event()?,
            };
            match event {
                Event::EndObject => return Ok(fields),
                Event::Key(key) => {
                    let event = self.event()?;
                    let value = self.value_from(event, depth + 1)?;
                    if fields.insert(key, value).is_some() {
                        return Err(JsonError::Twice);
                    }
                }
                _ => return Err(JsonError::Syntax),
            }
        }
    }
}

/// Doubles without a fraction come as integers: the tools write both alike.
fn number(digits: &str) -> Result<Value, JsonError> {
    if let Ok(integer) = digits.parse() {
        return Ok(Value::Integer(integer));
    }
    let double = digits.parse().map_err(|_| JsonError::Syntax)?;
    Ok(Value::Double(double))
}

/// The value that an object stands for, if it is one of those that the tools
/// write, and else the map that it is.
fn special(fields: BTreeMap<String, Value>) -> Value {
    timestamp(&fields)
        .or_else(|| geo_point(&fields))
        .or_else(|| reference(&fields))
        .or_else(|| buffer(&fields))
        .or_else(|| tagged(&fields))
        .unwrap_or(Value::Map(fields))
}

/// The values of an object that has these keys and no others.
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

/// `firestore-export-import` writes what a reference holds in memory.
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

/// `node-firestore-import-export` and `@endran/firestore-export-import` say
/// the type. What is within has become a value already.
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

    #[test]
    fn a_document_takes_as_many_bytes_as_it_may_and_no_more() {
        let json = r#"[1, "text", {"a": null}]"#;
        let length = u64::try_from(json.len()).unwrap();
        let read = |left| {
            let mut events = Events::new(json.as_bytes());
            Values::of(&mut events, left).value()
        };
        assert!(read(length).is_ok());
        assert!(matches!(read(length - 1), Err(JsonError::Document)));
    }
}
