use std::error::Error;
use std::iter::successors;
use std::sync::Arc;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::store::StoreError;

/// Tells what an error of the SDK means for this table.
#[derive(Clone)]
pub(super) struct ErrorMapper {
    table: String,
}

/// What DynamoDB service_error: its error code, and its id of the request for a
/// support case. Its message is left out, as it may repeat what was sent.
#[derive(Debug, thiserror::Error)]
#[error("{operation} was answered {code} (AWS request id {aws_request_id})")]
struct ServiceRejection {
    operation: &'static str,
    code: String,
    aws_request_id: String,
}

/// That no answer came, and why.
#[derive(Debug, thiserror::Error)]
#[error("{operation} was not answered{advice}")]
struct NoResponse {
    operation: &'static str,
    advice: &'static str,
    #[source]
    source: Box<dyn Error + Send + Sync>,
}

/// Whether there is nobody to be: no credentials where any could be.
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

    /// The class of error that `error` of `operation` belongs to.
    pub(super) fn classify<E>(&self, operation: &'static str, error: SdkError<E>) -> StoreError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let Some(service_error) = error.as_service_error() else {
            return StoreError::unavailable(NoResponse {
                operation,
                advice: if lacks_credentials(&error) {
                    ", as there are no AWS credentials: give the task a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                } else {
                    ""
                },
                // Not a service's error, so it holds nothing that was sent.
                source: error.into(),
            });
        };
        let code = service_error
            .meta()
            .code()
            .unwrap_or("an error without a code");
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
                    "there is no table {table} here: create it, or set DYNAMODB_TABLE, AWS_REGION and the account right"
                ),
                rejection,
            ),
            "AccessDeniedException" => misconfigured(
                format!(
                    "the task's role may not dynamodb:{operation} on table {table} or its index: allow it"
                ),
                rejection,
            ),
            "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "ExpiredTokenException"
            | "MissingAuthenticationTokenException"
            | "IncompleteSignatureException" => misconfigured(
                "AWS does not accept the credentials: renew them, and see that the clock is right"
                    .to_owned(),
                rejection,
            ),
            "ValidationException" => misconfigured(
                format!(
                    "table {table} does not take the request: its partition key must be user_id (S) and its sort key data_id (S)"
                ),
                rejection,
            ),
            "SerializationException" | "UnknownOperationException" => misconfigured(
                format!(
                    "what answers does not understand dynamodb:{operation}: check that it is DynamoDB, and that nothing on the way changes requests"
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
