//! Circuit breaker, concurrency limit, cancellation and unreachable servers.

use std::time::Duration;

use axum::http::StatusCode;
use clarity_backend::insights::gemini::{
    GeminiClient, GeminiErrorKind, GeminiSettings, TimeoutKind, Timing,
};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};
use url::Url;

use crate::fake_gemini::{FakeGemini, Scripted, errors};
use crate::fixtures::{
    FALLBACK, Sink, client, client_with_fallback, failure, generate, settings, stream,
};

/// Returns a client whose circuits stay open for `circuit_open`.
fn client_with_circuit(fake: &FakeGemini, circuit_open: Duration) -> GeminiClient {
    let settings = settings(fake);
    let timing = Timing {
        circuit_open,
        ..settings.timing
    };
    GeminiClient::new(GeminiSettings { timing, ..settings }).unwrap()
}

/// Opens the circuit with five failures.
async fn open_circuit(fake: &FakeGemini, client: &GeminiClient) {
    for _ in 0..5 {
        fake.enqueue(errors::daily_quota());
        let exhausted = failure(generate(client).await);
        assert_eq!(exhausted.kind, GeminiErrorKind::QuotaExhausted);
    }
}

#[tokio::test]
async fn repeatedly_failing_model_is_skipped() {
    let fake = FakeGemini::start().await;
    let client = client(&fake);
    open_circuit(&fake, &client).await;
    let third = failure(stream(&client, &mut Sink::default()).await);
    assert_eq!(
        (third.kind, third.attempts),
        (GeminiErrorKind::CircuitOpen, 0)
    );
    assert_eq!(fake.requests().len(), 5);
}

#[tokio::test]
async fn fallback_model_has_its_own_circuit_breaker() {
    let fake = FakeGemini::start().await;
    let client = client_with_fallback(&fake);
    for _ in 0..2 {
        fake.enqueue(errors::for_status(StatusCode::SERVICE_UNAVAILABLE))
            .enqueue(errors::for_status(StatusCode::SERVICE_UNAVAILABLE))
            .enqueue(Scripted::reply("Yes."));
        generate(&client).await.unwrap();
    }
    fake.enqueue(errors::for_status(StatusCode::SERVICE_UNAVAILABLE))
        .enqueue(Scripted::reply("Yes."))
        .enqueue(Scripted::reply("Yes."));
    for attempts in [2, 1] {
        let reply = generate(&client).await.unwrap();
        assert_eq!((&*reply.model, reply.usage.attempts), (FALLBACK, attempts));
    }
}

#[tokio::test]
async fn success_closes_the_circuit() {
    let fake = FakeGemini::start().await;
    let client = client_with_circuit(&fake, Duration::from_millis(1));
    open_circuit(&fake, &client).await;
    sleep(Duration::from_millis(5)).await;
    fake.enqueue(Scripted::reply("Yes."));
    generate(&client).await.unwrap();
    fake.enqueue(errors::for_status(StatusCode::SERVICE_UNAVAILABLE))
        .enqueue(Scripted::reply("Yes."));
    assert_eq!(generate(&client).await.unwrap().usage.attempts, 2);
}

#[tokio::test]
async fn cancelled_probe_admits_another() {
    let fake = FakeGemini::start().await;
    let client = client_with_circuit(&fake, Duration::from_millis(1));
    open_circuit(&fake, &client).await;
    sleep(Duration::from_millis(5)).await;
    fake.enqueue(Scripted::silence());
    let given_up = timeout(Duration::from_millis(300), generate(&client)).await;
    assert!(given_up.is_err());
    assert_eq!(fake.remaining(), 0);
    fake.enqueue(Scripted::reply("Yes."));
    generate(&client).await.unwrap();
}

#[tokio::test]
async fn rejections_do_not_open_the_circuit() {
    let fake = FakeGemini::start().await;
    let client = client(&fake);
    for _ in 0..6 {
        fake.enqueue(errors::invalid_key());
        let refused = failure(generate(&client).await);
        assert_eq!(refused.kind.code(), "refused");
    }
}

#[tokio::test]
async fn calls_beyond_the_limit_are_shed() {
    let fake = FakeGemini::start().await;
    let settings = settings(&fake);
    let timing = Timing {
        queue: Duration::from_millis(50),
        ..settings.timing
    };
    let client = GeminiClient::new(GeminiSettings { timing, ..settings }).unwrap();
    let calls: Vec<_> = (0..16)
        .map(|_| {
            fake.enqueue(Scripted::silence());
            let client = client.clone();
            tokio::spawn(async move { generate(&client).await.map(|_| ()) })
        })
        .collect();
    while fake.requests().len() < 16 {
        sleep(Duration::from_millis(1)).await;
    }
    let busy = failure(generate(&client).await);
    assert_eq!((busy.kind, busy.attempts), (GeminiErrorKind::Busy, 0));
    for call in calls {
        call.abort();
        let _ = call.await;
    }
    fake.enqueue(Scripted::reply("Yes."));
    generate(&client).await.unwrap();
}

#[tokio::test]
async fn cancelled_call_closes_its_connection() {
    let fake = FakeGemini::start().await;
    fake.enqueue(Scripted::silence());
    let client = client(&fake);
    let call = tokio::spawn(async move { generate(&client).await.map(|_| ()) });
    while fake.waiting() < 1 {
        sleep(Duration::from_millis(1)).await;
    }
    call.abort();
    let ended = timeout(Duration::from_secs(2), async {
        while fake.waiting() > 0 {
            sleep(Duration::from_millis(1)).await;
        }
    });
    assert!(ended.await.is_ok());
}

#[tokio::test]
async fn refused_connection_is_retried() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let fake = FakeGemini::start().await;
    let client = GeminiClient::new(GeminiSettings {
        base_url: Url::parse(&format!("http://{address}")).unwrap(),
        ..settings(&fake)
    })
    .unwrap();
    let unreachable = failure(generate(&client).await);
    assert_eq!(
        (unreachable.kind, unreachable.attempts),
        (GeminiErrorKind::Connect, 3)
    );
}

/// Returns a listener whose backlog is full, so that further connections are
/// neither accepted nor refused, and the connections that fill it.
async fn full_backlog() -> (TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(connection) =
        timeout(Duration::from_millis(100), TcpStream::connect(address)).await
    {
        waiting.push(connection.unwrap());
    }
    (listener, waiting)
}

#[tokio::test]
async fn connect_timeout_is_retried() {
    let (listener, _waiting) = full_backlog().await;
    let fake = FakeGemini::start().await;
    let settings = settings(&fake);
    let client = GeminiClient::new(GeminiSettings {
        base_url: Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap(),
        timing: Timing {
            connect: Duration::from_millis(50),
            ..settings.timing
        },
        ..settings
    })
    .unwrap();
    let late = failure(generate(&client).await);
    assert_eq!(late.kind, GeminiErrorKind::Timeout(TimeoutKind::Connect));
    assert_eq!(late.attempts, 3);
}
