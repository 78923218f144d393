//! Stores under test, each new and empty.

use std::sync::Arc;

use clarity_backend::store::{
    DynamoDbSettings, DynamoDbStore, EmbeddedStore, InstrumentedStore, ReadingStore,
};
use tempfile::TempDir;

use crate::dynamodb::raw;
use crate::support::dynamodb_local::DynamoDbLocal;

pub trait Backend {
    /// Creates an empty store.
    async fn new() -> Self;

    /// Reopens the store, as a new process would.
    async fn reopened(self) -> Self;

    fn store(&self) -> &dyn ReadingStore;
}

/// An embedded store in a temporary directory.
pub struct Embedded {
    store: EmbeddedStore,
    directory: TempDir,
}

impl Backend for Embedded {
    async fn new() -> Self {
        let directory = temporary_directory();
        Self {
            store: EmbeddedStore::open(directory.path()).unwrap(),
            directory,
        }
    }

    async fn reopened(self) -> Self {
        let Self { store, directory } = self;
        drop(store);
        Self {
            store: EmbeddedStore::open(directory.path()).unwrap(),
            directory,
        }
    }

    fn store(&self) -> &dyn ReadingStore {
        &self.store
    }
}

/// An instrumented embedded store, as in the service.
pub struct Measured {
    store: InstrumentedStore,
    directory: TempDir,
}

impl Measured {
    fn in_directory(directory: TempDir) -> Self {
        let store = EmbeddedStore::open(directory.path()).unwrap();
        Self {
            store: InstrumentedStore::new(Arc::new(store)),
            directory,
        }
    }
}

impl Backend for Measured {
    async fn new() -> Self {
        Self::in_directory(temporary_directory())
    }

    async fn reopened(self) -> Self {
        let Self { store, directory } = self;
        drop(store);
        Self::in_directory(directory)
    }

    fn store(&self) -> &dyn ReadingStore {
        &self.store
    }
}

/// A store with a table of its own in the shared DynamoDB Local.
pub struct DynamoDb {
    store: DynamoDbStore,
    settings: DynamoDbSettings,
}

impl DynamoDb {
    pub fn table(&self) -> &str {
        &self.settings.table
    }

    pub fn settings(&self) -> &DynamoDbSettings {
        &self.settings
    }
}

impl Backend for DynamoDb {
    async fn new() -> Self {
        let settings = dynamodb_settings(DynamoDbLocal::shared().endpoint());
        let store = connect_to_local(&settings).await;
        store.create_table_if_missing().await.unwrap();
        Self { store, settings }
    }

    async fn reopened(self) -> Self {
        Self {
            store: connect_to_local(&self.settings).await,
            settings: self.settings,
        }
    }

    fn store(&self) -> &dyn ReadingStore {
        &self.store
    }
}

/// A store whose table lacks the index by type.
pub struct DynamoDbWithoutIndex(DynamoDb);

impl Backend for DynamoDbWithoutIndex {
    async fn new() -> Self {
        let settings = dynamodb_settings(DynamoDbLocal::shared().endpoint());
        raw::create_table_without_index(&settings).await;
        let store = connect_to_local(&settings).await;
        Self(DynamoDb { store, settings })
    }

    async fn reopened(self) -> Self {
        Self(self.0.reopened().await)
    }

    fn store(&self) -> &dyn ReadingStore {
        self.0.store()
    }
}

/// Connects to the table in DynamoDB Local.
pub async fn connect_to_local(settings: &DynamoDbSettings) -> DynamoDbStore {
    DynamoDbStore::connect_with(settings.clone(), DynamoDbLocal::timeouts()).await
}

/// Returns settings for a new table at `endpoint`.
pub fn dynamodb_settings(endpoint: &str) -> DynamoDbSettings {
    DynamoDbSettings {
        table: DynamoDbLocal::new_table_name(),
        region: "us-east-1".to_owned(),
        endpoint: Some(endpoint.to_owned()),
        placeholder_credentials: true,
        fast_query_parser: true,
    }
}

/// Creates a directory that is removed when dropped.
pub fn temporary_directory() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}
