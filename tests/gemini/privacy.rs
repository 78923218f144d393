//! Secrets and personal data stay out of URLs, logs and errors.

use std::cell::RefCell;
use std::io;

use axum::http::StatusCode;
use clarity_backend::insights::gemini::{GeminiClient, GeminiSettings, PathSegment};
use tracing::callsite::rebuild_interest_cache;
use url::Url;

use crate::fake_gemini::{FakeGemini, KEY, Scripted, errors, frames};
use crate::fixtures::{Sink, client, failure, generate, settings, stream};

thread_local! {
    /// Log of this thread, and so of one test.
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writer to the log of the current test.
struct TestLog;

impl io::Write for TestLog {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.extend_from_slice(line));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn key_is_sent_in_its_header_only() {
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
async fn logs_and_errors_contain_no_secrets() {
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(|| TestLog)
        .init();
    // Other tests may have cached that no subscriber is interested.
    rebuild_interest_cache();

    let fake = FakeGemini::start().await;
    let client = client(&fake);
    let secret = "secret-reply";
    let error = errors::body(400, "secret-status", "secret-message");
    let mut texts = Vec::new();
    for reply in [
        Scripted::frames([frames::last(secret, secret)]),
        Scripted::frames([frames::blocked(secret)]),
        Scripted::frames([error.clone()]),
        Scripted::error(StatusCode::BAD_REQUEST, error),
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
async fn invalid_settings_are_rejected() {
    let fake = FakeGemini::start().await;
    let rejection = |change: fn(&mut GeminiSettings)| {
        let mut settings = settings(&fake);
        change(&mut settings);
        GeminiClient::new(settings).err().unwrap().to_string()
    };
    let key = rejection(|settings| settings.api_key = "secret\nkey".into());
    assert_eq!(
        key,
        "GEMINI_API_KEY is empty or contains characters that are invalid in an HTTP header"
    );
    assert_eq!(rejection(|settings| settings.api_key = " ".into()), key);
    for name in ["models/../x?key=", "", "..", ".", "-x", &"x".repeat(101)] {
        let error = name.parse::<PathSegment>().unwrap_err().to_string();
        assert!(error.contains("letters, digits"), "{name}: {error}");
    }
    rejection(|settings| settings.base_url = Url::parse("mailto:me@example.org").unwrap());
    rejection(|settings| settings.base_url = Url::parse("ftp://example.org").unwrap());
}
