//! What is never sent, never logged and never told.

use std::cell::RefCell;
use std::io;

use axum::http::StatusCode;
use clarity_backend::insights::gemini::{GeminiClient, GeminiSettings, PathSegment};
use tracing::callsite::rebuild_interest_cache;
use url::Url;

use crate::caller::{Sink, client, failure, generate, settings, stream};
use crate::fake_gemini::{FakeGemini, KEY, Scripted, errors, frames};

thread_local! {
    /// What this test logged; each runs on a thread of its own.
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes to the log of the test that it is used in.
struct ToLog;

impl io::Write for ToLog {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.extend_from_slice(line));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_key_is_in_its_header_alone() {
    let fake = FakeGemini::start().await;
    fake.enqueue(Scripted::reply("Yes."));
    generate(&client(&fake)).await.unwrap();
    let request = &fake.requests()[0];
    let with_key: Vec<_> = request
        .headers
        .iter()
        .filter(|(_, value)| value.to_str().unwrap().contains(KEY))
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(with_key, ["x-goog-api-key"]);
    assert!(!request.uri.contains(KEY));
    assert!(!request.body.to_string().contains(KEY));
}

#[tokio::test]
async fn neither_logs_nor_failures_tell_anything() {
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(|| ToLog)
        .init();
    // Other tests may have found that nobody listens.
    rebuild_interest_cache();

    let fake = FakeGemini::start().await;
    let client = client(&fake);
    let secret = "secret-reply";
    let told = errors::body(400, "secret-status", "secret-message");
    let mut texts = Vec::new();
    for reply in [
        Scripted::frames([frames::last(secret, secret)]),
        Scripted::frames([frames::blocked(secret)]),
        Scripted::frames([told.clone()]),
        Scripted::error(StatusCode::BAD_REQUEST, told),
        Scripted::raw(StatusCode::OK, "application/json", [secret]),
    ] {
        fake.enqueue(reply);
        let failure = failure(stream(&client, &mut Sink::default()).await);
        texts.push(format!("{failure} {failure:?}"));
    }
    let cut = || Scripted::frames([frames::text(secret)]).then_cut();
    fake.enqueue(cut()).enqueue(cut()).enqueue(cut());
    let broken = failure(stream(&client, &mut Sink::default()).await);
    texts.push(format!("{broken} {broken:?}"));
    let nowhere = GeminiClient::new(GeminiSettings {
        base_url: Url::parse("http://user:secret-password@127.0.0.1:1/secret-path").unwrap(),
        ..settings(&fake)
    });
    let unreachable = failure(generate(&nowhere.unwrap()).await);
    texts.push(format!("{unreachable} {unreachable:?}"));

    let log = String::from_utf8(LOG.take()).unwrap();
    assert_eq!(log.matches("event=\"gemini_failed\"").count(), 11, "{log}");
    assert_eq!(log.matches("code=\"connect\"").count(), 3, "{log}");
    texts.push(log);
    for text in texts {
        assert!(!text.contains("secret"), "{text}");
        assert!(!text.contains(KEY), "{text}");
        assert!(!text.contains("http://"), "{text}");
    }
}

#[tokio::test]
async fn settings_that_make_no_request_are_refused() {
    let fake = FakeGemini::start().await;
    let refused = |change: fn(&mut GeminiSettings)| {
        let mut settings = settings(&fake);
        change(&mut settings);
        GeminiClient::new(settings).err().unwrap().to_string()
    };
    let key = refused(|settings| settings.api_key = "secret\nkey".into());
    assert_eq!(
        key,
        "GEMINI_API_KEY is empty or contains characters that are invalid in an HTTP header"
    );
    assert_eq!(refused(|settings| settings.api_key = " ".into()), key);
    for name in ["models/../x?key=", "", "..", ".", "-x", &"x".repeat(101)] {
        let error = name.parse::<PathSegment>().unwrap_err().to_string();
        assert!(error.contains("letters, digits"), "{name}: {error}");
    }
    refused(|settings| settings.base_url = Url::parse("mailto:me@example.org").unwrap());
    refused(|settings| settings.base_url = Url::parse("ftp://example.org").unwrap());
}
