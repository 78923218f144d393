use std::sync::{Arc, PoisonError, RwLock};

use redb::Database;

use crate::store::StoreError;

/// The database as it is open now, or why it is not: once a read or a write has
/// failed, the engine does nothing more until it is opened anew.
pub(super) struct DatabaseHandle(RwLock<Result<Arc<Database>, StoreError>>);

impl DatabaseHandle {
    pub(super) fn new(database: Database) -> Self {
        Self(RwLock::new(Ok(Arc::new(database))))
    }

    /// The database, if it is open.
    pub(super) fn get(&self) -> Result<Arc<Database>, StoreError> {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        current.clone()
    }

    /// From now on gives `reason` instead of the database.
    pub(super) fn invalidate(&self, reason: StoreError) {
        self.replace(Err(reason));
    }

    pub(super) fn set(&self, database: Database) {
        self.replace(Ok(Arc::new(database)));
    }

    fn replace(&self, current: Result<Arc<Database>, StoreError>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = current;
    }
}
