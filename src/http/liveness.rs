use axum::body::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

/// Serialized response of `/health`. It is constant, so it is made once.
pub struct LivenessBody(Bytes);

impl LivenessBody {
    /// Serializes the response of a service in `environment`.
    ///
    /// # Errors
    /// Fails if serialization fails, which is a bug.
    pub fn new(environment: &'static str) -> Result<Self, serde_json::Error> {
        let alive = HealthResponse {
            status: "healthy",
            service: env!("CARGO_PKG_NAME"),
            environment,
            version: env!("CARGO_PKG_VERSION"),
        };
        serde_json::to_vec(&alive).map(|json| Self(json.into()))
    }

    /// Returns the JSON text.
    pub fn json(&self) -> Bytes {
        self.0.clone()
    }
}

/// Liveness of the service.
#[derive(Serialize, ToSchema)]
pub struct HealthResponse {
    /// Liveness, always `healthy`.
    #[schema(example = "healthy")]
    status: &'static str,
    /// Name of the service.
    #[schema(example = "clarity-backend")]
    service: &'static str,
    /// Environment that the service is configured for: `development` or
    /// `production`.
    #[schema(example = "development")]
    environment: &'static str,
    /// Version of the service.
    #[schema(example = "0.1.0")]
    version: &'static str,
}
