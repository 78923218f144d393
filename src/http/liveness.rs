use axum::body::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

/// What `/health` answers, which is always the same.
pub struct LivenessBody(Bytes);

impl LivenessBody {
    /// That of a service in this environment.
    ///
    /// # Errors
    /// When it has no JSON form, which is a fault of ours.
    pub fn new(environment: &'static str) -> Result<Self, serde_json::Error> {
        let alive = HealthResponse {
            status: "healthy",
            service: env!("CARGO_PKG_NAME"),
            environment,
            version: env!("CARGO_PKG_VERSION"),
        };
        serde_json::to_vec(&alive).map(|json| Self(json.into()))
    }

    /// Its JSON text.
    pub fn json(&self) -> Bytes {
        self.0.clone()
    }
}

/// A sign of life.
#[derive(Serialize, ToSchema)]
pub struct HealthResponse {
    /// Always `healthy`.
    #[schema(example = "healthy")]
    status: &'static str,
    /// Which service this is.
    #[schema(example = "clarity-backend")]
    service: &'static str,
    /// Where it runs.
    #[schema(example = "development")]
    environment: &'static str,
    /// Its version.
    #[schema(example = "0.1.0")]
    version: &'static str,
}
