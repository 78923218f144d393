//! Errors of requests that DynamoDB rejects or does not answer.

use std::error::Error;
use std::net::Ipv4Addr;

use clarity_backend::store::{DynamoDbStore, DynamoDbTimeouts, ReadingStore, StoreError};
use tokio::net::TcpSocket;

use super::fake_server;
use crate::backend::dynamodb_settings;
use crate::concurrency::run_concurrently;
use crate::samples::{all_of, measurement, reading};
use crate::support::dynamodb_local::DynamoDbLocal;

async fn faults_at(endpoint: &str, timeouts: DynamoDbTimeouts) -> Vec<StoreError> {
    let store = DynamoDbStore::connect_with(dynamodb_settings(endpoint), timeouts).await;
    let put = store.put(reading(measurement("someone", "2024-01-15T10:30:00Z")));
    let query = all_of("someone");
    let (put, list, check) = tokio::join!(put, store.list(&query), store.check());
    vec![put.unwrap_err(), list.unwrap_err(), check.unwrap_err()]
}

/// The error and its causes, as in a log.
fn chain(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[tokio::test]
async fn refused_connection_is_retryable() {
    // Bound, so that no other process uses the port, but not listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    for fault in faults_at(&format!("http://{address}"), DynamoDbTimeouts::default()).await {
        assert!(matches!(fault, StoreError::Unavailable(_)), "{fault:?}");
        assert!(fault.is_retryable());
    }
}

#[tokio::test]
async fn timeout_is_retryable() {
    let silent = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = silent.local_addr().unwrap();
    for fault in faults_at(&format!("http://{address}"), DynamoDbTimeouts::default()).await {
        assert!(matches!(fault, StoreError::Unavailable(_)), "{fault:?}");
        assert!(fault.is_retryable());
    }
}

/// Returns the errors for these responses, after checking what their texts must and
/// must not contain.
async fn faults_of(status: u16, codes: &[&str]) -> Vec<StoreError> {
    let faults_of_code = async |code: &str| {
        let faults = faults_at(
            &fake_server::refusals(status, code),
            DynamoDbLocal::timeouts(),
        )
        .await;
        for fault in &faults {
            let text = chain(fault);
            assert!(text.contains(fake_server::REQUEST_ID), "{text}");
            assert!(text.contains(code), "{text}");
            assert!(!text.contains(fake_server::SECRET), "{text}");
            assert!(!format!("{fault:?}").contains(fake_server::SECRET));
        }
        faults
    };
    run_concurrently(codes.iter().map(|code| faults_of_code(code)))
        .await
        .concat()
}

#[tokio::test]
async fn throttling_is_retryable() {
    for fault in faults_of(
        400,
        &[
            "ProvisionedThroughputExceededException",
            "RequestLimitExceeded",
            "ThrottlingException",
        ],
    )
    .await
    {
        assert!(matches!(fault, StoreError::Throttled(_)), "{fault:?}");
        assert!(fault.is_retryable());
    }
}

#[tokio::test]
async fn denied_access_is_a_misconfiguration() {
    for fault in faults_of(
        400,
        &[
            "AccessDeniedException",
            "ExpiredTokenException",
            "InvalidSignatureException",
            "MissingAuthenticationTokenException",
            "UnrecognizedClientException",
        ],
    )
    .await
    {
        assert!(
            matches!(fault, StoreError::Misconfigured { .. }),
            "{fault:?}"
        );
        assert!(!fault.is_retryable());
    }
}

#[tokio::test]
async fn internal_error_is_retryable() {
    for fault in faults_of(500, &["InternalServerError"]).await {
        assert!(matches!(fault, StoreError::Unavailable(_)), "{fault:?}");
        assert!(fault.is_retryable());
    }
}

#[tokio::test]
async fn truncated_response_is_retryable_and_not_repeated() {
    for fault in faults_at(&fake_server::halves(), DynamoDbLocal::timeouts()).await {
        assert!(matches!(fault, StoreError::Unavailable(_)), "{fault:?}");
        assert!(!chain(&fault).contains(fake_server::SECRET));
        assert!(
            !format!("{fault:?}").contains(fake_server::SECRET),
            "{fault:?}"
        );
    }
}
