use std::sync::{Arc, PoisonError, RwLock};

use redb::Database;

use crate::store::StoreError;

/// Handle of the open database, or the reason why it is closed. After a failed read or
/// write the engine does nothing until it is reopened.
pub(super) struct DatabaseHandle(RwLock<Result<Arc<Database>, StoreError>>);

impl DatabaseHandle {
    pub(super) fn new(database: Database) -> Self {
        Self(RwLock::new(Ok(Arc::new(database))))
    }

    /// Returns the database if it is open.
    pub(super) fn get(&self) -> Result<Arc<Database>, StoreError> {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        current.clone()
    }

    /// Returns `reason` instead of the database from now on.
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
