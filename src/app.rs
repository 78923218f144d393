//! Composition root: builds the service from its configuration and runs it.
//!
//! It is the only module that names concrete stores, insight providers and clocks.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::auth::{ApiKeys, KeyRing, KeyRingError, KeySource, SecretsManager, TokenVerifier};
use crate::config::{Config, Environment, InsightConfig, KeyList, ShutdownConfig, StoreConfig};
use crate::domain::Clock;
use crate::http::{
    self, AdmissionControl, AllowedOrigins, AppServices, AppState, CursorKeys, LeasedStore,
    LivenessBody, Pseudonymizer, RateLimits, Readiness,
};
use crate::insights::gemini::GeminiClient;
use crate::insights::{GeminiProvider, InsightProvider, Insights, StatisticalProvider};
use crate::server::{self, ConnectionErrors, ConnectionLimits, ShutdownPhase};
use crate::store::{
    DynamoDbSettings, DynamoDbStore, EmbeddedStore, InstrumentedStore, LegacyTable, ReadingStore,
};
use crate::telemetry::{Metrics, error_chain};

/// Time between the end of requests in flight and the shutdown deadline, for the
/// last metrics and traces to be flushed.
const FLUSH_RESERVE: Duration = Duration::from_secs(3);

/// Limits of the metrics listener: enough for some scrapers and manual requests.
const METRICS_CONNECTIONS: ConnectionLimits = ConnectionLimits {
    max_open: 16,
    // Longer than the default scrape interval of Prometheus, one minute.
    idle_timeout: Duration::from_secs(75),
    write_timeout: Duration::from_secs(10),
};

/// Service that is ready to serve.
pub struct App {
    state: AppState,
    allowed_origins: AllowedOrigins,
    /// True if clients reach the service by HTTPS only.
    is_behind_https: bool,
    key_reload_interval: Duration,
    shutdown: ShutdownConfig,
    connections: ConnectionLimits,
}

impl App {
    /// Builds the service with the configured store and the system's clock.
    ///
    /// # Errors
    /// If the embedded store cannot be opened, the table of a development service
    /// cannot be created, or the API keys cannot be read. A production service
    /// starts without its table, and is not ready until the table exists.
    pub async fn build(config: &Config) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let store = open_store(&config.store, config.environment).await?;
        let store = Arc::new(InstrumentedStore::new(store));
        Self::with_store(config, store, Arc::new(SystemClock)).await
    }

    /// Builds the service with another store and clock.
    ///
    /// # Errors
    /// If the API keys cannot be read, or the clients of the token issuer or of
    /// Gemini cannot be built.
    pub async fn with_store(
        config: &Config,
        store: Arc<dyn ReadingStore>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let tokens = config.tokens.as_ref().map(|tokens| {
            TokenVerifier::new(tokens.issuer.clone(), tokens.key_set_url.clone()).map(Arc::new)
        });
        let admission = AdmissionControl::for_cores(config.deadlines);
        Ok(Self {
            state: Arc::new(AppServices {
                tokens: tokens.transpose()?,
                readiness: Arc::new(Readiness::new(Arc::clone(&store))),
                store: LeasedStore::new(store, &admission),
                insights: Insights::new(insight_provider(&config.insights)?),
                clock,
                api_keys: Arc::new(open_key_ring(config).await?),
                cursor_keys: CursorKeys::derive(config.service_secrets.iter()),
                admission,
                rate_limits: Arc::new(RateLimits::new(config.rate_limits)),
                trusted_proxies: config.trusted_proxies.clone(),
                pseudonymizer: Pseudonymizer::derive(&config.service_secrets.current),
                liveness_body: LivenessBody::new(config.environment.as_str())?,
            }),
            allowed_origins: config.allowed_origins.clone(),
            is_behind_https: config.environment == Environment::Production,
            key_reload_interval: config.keys.reload_interval,
            shutdown: config.shutdown.clone(),
            connections: config.connections,
        })
    }

    /// Returns the router of the public API.
    pub fn router(&self) -> Router {
        http::router(
            self.state.clone(),
            &self.allowed_origins,
            self.is_behind_https,
        )
    }

    /// Serves on `listener` until `stop` completes, and then shuts down gracefully:
    /// readiness fails at once, connections are accepted for the grace period, and
    /// requests in flight are drained until shortly before the deadline.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let (phase, phases) = watch::channel(ShutdownPhase::Running);
        let shutdown = async {
            stop.await;
            let deadline = self.shutdown.deadline;
            let end = Instant::now() + deadline - FLUSH_RESERVE.min(deadline / 4);
            self.state.readiness.begin_shutdown();
            tracing::info!("stopping");
            phase.send_replace(ShutdownPhase::Quiescing);
            tokio::time::sleep(self.shutdown.grace).await;
            phase.send_replace(ShutdownPhase::Draining);
            tokio::time::sleep_until(end).await;
            phase.send_replace(ShutdownPhase::Terminated);
            std::future::pending().await
        };
        let refresh_token_keys = async {
            match self.state.tokens.clone() {
                Some(tokens) => tokens.refresh_loop().await,
                None => std::future::pending().await,
            }
        };
        let errors = http::connection_errors(self.state.clone(), self.is_behind_https);
        let errors = ConnectionErrors::new(errors);
        tokio::select! {
            never = self.state.api_keys.refresh_loop(self.key_reload_interval) => match never {},
            never = refresh_token_keys => match never {},
            never = shutdown => { let _: Infallible = never; }
            () = server::serve(listener, self.router(), Some(errors), self.connections, phases) => {}
        }
        tracing::info!("stopped");
    }
}

/// Serves metrics for Prometheus at `address`; waits forever if there is none.
///
/// # Errors
/// If the address cannot be bound.
pub async fn serve_metrics(
    address: Option<SocketAddr>,
    metrics: &Metrics,
) -> Result<Infallible, Box<dyn Error + Send + Sync>> {
    let Some(address) = address else {
        return Ok(std::future::pending().await);
    };
    let listener = TcpListener::bind(address).await.map_err(|error| {
        format!("cannot listen on {address}: {error}; set METRICS_ADDR to another address")
    })?;
    let address = listener.local_addr()?;
    tracing::info!(%address, "serving metrics");
    // Scrapes in flight need no graceful shutdown.
    let (_phase, phases) = watch::channel(ShutdownPhase::Running);
    let router = server::metrics_router(metrics.clone());
    server::serve(listener, router, None, METRICS_CONNECTIONS, phases).await;
    Err("the metrics listener failed".into())
}

fn insight_provider(
    config: &InsightConfig,
) -> Result<Arc<dyn InsightProvider>, Box<dyn Error + Send + Sync>> {
    let Some(gemini) = &config.gemini else {
        return Ok(Arc::new(StatisticalProvider));
    };
    let client = GeminiClient::new(gemini.clone())?;
    Ok(Arc::new(GeminiProvider::new(
        client,
        config.deadline,
        config.cache_ttl,
    )))
}

async fn open_key_ring(config: &Config) -> Result<KeyRing, KeyRingError> {
    let fixed = ApiKeys::with_full_access(&config.keys.with_full_access);
    let source = match &config.keys.listed {
        KeyList::None => return Ok(KeyRing::from_static(fixed)),
        KeyList::Inline(keys) => return Ok(KeyRing::from_static(fixed.merge(keys))),
        KeyList::File(path) => KeySource::File(path.clone()),
        KeyList::Secret {
            id,
            region,
            endpoint,
        } => KeySource::SecretsManager(
            SecretsManager::connect(id.clone(), region.clone(), endpoint.clone()).await,
        ),
    };
    KeyRing::open(fixed, source, config.keys.forbidden_key.clone()).await
}

/// Opens the store of the readings.
///
/// # Errors
/// If the embedded store cannot be opened, or the table of a development service
/// cannot be created.
pub async fn open_store(
    config: &StoreConfig,
    environment: Environment,
) -> Result<Arc<dyn ReadingStore>, Box<dyn Error + Send + Sync>> {
    match config {
        StoreConfig::Embedded { directory } => Ok(Arc::new(EmbeddedStore::open(directory)?)),
        StoreConfig::DynamoDb(settings) => {
            let store = DynamoDbStore::connect(settings.clone()).await;
            match environment {
                Environment::Development => store.create_table_if_missing().await?,
                Environment::Production => {
                    if let Err(error) = store.warm_up().await {
                        tracing::error!(
                            error = error_chain(&error),
                            "store unavailable at startup"
                        );
                    }
                }
            }
            Ok(Arc::new(store))
        }
    }
}

/// Opens the table of the Python service.
pub async fn open_legacy_table(settings: DynamoDbSettings) -> LegacyTable {
    LegacyTable::connect(settings).await
}

/// Clock of the operating system.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that others are given"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
