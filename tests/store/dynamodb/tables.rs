//! Creation of the table, and errors if it is missing or differs.

use aws_sdk_dynamodb::types::{BillingMode, KeyType, ProjectionType};
use clarity_backend::store::{DynamoDbStore, ReadingStore, StoreError};

use super::raw::{self, definition, element};
use crate::backend::{Backend, DynamoDb, connect_to_local, dynamodb_settings};
use crate::concurrency::run_concurrently;
use crate::samples::{all_of, measurement, reading};
use crate::support::dynamodb_local::DynamoDbLocal;

#[tokio::test]
async fn created_table_has_the_documented_schema() {
    let backend = DynamoDb::new().await;
    let description = raw::client()
        .describe_table()
        .table_name(backend.table())
        .send()
        .await
        .unwrap()
        .table
        .unwrap();
    assert_eq!(
        description.key_schema(),
        [
            element("user_id", KeyType::Hash),
            element("data_id", KeyType::Range)
        ]
    );
    let mut definitions = description.attribute_definitions().to_vec();
    definitions.sort_by(|left, right| left.attribute_name().cmp(right.attribute_name()));
    assert_eq!(
        definitions,
        ["data_id", "type_key", "user_id"].map(definition)
    );
    let [index] = description.global_secondary_indexes() else {
        panic!("one index");
    };
    assert_eq!(index.index_name(), Some("by-type"));
    assert_eq!(
        index.key_schema(),
        [
            element("type_key", KeyType::Hash),
            element("data_id", KeyType::Range)
        ]
    );
    let projection = index.projection().unwrap();
    assert_eq!(projection.projection_type(), Some(&ProjectionType::All));
    let billing = description.billing_mode_summary().unwrap();
    assert_eq!(billing.billing_mode(), Some(&BillingMode::PayPerRequest));
}

#[tokio::test]
async fn existing_table_is_retained() {
    let settings = dynamodb_settings(DynamoDbLocal::shared().endpoint());
    let store = connect_to_local(&settings).await;
    for outcome in run_concurrently((0..4).map(|_| store.create_table_if_missing())).await {
        outcome.unwrap();
    }
    let reading = reading(measurement("someone", "2024-01-15T10:30:00Z"));
    store.put(reading.clone()).await.unwrap();
    store.create_table_if_missing().await.unwrap();
    let page = store.list(&all_of("someone")).await.unwrap();
    assert_eq!(page.readings, [reading]);
}

/// Every operation reports a misconfiguration that names the table.
async fn assert_misconfigured(store: &DynamoDbStore, table: &str) {
    let reading = reading(measurement("someone", "2024-01-15T10:30:00Z"));
    let user_id = &reading.measurement.user_id;
    for (operation, fault) in [
        ("check", store.check().await.err()),
        ("get", store.get(user_id, reading.id).await.err()),
        ("delete", store.delete(user_id, reading.id).await.err()),
        ("list", store.list(&all_of("someone")).await.err()),
        ("put", store.put(reading.clone()).await.err()),
    ] {
        let Some(fault @ StoreError::Misconfigured { .. }) = fault else {
            panic!("{operation}: {fault:?}");
        };
        assert!(!fault.is_retryable());
        assert!(fault.to_string().contains(table), "{operation}: {fault}");
    }
}

#[tokio::test]
async fn missing_table_is_named() {
    let settings = dynamodb_settings(DynamoDbLocal::shared().endpoint());
    let store = connect_to_local(&settings).await;
    assert_misconfigured(&store, &settings.table).await;
}

#[tokio::test]
async fn table_with_another_key_is_named() {
    let settings = dynamodb_settings(DynamoDbLocal::shared().endpoint());
    raw::client()
        .create_table()
        .table_name(&settings.table)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(definition("id"))
        .key_schema(element("id", KeyType::Hash))
        .send()
        .await
        .unwrap();
    let store = connect_to_local(&settings).await;
    assert_misconfigured(&store, &settings.table).await;
}
