//! Names of the table's attributes and of its index.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

/// An item of the table, or a part of one, by attribute name.
pub(super) type AttributeMap = HashMap<String, AttributeValue>;

/// Partition key of the table.
pub(super) const USER_ID: &str = "user_id";
/// Sort key of the table and of the index.
pub(super) const DATA_ID: &str = "data_id";
/// Partition key of the index: `user_id#data_type`.
pub(super) const TYPE_KEY: &str = "type_key";
pub(super) const DATA_TYPE: &str = "data_type";
pub(super) const VALUE: &str = "value";
pub(super) const TIMESTAMP: &str = "timestamp";
pub(super) const UNIT: &str = "unit";
pub(super) const METADATA: &str = "metadata";
pub(super) const CLIENT_RECORD_ID: &str = "client_record_id";
pub(super) const CLIENT_RECORD_VERSION: &str = "client_record_version";
pub(super) const CREATED_AT: &str = "created_at";
/// Mark of the write that stored the item.
pub(super) const MARK: &str = "mark";

/// Global secondary index of readings by user and data type.
pub(super) const TYPE_INDEX: &str = "by-type";
