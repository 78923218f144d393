//! Lists over items that cannot be decoded.

use clarity_backend::store::{DynamoDbSettings, put_batch};

use super::raw::{client, create_table_without_index, text};
use crate::backend::{Backend, DynamoDb, connect_to_local, dynamodb_settings};
use crate::samples::series;
use crate::support::dynamodb_local::DynamoDbLocal;
use crate::unreadable::{COUNT, check_lists, unreadable_ids};

/// Checks lists of the table with the service's and the SDK's parser.
async fn check(settings: &DynamoDbSettings) {
    let readings = series("someone", COUNT);
    let store = connect_to_local(settings).await;
    for outcome in put_batch(&store, readings.clone()).await {
        outcome.unwrap();
    }
    for id in unreadable_ids(&readings) {
        client()
            .update_item()
            .table_name(&settings.table)
            .key("user_id", text("someone"))
            .key("data_id", text(&id.to_string()))
            .update_expression("SET created_at = :unreadable")
            .expression_attribute_values(":unreadable", text("yesterday"))
            .send()
            .await
            .unwrap();
    }
    for fast_query_parser in [true, false] {
        let settings = DynamoDbSettings {
            fast_query_parser,
            ..settings.clone()
        };
        let store = connect_to_local(&settings).await;
        check_lists(&store, &readings).await;
    }
}

#[tokio::test]
async fn unreadable_item_does_not_hide_others() {
    check(DynamoDb::new().await.settings()).await;
}

#[tokio::test]
async fn unreadable_item_does_not_hide_others_without_index() {
    let settings = dynamodb_settings(DynamoDbLocal::shared().endpoint());
    create_table_without_index(&settings).await;
    check(&settings).await;
}
