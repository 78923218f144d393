//! Puts the service together, and runs it.
//!
//! Only here are the concrete store, insight provider and clock named.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderValue;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::auth::{ApiKeys, KeyRing, KeyRingError, KeySource, SecretsManager, TokenVerifier};
use crate::config::{
    Config, CorsConfig, Environment, InsightConfig, KeyList, LimitConfig, ShutdownConfig,
    StoreConfig, TableConfig,
};
use crate::domain::Clock;
use crate::http::{
    self, AdmissionControl, AllowedOrigins, AppServices, AppState, CursorKeys, Deadlines,
    LeasedStore, LivenessBody, Pseudonymizer, RateLimits, Readiness, RequestsPerMinute,
    SchedulerLag, TrustedProxies,
};
use crate::insights::gemini::{GeminiClient, GeminiSettings, Timing};
use crate::insights::{GeminiProvider, InsightProvider, Insights, StatisticalProvider};
use crate::server::{self, ConnectionLimits, ShutdownPhase};
use crate::store::{
    DynamoDbSettings, DynamoDbStore, EmbeddedStore, InstrumentedStore, LegacyTable, ReadingStore,
};
use crate::telemetry::{Metrics, error_chain};

/// How much longer the request of a question may take than its answer, which
/// falls back on statistics in time.
const INSIGHT_MARGIN: Duration = Duration::from_secs(5);

/// How long before the deadline of a stop requests in flight are cut off: what
/// was counted, and the end of traces, are still to be told.
const FLUSH_RESERVE: Duration = Duration::from_secs(3);

/// A scraper or two, and somebody who looks.
const METRICS_CONNECTIONS: ConnectionLimits = ConnectionLimits {
    max_open: 16,
    // Longer than Prometheus waits between two scrapes by default, a minute.
    idle_timeout: Duration::from_secs(75),
    write_timeout: Duration::from_secs(10),
};

/// The service, ready to be served.
pub struct App {
    state: AppState,
    /// Which web pages may talk to it.
    allowed_origins: AllowedOrigins,
    /// Whether clients reach it by HTTPS alone.
    is_behind_https: bool,
    reload_keys_every: Duration,
    shutdown: ShutdownConfig,
    connections: ConnectionLimits,
    monitors_scheduler_lag: bool,
}

impl App {
    /// Puts the service together as `config` says.
    ///
    /// # Errors
    /// When the embedded store cannot be opened, the table of a development
    /// service cannot be made, or the keys that clients present cannot be read. A
    /// production service starts without its table, and is not ready until there
    /// is one.
    pub async fn build(config: &Config) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let store = open_store(&config.store, config.environment).await?;
        let store = Arc::new(InstrumentedStore::new(store));
        Self::with_store(config, store, Arc::new(SystemClock)).await
    }

    /// Puts the service together over a given store and clock.
    ///
    /// # Errors
    /// When the keys that clients present cannot be read, or there is no way to
    /// ask the issuer of tokens or Gemini with these settings.
    pub async fn with_store(
        config: &Config,
        store: Arc<dyn ReadingStore>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let tokens = config.tokens.as_ref().map(|tokens| {
            TokenVerifier::new(tokens.issuer.clone(), tokens.key_set_url.clone()).map(Arc::new)
        });
        let admission = AdmissionControl::for_cores(deadlines(config));
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
                scheduler_lag: SchedulerLag::default(),
                limits: Arc::new(rate_limits(&config.limits)),
                trusted_proxies: TrustedProxies::from_iter(config.limits.trusted_proxies.clone()),
                pseudonyms: Pseudonymizer::derive(&config.service_secrets.current),
                liveness_body: LivenessBody::new(config.environment.as_str())?,
            }),
            allowed_origins: allowed_origins(&config.cors),
            is_behind_https: config.environment == Environment::Production,
            reload_keys_every: config.keys.reload_every,
            shutdown: config.shutdown.clone(),
            connections: ConnectionLimits {
                max_open: config.connections.most,
                idle_timeout: config.connections.idle,
                write_timeout: config.connections.stall,
            },
            monitors_scheduler_lag: true,
        })
    }

    /// Disables load shedding by scheduler lag, for a process that runs several
    /// services or other work: it cannot tell its own load from theirs.
    #[must_use]
    pub fn without_scheduler_lag_monitor(mut self) -> Self {
        self.monitors_scheduler_lag = false;
        self
    }

    /// What it answers requests with.
    pub fn router(&self) -> Router {
        http::router(
            self.state.clone(),
            &self.allowed_origins,
            self.is_behind_https,
        )
    }

    /// Serves on `listener` until `stop` is done, then for the grace that the
    /// settings give, though not ready any more, and until what was in flight
    /// then is answered, or has had its time.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        // Aborted when this function returns. A task of its own, as it measures
        // how long a runnable task waits for a core.
        let mut monitor = JoinSet::new();
        if self.monitors_scheduler_lag {
            monitor.spawn(self.state.scheduler_lag.clone().monitor());
        }
        let (phase, phases) = watch::channel(ShutdownPhase::Running);
        let readiness = Arc::clone(&self.state.readiness);
        let shutdown = async {
            stop.await;
            let deadline = self.shutdown.deadline;
            let over = Instant::now() + deadline - FLUSH_RESERVE.min(deadline / 4);
            readiness.begin_shutdown();
            tracing::info!("stopping");
            phase.send_replace(ShutdownPhase::Quiescing);
            tokio::time::sleep(self.shutdown.grace).await;
            phase.send_replace(ShutdownPhase::Draining);
            tokio::time::sleep_until(over).await;
            phase.send_replace(ShutdownPhase::Terminated);
            std::future::pending().await
        };
        let keep_token_keys_fresh = async {
            match self.state.tokens.clone() {
                Some(tokens) => tokens.refresh_loop().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            never = self.state.api_keys.refresh_loop(self.reload_keys_every) => match never {},
            never = keep_token_keys_fresh => match never {},
            never = shutdown => { let _: Infallible = never; }
            () = server::serve(listener, self.router(), self.connections, phases) => {}
        }
        tracing::info!("stopped");
    }
}

/// Answers Prometheus at `address` with what is counted, or never if there is
/// no address.
///
/// # Errors
/// When it cannot listen there.
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
    // Nobody waits for an answer when the process ends.
    let (_serving, phases) = watch::channel(ShutdownPhase::Running);
    let router = server::metrics_router(metrics.clone());
    server::serve(listener, router, METRICS_CONNECTIONS, phases).await;
    Err("the listener for metrics ended".into())
}

fn insight_provider(
    config: &InsightConfig,
) -> Result<Arc<dyn InsightProvider>, Box<dyn Error + Send + Sync>> {
    let Some(gemini) = &config.gemini else {
        return Ok(Arc::new(StatisticalProvider));
    };
    let client = GeminiClient::new(GeminiSettings {
        api_key: gemini.api_key.clone(),
        model: gemini.model.parse()?,
        fallback_model: gemini
            .fallback_model
            .as_deref()
            .map(str::parse)
            .transpose()?,
        base_url: gemini.base_url.clone(),
        api_version: gemini.api_version.parse()?,
        timing: Timing::default(),
    })?;
    Ok(Arc::new(GeminiProvider::new(
        client,
        config.deadline,
        config.cache_ttl,
    )))
}

fn deadlines(config: &Config) -> Deadlines {
    Deadlines {
        data: config.deadlines.data,
        bulk: config.deadlines.bulk,
        insights: config.insights.deadline + INSIGHT_MARGIN,
    }
}

fn rate_limits(config: &LimitConfig) -> RateLimits {
    RateLimits::new(RequestsPerMinute {
        reads: config.reads,
        writes: config.writes,
        insights: config.insights,
        failed_authentications: config.failed_authentications,
    })
}

fn allowed_origins(config: &CorsConfig) -> AllowedOrigins {
    match config {
        CorsConfig::Any => AllowedOrigins::Any,
        CorsConfig::Only(origins) => {
            let origins = origins.iter().map(|origin| HeaderValue::from_str(origin));
            AllowedOrigins::Only(origins.flatten().collect())
        }
    }
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
    KeyRing::open(fixed, source, config.keys.refused.clone()).await
}

/// Opens the store that readings are kept in.
///
/// # Errors
/// When the embedded store cannot be opened, or the table of a development
/// service cannot be made.
pub async fn open_store(
    config: &StoreConfig,
    environment: Environment,
) -> Result<Arc<dyn ReadingStore>, Box<dyn Error + Send + Sync>> {
    match config {
        StoreConfig::Embedded { directory } => Ok(Arc::new(EmbeddedStore::open(directory)?)),
        StoreConfig::DynamoDb(table) => {
            let store = DynamoDbStore::connect(dynamodb_settings(table)).await;
            match environment {
                Environment::Development => store.create_table_if_missing().await?,
                Environment::Production => {
                    if let Err(error) = store.warm_up().await {
                        tracing::error!(error = error_chain(&error), "the store does not answer");
                    }
                }
            }
            Ok(Arc::new(store))
        }
    }
}

/// Connects to a table that the Python service wrote.
pub async fn open_legacy_table(config: &TableConfig) -> LegacyTable {
    LegacyTable::connect(dynamodb_settings(config)).await
}

fn dynamodb_settings(config: &TableConfig) -> DynamoDbSettings {
    DynamoDbSettings {
        table: config.table.clone(),
        region: config.region.clone(),
        endpoint: config.endpoint.clone(),
        placeholder_credentials: config.endpoint.is_some() && !config.has_credentials,
        fast_query_parser: true,
    }
}

/// The system's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
