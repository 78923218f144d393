//! A database over HTTP: pages, failures, resuming.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::values::{assert_same, document, every_type};
use crate::firestore_support::FakeFirestore;
use clarity_backend::import::firestore::{Document, LiveFirestore, LiveTarget};
use clarity_backend::import::{SourceError, SourceLocation};

fn emulator(host: &str) -> LiveTarget {
    let host = host.to_owned();
    LiveTarget::Emulator { host }
}

fn reader(fake: &FakeFirestore) -> LiveFirestore {
    let target = emulator(fake.host());
    let reader = LiveFirestore::new("demo-clarity", &target).unwrap();
    reader.initial_delay(Duration::from_millis(1))
}

async fn all(reader: &mut LiveFirestore) -> Vec<Result<(SourceLocation, Document), SourceError>> {
    let mut items = Vec::new();
    while let Some(page) = reader.next_page().await.unwrap() {
        items.extend(page);
    }
    items
}

async fn with_documents() -> FakeFirestore {
    let fake = FakeFirestore::start().await;
    for count in 0..250 {
        let fields = json!({"steps": {"integerValue": count.to_string()}});
        fake.document(&format!("health_data/d{count:03}"), &fields);
    }
    fake.document("users/u1/sub/c1", &json!({}));
    fake.document("types/all", &every_type());
    fake
}

#[tokio::test]
async fn all_collections_are_paged() {
    let fake = with_documents().await;
    let items = all(&mut reader(&fake)).await;
    let found: BTreeMap<_, _> = items
        .into_iter()
        .map(|item| item.unwrap().1)
        .map(|document| (document.path.clone(), document))
        .collect();
    assert_eq!(found.len(), 252);
    assert_same(&found["types/all"], &document("types/all", &every_type()));
    assert!(found.contains_key("users/u1/sub/c1"));
    let requests = fake.requests();
    assert_eq!(requests.len(), 4, "three pages and an empty one");
    assert!(
        requests
            .iter()
            .all(|(headers, _)| headers["authorization"] == "Bearer owner")
    );
}

#[tokio::test]
async fn reading_resumes_after_any_document() {
    let fake = with_documents().await;
    let whole = all(&mut reader(&fake)).await;
    let whole: Vec<_> = whole.into_iter().map(Result::unwrap).collect();
    for behind in [1, 100, 101, 252] {
        let mut reader = reader(&fake).resume_after(&whole[behind - 1].0);
        let rest = all(&mut reader).await;
        let rest: Vec<_> = rest.into_iter().map(|item| item.unwrap().0).collect();
        let expected: Vec<_> = whole[behind..].iter().map(|item| item.0.clone()).collect();
        assert_eq!(rest, expected, "after {behind}");
    }
}

#[tokio::test]
async fn transient_failures_are_retried() {
    let fake = with_documents().await;
    fake.fail(429, Some(0)).fail(503, None).fail(500, None);
    assert_eq!(all(&mut reader(&fake)).await.len(), 252);
    assert_eq!(fake.requests().len(), 7);
}

#[tokio::test]
async fn reading_resumes_after_exhausted_retries() {
    let fake = with_documents().await;
    let mut reader = reader(&fake);
    reader.next_page().await.unwrap();
    for _ in 0..6 {
        fake.fail(503, None);
    }
    let error = reader.next_page().await.unwrap_err();
    assert!(error.location.file.ends_with("health_data/d099"), "{error}");
    assert!(error.to_string().contains("503"), "{error}");
    assert_eq!(fake.requests().len(), 7);
    assert_eq!(all(&mut reader).await.len(), 152);
}

#[tokio::test]
async fn permanent_failures_have_advice_and_are_not_retried() {
    let fake = FakeFirestore::start().await;
    for (status, advice) in [
        (401, "renew GOOGLE_OAUTH_TOKEN"),
        (403, "roles/datastore.viewer"),
        (404, "check the project's id"),
    ] {
        fake.fail(status, None);
        let error = reader(&fake).next_page().await.unwrap_err().to_string();
        assert!(error.contains(advice), "{error}");
        assert!(!error.contains("owner"), "{error}");
    }
    assert_eq!(fake.requests().len(), 3);
}

#[tokio::test]
async fn undecodable_document_does_not_affect_others() {
    let fake = FakeFirestore::start().await;
    fake.document("a/1", &json!({"v": {"integerValue": "1"}}));
    fake.document("a/2", &json!({"v": {"futureValue": "secret-7391"}}));
    fake.document("a/3", &json!({"v": {"integerValue": "one"}}));
    fake.document("a/4", &json!({"v": {"nullValue": "NULL_VALUE"}}));
    let items = all(&mut reader(&fake)).await;
    let intact: Vec<_> = items.iter().flatten().map(|(_, it)| it.id()).collect();
    assert_eq!(intact, ["1", "4"]);
    for error in items.iter().filter_map(|item| item.as_ref().err()) {
        assert!(!error.to_string().contains("secret-7391"), "{error}");
    }
}

#[tokio::test]
async fn oversized_responses_halve_the_page() {
    let fake = with_documents().await;
    fake.oversized_above(30);
    assert_eq!(all(&mut reader(&fake)).await.len(), 252);
    let limits: Vec<_> = fake
        .requests()
        .iter()
        .map(|(_, body)| body["structuredQuery"]["limit"].as_u64().unwrap())
        .collect();
    assert_eq!(limits[..4], [100, 50, 25, 25]);
    assert!(limits[4..].iter().all(|limit| *limit == 25));
}

#[tokio::test]
async fn unreachable_server_is_reported() {
    let reader = LiveFirestore::new("p", &emulator("127.0.0.1:1")).unwrap();
    let mut reader = reader.initial_delay(Duration::from_millis(1));
    let error = reader.next_page().await.unwrap_err();
    assert!(error.problem.contains("cannot be reached"), "{error}");
    assert!(error.problem.contains("refused"), "{error}");
}

#[test]
fn malformed_ids_and_tokens_are_rejected() {
    let target = emulator("127.0.0.1:1");
    for project in ["", "a/b", "a b", "a?b"] {
        let error = LiveFirestore::new(project, &target).err().unwrap();
        assert!(error.problem.contains("project's id"), "{error}");
    }
    let error = LiveFirestore::new("p", &emulator("a b")).err().unwrap();
    assert!(error.problem.contains("host:port"), "{error}");
    let token = "line\nbreak-7391".into();
    let target = LiveTarget::Google { token };
    let error = LiveFirestore::new("p", &target).err().unwrap().to_string();
    assert!(error.contains("GOOGLE_OAUTH_TOKEN"), "{error}");
    assert!(!error.contains("7391"), "{error}");
}
