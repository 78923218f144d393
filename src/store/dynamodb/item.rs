//! A reading as an item of the table.
//!
//! `user_id` S and `data_id` S are the key, `type_key` S (`user_id#data_type`)
//! and `data_id` that of the index `by-type`; `data_type` S, `value` N,
//! `timestamp` S and `created_at` S as answered, `metadata` M, and where given
//! `unit` S, `client_record_id` S, `client_record_version` N.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde_json::Value;

use crate::domain::{
    ClientRecord, DataType, Invalid, Measurement, MeasurementTime, Metadata, Reading, ReadingId,
    RecordVersion, UserId,
};
use crate::store::StoreError;

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) const USER_ID: &str = "user_id";
pub(super) const DATA_ID: &str = "data_id";
pub(super) const CLIENT_RECORD_VERSION: &str = "client_record_version";
pub(super) const TYPE_KEY: &str = "type_key";
pub(super) const DATA_TYPE: &str = "data_type";
const VALUE: &str = "value";
const TIMESTAMP: &str = "timestamp";
const UNIT: &str = "unit";
const METADATA: &str = "metadata";
const CLIENT_RECORD_ID: &str = "client_record_id";
const CREATED_AT: &str = "created_at";

/// The item of a reading.
pub(super) fn encode(reading: &Reading) -> Item {
    let measurement = &reading.measurement;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let mut item = HashMap::with_capacity(11);
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

/// The partition of the index by type. No user id holds the character between.
pub(super) fn type_key(user_id: &UserId, data_type: &DataType) -> String {
    format!("{}#{}", user_id.as_str(), data_type.as_str())
}

/// The item's sort key, if it is the id of a reading.
pub(super) fn reading_id(item: &Item) -> Option<ReadingId> {
    match item.get(DATA_ID) {
        Some(AttributeValue::S(id)) => id.parse().ok(),
        _ => None,
    }
}

/// The reading in an item.
pub(super) fn decode(item: Item) -> Result<Reading, StoreError> {
    Attributes(item).into_reading().map_err(StoreError::corrupt)
}

/// The attributes of an item that have not been read yet.
struct Attributes(Item);

impl Attributes {
    fn into_reading(mut self) -> Result<Reading, Invalid> {
        let client_record = match self.text_if_present(CLIENT_RECORD_ID)? {
            None => None,
            Some(id) => Some(ClientRecord {
                id: id.parse()?,
                version: RecordVersion::try_from(
                    self.number(CLIENT_RECORD_VERSION)?
                        .parse::<u64>()
                        .map_err(|_| unreadable(CLIENT_RECORD_VERSION))?,
                )?,
            }),
        };
        Ok(Reading {
            id: self.text(DATA_ID)?.parse()?,
            created_at: self
                .text(CREATED_AT)?
                .parse::<Timestamp>()
                .map_err(|_| unreadable(CREATED_AT))?,
            measurement: Measurement {
                user_id: self.text(USER_ID)?.parse()?,
                data_type: self.text(DATA_TYPE)?.parse()?,
                value: self.number(VALUE)?.parse()?,
                timestamp: MeasurementTime::parse_any(&self.text(TIMESTAMP)?)?,
                unit: self
                    .text_if_present(UNIT)?
                    .map(|unit| unit.parse())
                    .transpose()?,
                metadata: match self.0.remove(METADATA) {
                    None => Metadata::default(),
                    Some(attribute) => decode_metadata(&attribute)?,
                },
                client_record,
            },
        })
    }

    fn text(&mut self, name: &'static str) -> Result<String, Invalid> {
        self.text_if_present(name)?.ok_or_else(|| unreadable(name))
    }

    fn text_if_present(&mut self, name: &'static str) -> Result<Option<String>, Invalid> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(AttributeValue::S(text)) => Ok(Some(text)),
            Some(_) => Err(unreadable(name)),
        }
    }

    fn number(&mut self, name: &'static str) -> Result<String, Invalid> {
        match self.0.remove(name) {
            Some(AttributeValue::N(number)) => Ok(number),
            _ => Err(unreadable(name)),
        }
    }
}

fn unreadable(attribute: &'static str) -> Invalid {
    Invalid::because(format!(
        "the attribute {attribute} of an item is unreadable"
    ))
}

fn encode_metadata(metadata: &Metadata) -> AttributeValue {
    // Metadata are JSON by construction.
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

fn decode_metadata(attribute: &AttributeValue) -> Result<Metadata, Invalid> {
    let mut json = String::new();
    write_json(attribute, &mut json)?;
    Metadata::parse(&json)
}

/// Appends the attribute as JSON, which [`Metadata::parse`] brings in order.
pub(super) fn write_json(attribute: &AttributeValue, json: &mut String) -> Result<(), Invalid> {
    match attribute {
        AttributeValue::Null(_) => json.push_str("null"),
        AttributeValue::Bool(true) => json.push_str("true"),
        AttributeValue::Bool(false) => json.push_str("false"),
        AttributeValue::S(text) => write_string(text, json),
        AttributeValue::N(number) => {
            json.push_str(number);
            // DynamoDB writes a large double's digits out, like an integer's.
            if number.parse::<i64>().is_err()
                && number.parse::<u64>().is_err()
                && !number.contains(['.', 'e', 'E'])
            {
                json.push_str("e0");
            }
        }
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
