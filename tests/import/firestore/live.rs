//! A database over HTTP: pages, failures, going on.

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
async fn all_collections_are_read_page_by_page() {
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
async fn it_goes_on_after_any_document() {
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
async fn failures_that_pass_are_waited_out() {
    let fake = with_documents().await;
    fake.fail(429, Some(0)).fail(503, None).fail(500, None);
    assert_eq!(all(&mut reader(&fake)).await.len(), 252);
    assert_eq!(fake.requests().len(), 7);
}

#[tokio::test]
async fn failures_that_stay_end_it_and_it_can_go_on() {
    let fake = with_documents().await;
    let mut reader = reader(&fake);
    reader.next_page().await.unwrap();
    for _ in 0..6 {
        fake.fail(503, None);
    }
    let damage = reader.next_page().await.unwrap_err();
    assert!(
        damage.location.file.ends_with("health_data/d099"),
        "{damage}"
    );
    assert!(damage.to_string().contains("503"), "{damage}");
    assert_eq!(fake.requests().len(), 7);
    assert_eq!(all(&mut reader).await.len(), 152);
}

#[tokio::test]
async fn refusals_say_what_to_do_and_are_not_repeated() {
    let fake = FakeFirestore::start().await;
    for (status, advice) in [
        (401, "renew GOOGLE_OAUTH_TOKEN"),
        (403, "roles/datastore.viewer"),
        (404, "check the project's id"),
    ] {
        fake.fail(status, None);
        let damage = reader(&fake).next_page().await.unwrap_err().to_string();
        assert!(damage.contains(advice), "{damage}");
        assert!(!damage.contains("owner"), "{damage}");
    }
    assert_eq!(fake.requests().len(), 3);
}

#[tokio::test]
async fn a_document_that_cannot_be_decoded_costs_itself_alone() {
    let fake = FakeFirestore::start().await;
    fake.document("a/1", &json!({"v": {"integerValue": "1"}}));
    fake.document("a/2", &json!({"v": {"futureValue": "secret-7391"}}));
    fake.document("a/3", &json!({"v": {"integerValue": "one"}}));
    fake.document("a/4", &json!({"v": {"nullValue": "NULL_VALUE"}}));
    let items = all(&mut reader(&fake)).await;
    let sound: Vec<_> = items.iter().flatten().map(|(_, it)| it.id()).collect();
    assert_eq!(sound, ["1", "4"]);
    for damage in items.iter().filter_map(|item| item.as_ref().err()) {
        assert!(!damage.to_string().contains("secret-7391"), "{damage}");
    }
}

#[tokio::test]
async fn answers_too_long_are_asked_for_in_smaller_pages() {
    let fake = with_documents().await;
    fake.too_long_above(30);
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
async fn a_server_that_is_not_there_is_told() {
    let reader = LiveFirestore::new("p", &emulator("127.0.0.1:1")).unwrap();
    let mut reader = reader.initial_delay(Duration::from_millis(1));
    let damage = reader.next_page().await.unwrap_err();
    assert!(damage.problem.contains("cannot be reached"), "{damage}");
    assert!(damage.problem.contains("refused"), "{damage}");
}

#[test]
fn ids_and_tokens_that_are_none_are_refused() {
    let target = emulator("127.0.0.1:1");
    for project in ["", "a/b", "a b", "a?b"] {
        let refused = LiveFirestore::new(project, &target).err().unwrap();
        assert!(refused.problem.contains("project's id"), "{refused}");
    }
    let refused = LiveFirestore::new("p", &emulator("a b")).err().unwrap();
    assert!(refused.problem.contains("host:port"), "{refused}");
    let token = "line\nbreak-7391".into();
    let target = LiveTarget::Google { token };
    let refused = LiveFirestore::new("p", &target).err().unwrap().to_string();
    assert!(refused.contains("GOOGLE_OAUTH_TOKEN"), "{refused}");
    assert!(!refused.contains("7391"), "{refused}");
}
