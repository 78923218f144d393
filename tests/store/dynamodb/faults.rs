//! What is told where DynamoDB refuses or does not answer.

use std::error::Error;
use std::net::Ipv4Addr;

use clarity_backend::store::{DynamoDbStore, DynamoDbTimeouts, ReadingStore, StoreError};
use tokio::net::TcpSocket;

use super::answers;
use crate::all_at_once::all_at_once;
use crate::backend::dynamodb_settings;
use crate::samples::{all_of, measurement, reading};
use crate::support::dynamodb_local::DynamoDbLocal;

async fn faults_at(endpoint: &str, timeouts: DynamoDbTimeouts) -> Vec<StoreError> {
    let store = DynamoDbStore::connect_with(dynamodb_settings(endpoint), timeouts).await;
    let put = store.put(reading(measurement("someone", "2024-01-15T10:30:00Z")));
    let query = all_of("someone");
    let (put, list, check) = tokio::join!(put, store.list(&query), store.check());
    vec![put.unwrap_err(), list.unwrap_err(), check.unwrap_err()]
}

/// The error with all its causes, as a log shows it.
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
async fn of_an_endpoint_where_nobody_listens_may_pass() {
    // Bound, so that nobody else gets it, but not listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    for fault in faults_at(&format!("http://{address}"), DynamoDbTimeouts::default()).await {
        assert!(matches!(fault, StoreError::Unavailable(_)), "{fault:?}");
        assert!(fault.is_retryable());
    }
}

#[tokio::test]
async fn of_an_endpoint_that_never_answers_may_pass() {
    let silent = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = silent.local_addr().unwrap();
    for fault in faults_at(&format!("http://{address}"), DynamoDbTimeouts::default()).await {
        assert!(matches!(fault, StoreError::Unavailable(_)), "{fault:?}");
        assert!(fault.is_retryable());
    }
}

/// The faults that these answers make, checked also for what their texts must
/// and must not say.
async fn faults_of(status: u16, codes: &[&str]) -> Vec<StoreError> {
    let faults_of_code = async |code: &str| {
        let faults = faults_at(&answers::refusals(status, code), DynamoDbLocal::timeouts()).await;
        for fault in &faults {
            let text = chain(fault);
            assert!(text.contains(answers::REQUEST_ID), "{text}");
            assert!(text.contains(code), "{text}");
            assert!(!text.contains(answers::SECRET), "{text}");
            assert!(!format!("{fault:?}").contains(answers::SECRET));
        }
        faults
    };
    all_at_once(codes.iter().map(|code| faults_of_code(code)))
        .await
        .concat()
}

#[tokio::test]
async fn of_throttling_may_pass() {
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
async fn of_rights_and_credentials_must_be_mended() {
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
async fn of_the_service_itself_may_pass() {
    for fault in faults_of(500, &["InternalServerError"]).await {
        assert!(matches!(fault, StoreError::Unavailable(_)), "{fault:?}");
        assert!(fault.is_retryable());
    }
}

#[tokio::test]
async fn of_half_an_answer_may_pass_and_do_not_repeat_it() {
    for fault in faults_at(&answers::halves(), DynamoDbLocal::timeouts()).await {
        assert!(matches!(fault, StoreError::Unavailable(_)), "{fault:?}");
        assert!(!chain(&fault).contains(answers::SECRET));
        assert!(!format!("{fault:?}").contains(answers::SECRET), "{fault:?}");
    }
}
