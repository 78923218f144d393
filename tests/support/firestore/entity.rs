//! Encodes documents as `EntityProto`s, as the emulator does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;

/// Encoded protobuf message.
#[derive(Default)]
pub struct Message(pub Vec<u8>);

impl Message {
    pub fn varint(mut self, field: u64, number: u64) -> Self {
        self.tag(field, 0);
        self.number(number);
        self
    }

    pub fn double(mut self, field: u64, number: f64) -> Self {
        self.tag(field, 1);
        self.0.extend(number.to_le_bytes());
        self
    }

    pub fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.tag(field, 2);
        self.number(u64::try_from(bytes.len()).unwrap());
        self.0.extend(bytes);
        self
    }

    pub fn group(mut self, field: u64, fields: &Self) -> Self {
        self.tag(field, 3);
        self.0.extend(&fields.0);
        self.tag(field, 4);
        self
    }

    fn tag(&mut self, field: u64, wire: u64) {
        self.number(field << 3 | wire);
    }

    fn number(&mut self, mut number: u64) {
        loop {
            let bits = u8::try_from(number & 0x7f).unwrap();
            number >>= 7;
            if number == 0 {
                self.0.push(bits);
                return;
            }
            self.0.push(bits | 0x80);
        }
    }
}

/// Encodes a document as a record.
pub fn entity(path: &str, fields: &Value) -> Vec<u8> {
    let segments: Vec<&str> = path.split('/').collect();
    let elements = segments.chunks_exact(2);
    let path = elements.fold(Message::default(), |path, element| {
        let step = Message::default().bytes(2, element[0].as_bytes());
        path.group(1, &id(step, element[1], [3, 4]))
    });
    let key = Message::default()
        .bytes(13, b"dev~demo-clarity")
        .bytes(14, &path.0);
    let entity = Message::default().bytes(13, &key.0);
    with_fields(entity, fields).bytes(16, &path.0).0
}

/// Adds an id: a numeric one to the field `number`, others to the field `name`.
fn id(message: Message, id: &str, [number, name]: [u64; 2]) -> Message {
    let digits = id.strip_prefix("__id").and_then(|id| id.strip_suffix("__"));
    match digits {
        Some(digits) => message.varint(number, digits.parse::<i64>().unwrap().cast_unsigned()),
        None => message.bytes(name, id.as_bytes()),
    }
}

fn with_fields(mut entity: Message, fields: &Value) -> Message {
    for (name, value) in fields.as_object().into_iter().flatten() {
        let (kind, inner) = single(value);
        if kind != "arrayValue" {
            entity = entity.bytes(15, &property(name, value, false).0);
            continue;
        }
        let elements = inner["values"].as_array().cloned().unwrap_or_default();
        if elements.is_empty() {
            let empty = Message::default().varint(1, 24).bytes(3, name.as_bytes());
            entity = entity.bytes(14, &empty.varint(4, 0).bytes(5, b"").0);
        }
        for element in elements {
            entity = entity.bytes(15, &property(name, &element, true).0);
        }
    }
    entity
}

fn single(value: &Value) -> (&str, &Value) {
    let (kind, inner) = value.as_object().unwrap().iter().next().unwrap();
    (kind, inner)
}

fn property(name: &str, value: &Value, is_element: bool) -> Message {
    let (kind, inner) = single(value);
    let text = || inner.as_str().unwrap();
    let none = Message::default();
    let (meaning, value) = match kind {
        "nullValue" => (None, none),
        "booleanValue" => (None, none.varint(2, inner.as_bool().unwrap().into())),
        "integerValue" => {
            let number: i64 = text().parse().unwrap();
            (None, none.varint(1, number.cast_unsigned()))
        }
        "doubleValue" => (None, none.double(4, double(inner))),
        "timestampValue" => {
            let instant: Timestamp = text().parse().unwrap();
            (
                Some(7),
                none.varint(1, instant.as_microsecond().cast_unsigned()),
            )
        }
        "stringValue" => (None, none.bytes(3, text().as_bytes())),
        "bytesValue" => (Some(14), none.bytes(3, &STANDARD.decode(text()).unwrap())),
        "referenceValue" => (None, none.group(12, &reference(text()))),
        "geoPointValue" => {
            let degrees = |name: &str| inner[name].as_f64().unwrap_or_default();
            let point = Message::default().double(6, degrees("latitude"));
            (
                Some(9),
                none.group(5, &point.double(7, degrees("longitude"))),
            )
        }
        "mapValue" => {
            let key = Message::default().bytes(13, b"").bytes(14, b"");
            let map = Message::default().bytes(13, &key.0);
            let map = with_fields(map, &inner["fields"]).bytes(16, b"");
            (Some(19), none.bytes(3, &map.0))
        }
        other => panic!("not a Firestore type inside an array or a map: {other}"),
    };
    let property = Message::default();
    let property = match meaning {
        Some(meaning) => property.varint(1, meaning),
        None => property,
    };
    property
        .bytes(3, name.as_bytes())
        .varint(4, is_element.into())
        .bytes(5, &value.0)
}

fn double(value: &Value) -> f64 {
    match value.as_str() {
        None => value.as_f64().unwrap(),
        Some("NaN") => f64::NAN,
        Some("Infinity") => f64::INFINITY,
        Some("-Infinity") => f64::NEG_INFINITY,
        Some(other) => panic!("not a number: {other}"),
    }
}

fn reference(name: &str) -> Message {
    let segments: Vec<&str> = name.split('/').collect();
    let [
        "projects",
        project,
        "databases",
        "(default)",
        "documents",
        path @ ..,
    ] = &*segments
    else {
        panic!("not the full name of a document: {name}");
    };
    let app = Message::default().bytes(13, format!("dev~{project}").as_bytes());
    path.chunks_exact(2).fold(app, |reference, element| {
        let step = Message::default().bytes(15, element[0].as_bytes());
        reference.group(14, &id(step, element[1], [16, 17]))
    })
}
