//! Conversion between readings and items of the table.
//!
//! `user_id` (S) and `data_id` (S) are the key of the table; `type_key` (S,
//! `user_id#data_type`) and `data_id` that of the index `by-type`. The other attributes
//! are `data_type` (S), `value` (N), `timestamp` (S), `created_at` (S), `mark` (N),
//! `metadata` (M), and optionally `unit` (S), `client_record_id` (S) and `client_record_version` (N).

use std::borrow::Cow;
use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde_json::Value;

use super::attribute::{Attribute, ItemAttributes};
use super::schema::{
    AttributeMap, CLIENT_RECORD_ID, CLIENT_RECORD_VERSION, CREATED_AT, DATA_ID, DATA_TYPE, MARK,
    METADATA, TIMESTAMP, TYPE_KEY, UNIT, USER_ID, VALUE,
};
use super::write_mark::WriteMark;
use crate::domain::{
    CanonicalWriter, ClientRecord, DataType, Measurement, MeasurementTime, Metadata, Reading,
    ReadingId, RecordVersion, UserId, ValidationError,
};
use crate::store::StoreError;

/// Encodes a reading, with a mark of its own.
pub(super) fn encode(reading: &Reading) -> AttributeMap {
    let measurement = &reading.measurement;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let mut item = HashMap::with_capacity(12);
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set(USER_ID, text(measurement.user_id.as_str()));
    set(DATA_ID, AttributeValue::S(reading.id.to_string()));
    set(
        TYPE_KEY,
        AttributeValue::S(type_key(&measurement.user_id, &measurement.data_type)),
    );
    set(DATA_TYPE, text(measurement.data_type.as_str()));
    set(VALUE, AttributeValue::N(measurement.value.to_string()));
    set(
        TIMESTAMP,
        AttributeValue::S(measurement.timestamp.to_string()),
    );
    set(METADATA, encode_metadata(&measurement.metadata));
    set(
        CREATED_AT,
        AttributeValue::S(format!("{:.3}", reading.created_at)),
    );
    set(MARK, WriteMark::new().to_attribute());
    if let Some(unit) = &measurement.unit {
        set(UNIT, text(unit.as_str()));
    }
    if let Some(record) = &measurement.client_record {
        set(CLIENT_RECORD_ID, text(record.id.as_str()));
        set(
            CLIENT_RECORD_VERSION,
            AttributeValue::N(record.version.get().to_string()),
        );
    }
    item
}

/// Returns the partition key of the index by type. User ids do not contain `#`.
pub(super) fn type_key(user_id: &UserId, data_type: &DataType) -> String {
    format!("{}#{}", user_id.as_str(), data_type.as_str())
}

/// Parses the sort key, if it is the id of a reading.
pub(super) fn reading_id(item: &AttributeMap) -> Option<ReadingId> {
    match item.get(DATA_ID) {
        Some(AttributeValue::S(id)) => id.parse().ok(),
        _ => None,
    }
}

/// Decodes a reading.
pub(super) fn decode(item: ItemAttributes<'_>) -> Result<Reading, StoreError> {
    into_reading(item).map_err(StoreError::corrupt)
}

fn into_reading(item: ItemAttributes<'_>) -> Result<Reading, ValidationError> {
    let client_record = match text_if_present(CLIENT_RECORD_ID, &item.client_record_id)? {
        None => None,
        Some(id) => Some(ClientRecord {
            id: id.parse()?,
            version: RecordVersion::try_from(
                number(CLIENT_RECORD_VERSION, &item.client_record_version)?
                    .parse::<u64>()
                    .map_err(|_| unreadable(CLIENT_RECORD_VERSION))?,
            )?,
        }),
    };
    Ok(Reading {
        id: text(DATA_ID, &item.data_id)?.parse()?,
        created_at: text(CREATED_AT, &item.created_at)?
            .parse::<Timestamp>()
            .map_err(|_| unreadable(CREATED_AT))?,
        measurement: Measurement {
            user_id: text(USER_ID, &item.user_id)?.parse()?,
            data_type: text(DATA_TYPE, &item.data_type)?.parse()?,
            value: number(VALUE, &item.value)?.parse()?,
            timestamp: MeasurementTime::parse_any(text(TIMESTAMP, &item.timestamp)?)?,
            unit: text_if_present(UNIT, &item.unit)?
                .map(str::parse)
                .transpose()?,
            metadata: match &item.metadata {
                None => Metadata::default(),
                Some(attribute) => {
                    Metadata::write(|canonical| write_canonical(attribute, canonical))?
                }
            },
            client_record,
        },
    })
}

fn text<'a>(
    name: &'static str,
    attribute: &'a Option<Attribute<'_>>,
) -> Result<&'a str, ValidationError> {
    text_if_present(name, attribute)?.ok_or_else(|| unreadable(name))
}

fn text_if_present<'a>(
    name: &'static str,
    attribute: &'a Option<Attribute<'_>>,
) -> Result<Option<&'a str>, ValidationError> {
    match attribute {
        None => Ok(None),
        Some(Attribute::Text(text)) => Ok(Some(text)),
        Some(_) => Err(unreadable(name)),
    }
}

fn number<'a>(
    name: &'static str,
    attribute: &'a Option<Attribute<'_>>,
) -> Result<&'a str, ValidationError> {
    match attribute {
        Some(Attribute::Number(number)) => Ok(number),
        _ => Err(unreadable(name)),
    }
}

fn unreadable(attribute: &'static str) -> ValidationError {
    ValidationError::new(format!(
        "attribute {attribute} of an item cannot be decoded"
    ))
}

fn encode_metadata(metadata: &Metadata) -> AttributeValue {
    // Metadata is valid JSON by construction.
    let value = serde_json::from_str(metadata.as_str()).unwrap_or_default();
    encode_json(value)
}

fn encode_json(value: Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(bool) => AttributeValue::Bool(bool),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(string) => AttributeValue::S(string),
        Value::Array(elements) => {
            AttributeValue::L(elements.into_iter().map(encode_json).collect())
        }
        Value::Object(members) => AttributeValue::M(
            members
                .into_iter()
                .map(|(name, value)| (name, encode_json(value)))
                .collect(),
        ),
    }
}

/// Writes the canonical form of an attribute that [`encode_metadata`] made.
fn write_canonical(
    attribute: &Attribute<'_>,
    canonical: &mut CanonicalWriter,
) -> Result<(), ValidationError> {
    match attribute {
        Attribute::Null(_) => canonical.null(),
        Attribute::Boolean(boolean) => canonical.boolean(*boolean),
        Attribute::Text(text) => canonical.string(text),
        Attribute::Number(number) => canonical.number(&as_json_number(number))?,
        Attribute::List(elements) => canonical.array(elements, |canonical, element| {
            write_canonical(element, canonical)
        })?,
        Attribute::Map(members) => {
            let members = members.iter().map(|(name, member)| (&*name.0, member));
            canonical.object(members, |canonical, member| {
                write_canonical(member, canonical)
            })?;
        }
        Attribute::Foreign(_) => return Err(unreadable(METADATA)),
    }
    Ok(())
}

/// Converts a DynamoDB number to a JSON number. DynamoDB writes out all digits of a
/// large double, which would read as an integer.
fn as_json_number(number: &str) -> Cow<'_, str> {
    if number.parse::<i64>().is_err()
        && number.parse::<u64>().is_err()
        && !number.contains(['.', 'e', 'E'])
    {
        format!("{number}e0").into()
    } else {
        number.into()
    }
}

/// Appends the attribute as JSON.
pub(super) fn write_json(
    attribute: &AttributeValue,
    json: &mut String,
) -> Result<(), ValidationError> {
    match attribute {
        AttributeValue::Null(_) => json.push_str("null"),
        AttributeValue::Bool(true) => json.push_str("true"),
        AttributeValue::Bool(false) => json.push_str("false"),
        AttributeValue::S(text) => write_string(text, json),
        AttributeValue::N(number) => json.push_str(&as_json_number(number)),
        AttributeValue::L(elements) => {
            json.push('[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    json.push(',');
                }
                write_json(element, json)?;
            }
            json.push(']');
        }
        AttributeValue::M(members) => {
            json.push('{');
            for (index, (name, member)) in members.iter().enumerate() {
                if index > 0 {
                    json.push(',');
                }
                write_string(name, json);
                json.push(':');
                write_json(member, json)?;
            }
            json.push('}');
        }
        _ => return Err(unreadable(METADATA)),
    }
    Ok(())
}

fn write_string(text: &str, json: &mut String) {
    json.push_str(&Value::from(text).to_string());
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// Returns the wire format of DynamoDB.
    fn to_wire(value: &AttributeValue) -> Value {
        match value {
            AttributeValue::S(text) => json!({"S": text}),
            AttributeValue::N(number) => json!({"N": number}),
            AttributeValue::Bool(bool) => json!({"BOOL": bool}),
            AttributeValue::Null(_) => json!({"NULL": true}),
            AttributeValue::Ss(texts) => json!({"SS": texts}),
            AttributeValue::L(elements) => {
                json!({"L": elements.iter().map(to_wire).collect::<Vec<_>>()})
            }
            AttributeValue::M(members) => {
                let members = members.iter();
                let members = members.map(|(name, value)| (name.clone(), to_wire(value)));
                json!({"M": members.collect::<serde_json::Map<_, _>>()})
            }
            other => panic!("{other:?} is not made here"),
        }
    }

    /// Parses the metadata as if a client had sent it.
    fn parsed_json(value: &AttributeValue) -> Option<Metadata> {
        let mut json = String::new();
        write_json(value, &mut json).ok()?;
        Metadata::parse(&json).ok()
    }

    fn decoded(attribute: &Attribute<'_>) -> Option<Metadata> {
        Metadata::write(|canonical| write_canonical(attribute, canonical)).ok()
    }

    fn any_number() -> impl Strategy<Value = String> {
        prop_oneof![
            20 => any::<i64>().prop_map(|number| number.to_string()),
            20 => any::<u64>().prop_map(|number| number.to_string()),
            20 => "-?[1-9][0-9]{0,39}",
            20 => r"-?(0|[1-9][0-9]{0,20})\.[0-9]{0,20}[1-9]",
            20 => r"-?[1-9](\.[0-9]{0,15}[1-9])?[eE][+-]?[1-9][0-9]?",
            5 => Just("0".to_owned()),
            1 => Just("1e400".to_owned()),
        ]
    }

    fn any_value() -> impl Strategy<Value = AttributeValue> {
        let leaf = prop_oneof![
            20 => any_number().prop_map(AttributeValue::N),
            20 => any::<String>().prop_map(AttributeValue::S),
            5 => any::<bool>().prop_map(AttributeValue::Bool),
            5 => Just(AttributeValue::Null(true)),
            1 => Just(AttributeValue::Ss(vec!["a".to_owned()])),
        ];
        leaf.prop_recursive(20, 30, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
                any_members(inner).prop_map(AttributeValue::M),
            ]
        })
    }

    fn any_members(
        value: impl Strategy<Value = AttributeValue>,
    ) -> impl Strategy<Value = HashMap<String, AttributeValue>> {
        let name = prop_oneof![50 => "[a-cé😀\"\\\\\n]{1,3}", 1 => Just(String::new())];
        prop::collection::hash_map(name, value, 0..4)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn decoded_metadata_equals_parsed_json(
            value in prop_oneof![
                9 => any_members(any_value()).prop_map(AttributeValue::M),
                1 => any_value(),
            ],
        ) {
            let expected = parsed_json(&value);
            prop_assert_eq!(&decoded(&Attribute::from(&value)), &expected);
            let text = to_wire(&value).to_string();
            let read: Attribute<'_> = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&decoded(&read), &expected);
        }
    }
}
