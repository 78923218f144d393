//! Lists of readings: order, pages, ranges, filters and cursors.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::{TestApp, example_with};

/// Starts an app with a reading on each of the first ten days of 2024, whose
/// value is the day of the month.
async fn app_with_ten_days() -> TestApp {
    let app = TestApp::start().await;
    for day in 1..=10 {
        let timestamp = format!("2024-01-{day:02}T00:00:00Z");
        let reading = example_with(json!({"value": day, "timestamp": timestamp}));
        app.post(&reading).await.expect(StatusCode::OK);
    }
    app
}

/// Returns the values of a page and its next cursor.
async fn page(app: &TestApp, query: &str) -> (Vec<f64>, Option<String>) {
    let page = app.get(&format!("/api/v1/data/user123?{query}")).await;
    let page = page.expect(StatusCode::OK);
    let values: Vec<f64> = page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reading| reading["value"].as_f64().unwrap())
        .collect();
    assert_eq!(page["count"], values.len());
    assert_eq!(page["user_id"], "user123");
    (values, page["next_cursor"].as_str().map(str::to_owned))
}

/// Returns the values of all pages, following cursors from `query`.
async fn list_all(app: &TestApp, query: &str) -> Vec<f64> {
    let (mut values, mut next) = page(app, query).await;
    while let Some(cursor) = next {
        let (more, after) = page(app, &format!("{query}&cursor={cursor}")).await;
        assert!(!more.is_empty(), "a cursor leads to a non-empty page");
        values.extend(more);
        next = after;
    }
    values
}

#[tokio::test]
async fn list_is_newest_first_by_default() {
    let app = app_with_ten_days().await;
    let down: Vec<f64> = (1..=10).rev().map(f64::from).collect();
    let up: Vec<f64> = (1..=10).map(f64::from).collect();
    assert_eq!(page(&app, "").await, (down.clone(), None));
    assert_eq!(page(&app, "order=desc").await, (down, None));
    assert_eq!(page(&app, "order=asc").await, (up, None));
}

#[tokio::test]
async fn pages_of_any_size_return_each_reading_once() {
    let app = app_with_ten_days().await;
    let up: Vec<f64> = (1..=10).map(f64::from).collect();
    for limit in [1, 2, 3, 5, 9, 10, 11, 1_000] {
        assert_eq!(
            list_all(&app, &format!("order=asc&limit={limit}")).await,
            up
        );
    }
    let (_, next) = page(&app, "limit=10").await;
    assert_eq!(next, None, "the tenth reading is the last");
}

#[tokio::test]
async fn range_includes_start_and_excludes_end() {
    let app = app_with_ten_days().await;
    let range = "order=asc&start=2024-01-03T00:00:00Z&end=2024-01-06T00:00:00Z";
    assert_eq!(list_all(&app, range).await, [3.0, 4.0, 5.0]);
    assert_eq!(
        list_all(&app, &format!("{range}&limit=1")).await,
        [3.0, 4.0, 5.0]
    );
    let everything = "order=asc&start=0001-01-01T00:00:00Z&end=9999-12-31T23:59:59Z";
    assert_eq!(list_all(&app, everything).await.len(), 10);
    let shifted = "start=2024-01-09T02:00:00%2B02:00";
    assert_eq!(list_all(&app, shifted).await, [10.0, 9.0]);
    assert_eq!(
        list_all(&app, "start=2024-01-06T00:00:00Z&end=2024-01-03T00:00:00Z").await,
        [0.0; 0]
    );
}

#[tokio::test]
async fn cursor_carries_its_filters() {
    let app = app_with_ten_days().await;
    let (_, next) = page(&app, "order=asc&start=2024-01-03T00:00:00Z&limit=2").await;
    let cursor = next.unwrap();
    assert!(!cursor.contains("user123"));
    assert_eq!(
        page(&app, &format!("cursor={cursor}&limit=3")).await.0,
        [5.0, 6.0, 7.0]
    );
    let repeated_filters =
        format!("cursor={cursor}&order=asc&start=2024-01-03T01:00:00%2B01:00&limit=1");
    assert_eq!(page(&app, &repeated_filters).await.0, [5.0]);
}

#[tokio::test]
async fn list_pages_are_stable_under_writes() {
    let app = app_with_ten_days().await;
    let (first, next) = page(&app, "limit=5").await;
    for timestamp in ["2024-01-20T00:00:00Z", "2024-01-07T12:00:00Z"] {
        let written = example_with(json!({"value": 99, "timestamp": timestamp}));
        app.post(&written).await.expect(StatusCode::OK);
    }
    let (rest, _) = page(&app, &format!("cursor={}", next.unwrap())).await;
    assert_eq!(
        [first, rest].concat(),
        [10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0]
    );
}

/// 400 readings have 6.4 MB of metadata, more than the 4 MiB limit of a page.
#[tokio::test]
async fn page_with_large_metadata_ends_early() {
    let app = TestApp::start().await;
    let metadata = json!({"note": "x".repeat(16_000)});
    let readings: Vec<Value> = (0..400)
        .map(|value| example_with(json!({"value": value, "metadata": metadata})))
        .collect();
    let body = json!({"readings": readings}).to_string();
    app.post_raw("/api/v1/data/batch", body)
        .await
        .expect(StatusCode::OK);
    let (values, next) = page(&app, "limit=1000").await;
    assert!((200..300).contains(&values.len()), "{}", values.len());
    let (rest, end) = page(&app, &format!("limit=1000&cursor={}", next.unwrap())).await;
    assert_eq!(values.len() + rest.len(), 400);
    assert_eq!(end, None);
    let export = app.request(Method::GET, "/api/v1/data/user123/export");
    let export = export.send().await.unwrap().text().await.unwrap();
    assert!(export.ends_with("{\"complete\":true,\"count\":400}\n"));
}

#[tokio::test]
async fn unknown_user_has_an_empty_list() {
    let app = TestApp::start().await;
    let list = app.get("/api/v1/data/nobody").await.expect(StatusCode::OK);
    assert_eq!(
        list,
        json!({"success": true, "user_id": "nobody", "data": [], "count": 0, "next_cursor": Value::Null})
    );
}

#[tokio::test]
async fn list_excludes_users_with_similar_ids() {
    let app = app_with_ten_days().await;
    for neighbour in ["user12", "user1234", "user123.a", "USER123"] {
        let other = example_with(json!({"user_id": neighbour}));
        app.post(&other).await.expect(StatusCode::OK);
        assert_eq!(app.count(neighbour).await, 1);
    }
    assert_eq!(app.count("user123").await, 10);
}

/// Returns the data types on all pages, following cursors from `query`.
async fn listed_types(app: &TestApp, query: &str) -> Vec<String> {
    let mut types = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/data/user123?{query}{cursor}");
        let page = app.get(&path).await.expect(StatusCode::OK);
        let data = page["data"].as_array().unwrap();
        types.extend(
            data.iter()
                .map(|reading| reading["data_type"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            // `query` repeats the filters that the cursor carries.
            Some(next) => cursor = format!("&cursor={next}"),
            None => return types,
        }
    }
}

async fn check_type_filter(app: &TestApp) {
    for hour in 0..12 {
        let data_type = ["heart_rate", "steps", "weight"][hour % 3];
        let timestamp = format!("2024-01-15T{hour:02}:00:00Z");
        app.post(&example_with(
            json!({"data_type": data_type, "timestamp": timestamp}),
        ))
        .await
        .expect(StatusCode::OK);
    }
    assert_eq!(
        listed_types(app, "data_type=steps&limit=3").await,
        ["steps"; 4]
    );
    assert_eq!(
        listed_types(app, "data_type=weight&data_type=steps&limit=3").await,
        ["weight", "steps"].repeat(4)
    );
    assert_eq!(
        listed_types(
            app,
            "data_type=steps&data_type=weight&order=asc&limit=1&start=2024-01-15T04:00:00Z"
        )
        .await,
        ["steps", "weight"].repeat(3)
    );
    assert!(listed_types(app, "data_type=sleep").await.is_empty());
}

#[tokio::test]
async fn list_is_filtered_by_data_types() {
    check_type_filter(&TestApp::start().await).await;
}

#[tokio::test]
async fn list_is_filtered_by_data_types_on_dynamodb() {
    check_type_filter(&TestApp::start_on_dynamodb().await).await;
}

#[tokio::test]
async fn cursor_is_bound_to_its_data_types() {
    let app = app_with_ten_days().await;
    let (_, next) = page(&app, "data_type=heart_rate&limit=4").await;
    let cursor = next.unwrap();
    let continued = format!("cursor={cursor}&data_type=heart_rate&limit=2");
    assert_eq!(page(&app, &continued).await.0, [6.0, 5.0]);
    for other in ["data_type=steps", "data_type=heart_rate&data_type=steps"] {
        app.get(&format!("/api/v1/data/user123?cursor={cursor}&{other}"))
            .await
            .expect_field_errors(&["/cursor"]);
    }
    let many: Vec<String> = (0..21).map(|index| format!("data_type=t{index}")).collect();
    app.get(&format!("/api/v1/data/user123?{}", many.join("&")))
        .await
        .expect_field_errors(&["/data_type"]);
}
