//! Items follow the contract with other readers of the table.

use aws_sdk_dynamodb::types::AttributeValue;
use clarity_backend::domain::{DataTypes, ListQuery, Measurement, Metadata, Reading};
use clarity_backend::store::{BatchPutStatus, PutResult, StoreError, put_batch};

use super::raw::{Item, items, map, number, store_with, text};
use crate::backend::{Backend, DynamoDb};
use crate::samples::{again, all_of, client_record, measurement, reading};

fn full() -> Reading {
    let metadata = r#"{"device":"watch","n":[1,2.5,null,true],"o":{"empty":"","e":{},"l":[]}}"#;
    reading(Measurement {
        value: "72.50".parse().unwrap(),
        unit: Some("/min".parse().unwrap()),
        metadata: Metadata::parse(metadata).unwrap(),
        client_record: client_record("sample-1", 3),
        ..measurement("jane@example.org", "2024-01-15T10:30:00.500+01:00")
    })
}

fn item_of_full() -> Item {
    let metadata = [
        ("device", text("watch")),
        (
            "n",
            AttributeValue::L(vec![
                number("1"),
                number("2.5"),
                AttributeValue::Null(true),
                AttributeValue::Bool(true),
            ]),
        ),
        (
            "o",
            AttributeValue::M(map([
                ("empty", text("")),
                ("e", AttributeValue::M(Item::new())),
                ("l", AttributeValue::L(Vec::new())),
            ])),
        ),
    ];
    map([
        ("user_id", text("jane@example.org")),
        ("data_id", text(&full().id.to_string())),
        ("type_key", text("jane@example.org#heart_rate")),
        ("data_type", text("heart_rate")),
        ("value", number("72.5")),
        ("timestamp", text("2024-01-15T10:30:00.500+01:00")),
        ("unit", text("/min")),
        ("metadata", AttributeValue::M(map(metadata))),
        ("client_record_id", text("sample-1")),
        ("client_record_version", number("3")),
        ("created_at", text("2024-06-01T08:00:00.123Z")),
    ])
}

#[tokio::test]
async fn item_has_the_documented_attributes() {
    let backend = DynamoDb::new().await;
    backend.store().put(full()).await.unwrap();
    assert_eq!(unmarked_items(&backend).await, [item_of_full()]);
}

#[tokio::test]
async fn absent_fields_have_no_attribute() {
    let backend = DynamoDb::new().await;
    let bare = reading(measurement("someone", "2024-01-15T10:30:00Z"));
    backend.store().put(bare.clone()).await.unwrap();
    let expected = map([
        ("user_id", text("someone")),
        ("data_id", text(&bare.id.to_string())),
        ("type_key", text("someone#heart_rate")),
        ("data_type", text("heart_rate")),
        ("value", number("72")),
        ("timestamp", text("2024-01-15T10:30:00Z")),
        ("metadata", AttributeValue::M(Item::new())),
        ("created_at", text("2024-06-01T08:00:00.123Z")),
    ]);
    assert_eq!(unmarked_items(&backend).await, [expected]);
}

#[tokio::test]
async fn documented_item_is_decoded() {
    let backend = store_with([item_of_full()]).await;
    let store = backend.store();
    let user_id = &full().measurement.user_id;
    let got = store.get(user_id, full().id).await.unwrap();
    assert_eq!(got, Some(full()));
}

/// AWS writes out all digits, also within metadata; DynamoDB Local repeats what was
/// sent.
#[tokio::test]
async fn numbers_with_all_digits_are_decoded() {
    let zeros = |count| "0".repeat(count);
    for (digits, sent) in [
        (format!("1{}", zeros(30)), "1e30"),
        (format!("-1{}", zeros(19)), "-1e19"),
        (format!("25{}", zeros(19)), "2.5e20"),
        (format!("99{}", zeros(124)), "9.9e125"),
        (format!("0.{}1", zeros(8)), "1e-9"),
        (format!("0.{}1", zeros(129)), "1e-130"),
        ("18446744073709551615".to_owned(), "18446744073709551615"),
        ("0.30000000000000004".to_owned(), "0.30000000000000004"),
    ] {
        let mut item = item_of_full();
        let metadata = AttributeValue::M(map([("n", number(&digits))]));
        item.insert("metadata".to_owned(), metadata);
        item.insert("value".to_owned(), number(&digits));
        let backend = store_with([item]).await;
        let user_id = &full().measurement.user_id;
        let got = backend.store().get(user_id, full().id).await.unwrap();
        let expected = Metadata::parse(&format!(r#"{{"n":{sent}}}"#)).unwrap();
        let got = got.unwrap().measurement;
        assert_eq!(got.metadata.as_str(), expected.as_str());
        assert_eq!(got.value, sent.parse().unwrap());
    }
}

/// A later version may add attributes.
#[tokio::test]
async fn unknown_attributes_are_ignored() {
    let mut item = item_of_full();
    item.insert("source".to_owned(), text("import"));
    let backend = store_with([item]).await;
    let page = backend
        .store()
        .list(&all_of("jane@example.org"))
        .await
        .unwrap();
    assert_eq!(page.readings, [full()]);
}

#[tokio::test]
async fn legacy_rows_are_not_listed() {
    let old = |data_id: &str| {
        map([
            ("user_id", text("jane@example.org")),
            ("data_id", text(data_id)),
            ("data_type", text("blood_glucose")),
            ("value", text("5.4")),
            ("timestamp", text("2023-11-14T22:13:20")),
            ("created_at", text("2023-11-14T22:13:21.000001")),
            ("metadata", AttributeValue::M(Item::new())),
        ])
    };
    let backend = store_with([
        old("blood_glucose_ab12cd34_1700000000"),
        old("activity_00000000_1700000000"),
        old("steps_ffffffff_1700000000"),
        old("018d0cab-written-by-somebody-else"),
        item_of_full(),
    ])
    .await;
    let store = backend.store();
    for order in ["asc", "desc"] {
        let mut query = all_of("jane@example.org");
        query.order = serde_json::from_value(order.into()).unwrap();
        query.limit = 1.try_into().unwrap();
        let page = store.list(&query).await.unwrap();
        assert_eq!(page.readings, [full()]);
        assert!(page.next.is_none());
        query.after = Some(full().id);
        let page = store.list(&query).await.unwrap();
        assert!(page.readings.is_empty());
        assert!(page.next.is_none());
    }
    let user_id = &full().measurement.user_id;
    assert!(store.delete(user_id, full().id).await.unwrap());
    assert_eq!(items(&backend).await.len(), 4, "they stay for the import");
}

#[tokio::test]
async fn unreadable_item_is_skipped_by_lists_only() {
    let bare = || reading(measurement("someone", "2024-01-15T10:30:00Z"));
    let whole = || {
        let mut item = item_of_full();
        item.insert("user_id".to_owned(), text("someone"));
        item.insert("data_id".to_owned(), text(&bare().id.to_string()));
        item
    };
    for (attribute, unreadable) in [
        ("value", Some(text("72"))),
        ("value", None),
        ("data_type", Some(number("1"))),
        ("data_type", Some(text("9 lives"))),
        ("timestamp", Some(text("yesterday"))),
        ("timestamp", None),
        ("created_at", Some(text(""))),
        ("created_at", None),
        ("unit", Some(AttributeValue::Null(true))),
        ("metadata", Some(AttributeValue::L(Vec::new()))),
        ("metadata", Some(text("{}"))),
        (
            "metadata",
            Some(AttributeValue::M(map([(
                "set",
                AttributeValue::Ss(vec!["a".to_owned()]),
            )]))),
        ),
        ("client_record_version", Some(number("-1"))),
        ("client_record_version", Some(number("9007199254740992"))),
        ("client_record_version", None),
    ] {
        let mut item = whole();
        match unreadable {
            Some(value) => item.insert(attribute.to_owned(), value),
            None => item.remove(attribute),
        };
        let backend = store_with([item]).await;
        let store = backend.store();
        let got = store.get(&bare().measurement.user_id, bare().id).await;
        let listed = store.list(&all_of("someone")).await.unwrap();
        assert_eq!(listed.readings, []);
        assert_eq!(listed.unreadable[0].id, bare().id);
        let put = store.put(bare()).await;
        for fault in [got.err(), put.err()] {
            assert!(
                matches!(fault, Some(StoreError::Corrupt(_))),
                "{attribute}: {fault:?}"
            );
        }
    }
}

/// Items written before the index existed are missing from it until they are sent
/// again, individually or in a batch. Nothing else changes.
#[tokio::test]
async fn replayed_put_adds_a_missing_index_key() {
    let bare = reading(measurement("jane@example.org", "2024-01-15T10:30:00Z"));
    let whole = DynamoDb::new().await;
    for one in [&bare, &full()] {
        whole.store().put(one.clone()).await.unwrap();
    }
    let whole = sorted_items(&whole).await;
    let without_the_key = whole.iter().cloned().map(|mut item| {
        item.remove("type_key").unwrap();
        item
    });
    let without_the_key: Vec<Item> = without_the_key.collect();
    for in_a_batch in [false, true] {
        let backend = store_with(without_the_key.clone()).await;
        let store = backend.store();
        let of_type = ListQuery {
            data_types: DataTypes::try_from(vec!["heart_rate".parse().unwrap()]).unwrap(),
            ..all_of("jane@example.org")
        };
        assert!(store.list(&of_type).await.unwrap().readings.is_empty());
        let sent = [again(&bare), again(&full())];
        if in_a_batch {
            for outcome in put_batch(store, sent.to_vec()).await {
                assert_eq!(outcome.unwrap(), BatchPutStatus::Unchanged);
            }
        } else {
            for (one, stored) in sent.into_iter().zip([&bare, &full()]) {
                let outcome = store.put(one).await.unwrap();
                assert_eq!(outcome, PutResult::Stored(stored.clone()));
            }
        }
        assert_eq!(sorted_items(&backend).await, whole);
        assert_eq!(store.list(&of_type).await.unwrap().readings.len(), 2);
    }
}

/// Returns all items without their marks, which differ from write to write.
async fn unmarked_items(backend: &DynamoDb) -> Vec<Item> {
    let mut items = items(backend).await;
    for item in &mut items {
        let mark = item.remove("mark").unwrap();
        assert!(mark.as_n().unwrap().parse::<u64>().is_ok());
    }
    items
}

async fn sorted_items(backend: &DynamoDb) -> Vec<Item> {
    let mut items = unmarked_items(backend).await;
    items.sort_by_key(|item| item["data_id"].as_s().unwrap().clone());
    items
}
