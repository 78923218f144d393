//! The legacy table, and DynamoDB as the store.

use std::collections::HashMap;
use std::fs;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ScalarAttributeType,
};
use tempfile::tempdir;

use super::documents::{documents, export};
use super::run::{Ran, import_with};
use crate::apple_health_export;
use crate::dynamodb_client::client;
use crate::firestore_support::FakeFirestore;
use crate::support::dynamodb_local::DynamoDbLocal;

type Item = HashMap<String, AttributeValue>;

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// Returns a row as the Python service wrote it, with the number as a string.
fn row(index: u32, value: &str) -> Item {
    let (minute, second) = (index / 60, index % 60);
    let epoch = 1_705_314_600 + index;
    HashMap::from([
        (
            "user_id".to_owned(),
            text(["jane", "john"][index as usize % 2]),
        ),
        (
            "data_id".to_owned(),
            text(&format!("heart_rate_{index:08x}_{epoch}")),
        ),
        ("data_type".to_owned(), text("heart_rate")),
        ("value".to_owned(), text(value)),
        (
            "timestamp".to_owned(),
            text(&format!("2024-01-15T10:{:02}:{second:02}", 30 + minute)),
        ),
        ("created_at".to_owned(), text("2024-01-15T11:00:00.123456")),
        (
            "metadata".to_owned(),
            AttributeValue::M(HashMap::from([("device".to_owned(), text("watch"))])),
        ),
    ])
}

/// Creates a table of the Python service with these rows.
async fn legacy_table(rows: impl IntoIterator<Item = Item>) -> String {
    let name = DynamoDbLocal::new_table_name();
    let definition = |name| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .unwrap()
    };
    let element = |name, role| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(role)
            .build()
            .unwrap()
    };
    let client = client();
    let create = client
        .create_table()
        .table_name(&name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(definition("user_id"))
        .attribute_definitions(definition("data_id"))
        .key_schema(element("user_id", KeyType::Hash))
        .key_schema(element("data_id", KeyType::Range));
    create.send().await.unwrap();
    for row in rows {
        let put = client.put_item().table_name(&name).set_item(Some(row));
        put.send().await.unwrap();
    }
    name
}

async fn items(table: &str) -> Vec<Item> {
    let scan = client().scan().table_name(table).send().await.unwrap();
    scan.items.unwrap_or_default()
}

/// Runs the command with DynamoDB Local in the environment.
async fn import(arguments: &[&str], store: &str, table: &str) -> Ran {
    import_from(arguments, store, table, None).await
}

/// Runs the command, optionally with a fake Firestore.
async fn import_from(arguments: &[&str], store: &str, table: &str, firestore: Option<&str>) -> Ran {
    let directory = tempdir().unwrap();
    let arguments: Vec<String> = arguments.iter().map(|it| (*it).to_owned()).collect();
    let variables = [
        (
            "FIRESTORE_EMULATOR_HOST".to_owned(),
            firestore.unwrap_or_default().to_owned(),
        ),
        (
            "DYNAMODB_ENDPOINT".to_owned(),
            DynamoDbLocal::shared().endpoint().to_owned(),
        ),
        ("CLARITY_STORE".to_owned(), store.to_owned()),
        ("DYNAMODB_TABLE".to_owned(), table.to_owned()),
    ];
    tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let variables: Vec<(&str, &str)> = variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        import_with(directory.path(), &arguments, &variables)
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn rows_migrate_within_their_table() {
    let rows = (0..120).map(|index| row(index, &format!("{}.5", 60 + index % 20)));
    let odd = [row(200, "n/a"), row(201, "7.2e-05")];
    let table = legacy_table(rows.chain(odd)).await;
    let arguments = ["--from-dynamodb", &table, "--segments", "3", "--verify"];
    let ran = import(&arguments, "dynamodb", &table).await;
    assert_eq!(ran.code, 0, "{}{}", ran.summary, ran.complaints);
    ran.assert_counts(121, 0, 1);
    let stored = items(&table).await;
    assert_eq!(stored.len(), 122 + 121, "the legacy rows remain");
    let new: Vec<&Item> = stored
        .iter()
        .filter(|item| item.contains_key("type_key"))
        .collect();
    assert_eq!(new.len(), 121);
    for item in new {
        assert!(matches!(item["value"], AttributeValue::N(_)));
        assert_eq!(item["created_at"], text("2024-01-15T11:00:00.123Z"));
        let AttributeValue::M(metadata) = &item["metadata"] else {
            panic!("no metadata")
        };
        assert_eq!(metadata["device"], text("watch"));
    }

    let arguments = [
        "--from-dynamodb",
        &table,
        "--delete-migrated",
        "--max-rcu",
        "100",
    ];
    let ran = import(&arguments, "dynamodb", &table).await;
    assert_eq!(ran.code, 0, "{}{}", ran.summary, ran.complaints);
    ran.assert_counts(0, 121, 1);
    assert_eq!(ran.count("legacy rows deleted", "legacy rows deleted"), 121);
    assert_eq!(ran.count("records", "readings of this service"), 121);
    let left = items(&table).await;
    let old: Vec<&Item> = left
        .iter()
        .filter(|item| !item.contains_key("type_key"))
        .collect();
    assert_eq!((left.len(), old.len()), (122, 1));
    assert_eq!(old[0]["value"], text("n/a"), "a rejected row remains");
}

#[tokio::test]
async fn rows_migrate_to_an_embedded_store() {
    let table = legacy_table((0..10).map(|index| row(index, "70"))).await;
    let endpoint = DynamoDbLocal::shared().endpoint();
    let arguments = [
        "--from-dynamodb",
        &table,
        "--endpoint",
        endpoint,
        "--verify",
    ];
    let ran = import(&arguments, "embedded", "another-table").await;
    assert_eq!(ran.code, 0, "{}{}", ran.summary, ran.complaints);
    ran.assert_counts(10, 0, 0);
    assert_eq!(items(&table).await.len(), 10);
}

#[tokio::test]
async fn files_are_imported_into_dynamodb() {
    let directory = tempdir().unwrap();
    let file = directory.path().join("in.csv");
    let rows: String = (10..60)
        .map(|second| format!("jane,steps,{second},2024-01-15T10:30:{second}Z\r\n"))
        .collect();
    fs::write(
        &file,
        format!("user_id,data_type,value,timestamp\r\n{rows}"),
    )
    .unwrap();
    let table = DynamoDbLocal::new_table_name();
    let file = file.to_str().unwrap();
    let ran = import(&[file, "--verify"], "dynamodb", &table).await;
    assert_eq!(ran.code, 0, "{}{}", ran.summary, ran.complaints);
    ran.assert_counts(50, 0, 0);
    import(&[file], "dynamodb", &table)
        .await
        .assert_counts(0, 50, 0);
    assert_eq!(items(&table).await.len(), 50);
}

#[tokio::test]
async fn missing_table_is_reported() {
    let table = DynamoDbLocal::new_table_name();
    let ran = import(&["--from-dynamodb", &table], "embedded", &table).await;
    assert_eq!(ran.code, 1);
    assert!(
        ran.complaints.contains("does not exist in this account"),
        "{}",
        ran.complaints
    );
}

#[tokio::test]
async fn every_other_source_is_imported_into_dynamodb() {
    let directory = tempdir().unwrap();
    let folder = directory.path().join("export");
    fs::create_dir(&folder).unwrap();
    export().write_to(&folder);
    let mut xml = Vec::new();
    let written = apple_health_export::write(&mut xml, 30_000, 5).unwrap();
    let health = directory.path().join("export.xml");
    fs::write(&health, xml).unwrap();
    let fake = FakeFirestore::start().await;
    for (path, fields) in documents() {
        fake.document(path, &fields);
    }
    let [folder, health] = [&folder, &health].map(|path| path.to_str().unwrap());

    let table = DynamoDbLocal::new_table_name();
    let ran = import(&[folder, "--verify"], "dynamodb", &table).await;
    assert_eq!(ran.code, 0, "{}{}", ran.summary, ran.complaints);
    ran.assert_counts(21, 0, 1);
    // The same documents, read over the API.
    let arguments = ["--firestore-project", "demo-clarity", "--verify"];
    let ran = import_from(&arguments, "dynamodb", &table, Some(fake.host())).await;
    assert_eq!(ran.code, 0, "{}{}", ran.summary, ran.complaints);
    ran.assert_counts(0, 21, 1);
    // And as JSON of a tool, of two collections.
    let lines: String = (10..40)
        .map(|second| {
            let fields = format!(
                r#"{{"user_id":"joan","data_type":"steps","value":{second},"timestamp":"2025-06-05T10:00:{second}Z"}}"#
            );
            format!("{{\"path\":\"health_data/{second}\",\"data\":{fields},\"timestamps\":[]}}\n")
        })
        .collect();
    let other = r#"{"path":"other/x","data":{"a":1},"timestamps":[]}"#;
    let json = directory.path().join("backfire.ndjson");
    fs::write(&json, format!("{lines}{other}\n")).unwrap();
    let json = json.to_str().unwrap();
    let ran = import(&[json, "--verify"], "dynamodb", &table).await;
    assert_eq!(ran.code, 0, "{}{}", ran.summary, ran.complaints);
    ran.assert_counts(30, 0, 0);
    assert_eq!(ran.count("records", "collection other"), 1);
    import(&[json], "dynamodb", &table)
        .await
        .assert_counts(0, 30, 0);

    let ran = import(&[health, "--user", "john", "--verify"], "dynamodb", &table).await;
    assert_eq!(ran.code, 0, "{}{}", ran.summary, ran.complaints);
    let counts = ["stored", "duplicate"].map(|name| ran.count("readings", name));
    assert_eq!(counts[0] + counts[1], written.readings);
}
