//! Attributes of an item, parsed from DynamoDB's JSON or borrowed from the SDK's types.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::schema::{
    AttributeMap, CLIENT_RECORD_ID, CLIENT_RECORD_VERSION, CREATED_AT, DATA_ID, DATA_TYPE,
    METADATA, TIMESTAMP, TYPE_KEY, UNIT, USER_ID, VALUE,
};

/// An attribute value that borrows its strings.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html>
#[derive(Deserialize)]
pub(super) enum Attribute<'a> {
    #[serde(rename = "S")]
    Text(#[serde(borrow)] Cow<'a, str>),
    #[serde(rename = "N")]
    Number(#[serde(borrow)] Cow<'a, str>),
    #[serde(rename = "BOOL")]
    Boolean(bool),
    #[serde(rename = "NULL")]
    Null(IgnoredAny),
    #[serde(rename = "L")]
    List(#[serde(borrow)] Vec<Attribute<'a>>),
    #[serde(rename = "M")]
    Map(#[serde(borrow)] BTreeMap<MapKey<'a>, Attribute<'a>>),
    /// Binary data or a set, which no reading has.
    #[serde(rename = "B", alias = "BS", alias = "NS", alias = "SS")]
    Foreign(IgnoredAny),
}

/// Name of a map member.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MapKey<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl<'a> From<&'a AttributeValue> for Attribute<'a> {
    fn from(value: &'a AttributeValue) -> Self {
        match value {
            AttributeValue::S(text) => Self::Text(text.into()),
            AttributeValue::N(number) => Self::Number(number.into()),
            AttributeValue::Bool(boolean) => Self::Boolean(*boolean),
            AttributeValue::Null(_) => Self::Null(IgnoredAny),
            AttributeValue::L(elements) => Self::List(elements.iter().map(Self::from).collect()),
            AttributeValue::M(members) => Self::Map(
                members
                    .iter()
                    .map(|(name, value)| (MapKey(name.into()), value.into()))
                    .collect(),
            ),
            _ => Self::Foreign(IgnoredAny),
        }
    }
}

/// The attributes of a reading's item. Unknown ones are ignored.
#[derive(Deserialize)]
pub(super) struct ItemAttributes<'a> {
    #[serde(borrow)]
    pub(super) user_id: Option<Attribute<'a>>,
    #[serde(borrow)]
    pub(super) data_id: Option<Attribute<'a>>,
    #[serde(borrow)]
    pub(super) type_key: Option<Attribute<'a>>,
    #[serde(borrow)]
    pub(super) data_type: Option<Attribute<'a>>,
    #[serde(borrow)]
    pub(super) value: Option<Attribute<'a>>,
    #[serde(borrow)]
    pub(super) timestamp: Option<Attribute<'a>>,
    #[serde(borrow)]
    pub(super) unit: Option<Attribute<'a>>,
    #[serde(borrow)]
    pub(super) metadata: Option<Attribute<'a>>,
    #[serde(borrow)]
    pub(super) client_record_id: Option<Attribute<'a>>,
    #[serde(borrow)]
    pub(super) client_record_version: Option<Attribute<'a>>,
    #[serde(borrow)]
    pub(super) created_at: Option<Attribute<'a>>,
}

impl<'a> From<&'a AttributeMap> for ItemAttributes<'a> {
    fn from(item: &'a AttributeMap) -> Self {
        let get = |name| item.get(name).map(Attribute::from);
        Self {
            user_id: get(USER_ID),
            data_id: get(DATA_ID),
            type_key: get(TYPE_KEY),
            data_type: get(DATA_TYPE),
            value: get(VALUE),
            timestamp: get(TIMESTAMP),
            unit: get(UNIT),
            metadata: get(METADATA),
            client_record_id: get(CLIENT_RECORD_ID),
            client_record_version: get(CLIENT_RECORD_VERSION),
            created_at: get(CREATED_AT),
        }
    }
}
