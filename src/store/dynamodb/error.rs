use std::error::Error;
use std::iter::successors;
use std::sync::Arc;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::store::StoreError;

/// Maps errors of the SDK to [`StoreError`]s for one table.
#[derive(Clone)]
pub(super) struct ErrorMapper {
    table: String,
}

/// Error response of DynamoDB: its code, and its request id for a support case. The
/// message is omitted, as it may repeat data of the request.
#[derive(Debug, thiserror::Error)]
#[error("{operation} failed with {code} (AWS request id {aws_request_id})")]
struct ServiceRejection {
    operation: &'static str,
    code: String,
    aws_request_id: String,
}

/// Failure without a response.
#[derive(Debug, thiserror::Error)]
#[error("{operation} received no response{advice}")]
struct NoResponse {
    operation: &'static str,
    advice: &'static str,
    #[source]
    source: Box<dyn Error + Send + Sync>,
}

/// Returns `true` if the credential chain found no credentials.
fn lacks_credentials(error: &(dyn Error + 'static)) -> bool {
    successors(Some(error), |&error| error.source())
        .filter_map(|error| error.downcast_ref())
        .any(|error| matches!(error, CredentialsError::CredentialsNotLoaded(_)))
}

impl ErrorMapper {
    pub(super) fn for_table(table: &str) -> Self {
        Self {
            table: table.to_owned(),
        }
    }

    /// Converts the `error` of `operation`.
    pub(super) fn classify<E>(&self, operation: &'static str, error: SdkError<E>) -> StoreError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let Some(service_error) = error.as_service_error() else {
            return StoreError::unavailable(NoResponse {
                operation,
                advice: if lacks_credentials(&error) {
                    ", as no AWS credentials were found: give the task a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                } else {
                    ""
                },
                // Only errors of the service can repeat data of the request.
                source: error.into(),
            });
        };
        let code = service_error
            .meta()
            .code()
            .unwrap_or("an unknown error code");
        let code = code.to_owned();
        let rejection = ServiceRejection {
            operation,
            aws_request_id: error
                .raw_response()
                .and_then(|response| response.headers().get("x-amzn-requestid"))
                .unwrap_or("unknown")
                .to_owned(),
            code,
        };
        let table = &self.table;
        match rejection.code.as_str() {
            "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "ThrottlingException"
            | "Throttling" => StoreError::Throttled(Arc::new(rejection)),
            "ResourceNotFoundException" => misconfigured(
                format!(
                    "table {table} does not exist in this account and region: create it, or correct DYNAMODB_TABLE, AWS_REGION or the account"
                ),
                rejection,
            ),
            "AccessDeniedException" => misconfigured(
                format!(
                    "the task's role lacks the permission dynamodb:{operation} on table {table} or its index: grant it"
                ),
                rejection,
            ),
            "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "ExpiredTokenException"
            | "MissingAuthenticationTokenException"
            | "IncompleteSignatureException" => misconfigured(
                "AWS rejected the credentials: renew them, and check the system clock".to_owned(),
                rejection,
            ),
            "ValidationException" => misconfigured(
                format!(
                    "table {table} rejected the request: its partition key must be user_id (S) and its sort key data_id (S)"
                ),
                rejection,
            ),
            "SerializationException" | "UnknownOperationException" => misconfigured(
                format!(
                    "the endpoint does not support dynamodb:{operation}: check that it is DynamoDB, and that no proxy alters requests"
                ),
                rejection,
            ),
            _ => StoreError::unavailable(rejection),
        }
    }
}

fn misconfigured(advice: String, cause: impl Error + Send + Sync + 'static) -> StoreError {
    StoreError::Misconfigured {
        advice,
        cause: Arc::new(cause),
    }
}
