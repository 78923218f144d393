//! Access to the table without the store.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ScalarAttributeType,
};

use clarity_backend::store::DynamoDbSettings;

use crate::backend::{Backend, DynamoDb};
pub use crate::dynamodb_client::client;

pub type Item = HashMap<String, AttributeValue>;

pub fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub fn number(text: &str) -> AttributeValue {
    AttributeValue::N(text.to_owned())
}

pub fn map<const N: usize>(members: [(&str, AttributeValue); N]) -> Item {
    HashMap::from(members.map(|(name, value)| (name.to_owned(), value)))
}

/// Creates a store whose table contains these items.
pub async fn store_with(items: impl IntoIterator<Item = Item>) -> DynamoDb {
    let backend = DynamoDb::new().await;
    let client = client();
    for item in items {
        client
            .put_item()
            .table_name(backend.table())
            .set_item(Some(item))
            .send()
            .await
            .unwrap();
    }
    backend
}

/// Returns all items of the table.
pub async fn items(backend: &DynamoDb) -> Vec<Item> {
    let scan = client().scan().table_name(backend.table());
    scan.send().await.unwrap().items.unwrap_or_default()
}

pub fn definition(name: &str) -> AttributeDefinition {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(ScalarAttributeType::S)
        .build()
        .unwrap()
}

pub fn element(name: &str, role: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder()
        .attribute_name(name)
        .key_type(role)
        .build()
        .unwrap()
}

/// Creates a table without the index.
pub async fn create_table_without_index(settings: &DynamoDbSettings) {
    client()
        .create_table()
        .table_name(&settings.table)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(definition("user_id"))
        .attribute_definitions(definition("data_id"))
        .key_schema(element("user_id", KeyType::Hash))
        .key_schema(element("data_id", KeyType::Range))
        .send()
        .await
        .unwrap();
}
