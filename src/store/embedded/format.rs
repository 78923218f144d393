//! Tables of the file, and migration of older formats.

use redb::{Database, ReadableTable, TableDefinition, WriteTransaction};

use super::record;

/// Readings by user and id.
pub(super) const READINGS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("readings");

/// Index of [`READINGS`] by user, data type and id.
pub(super) const BY_TYPE: TableDefinition<&[u8], ()> = TableDefinition::new("readings_by_type");

/// Format version, under [`VERSION_KEY`].
const FORMAT: TableDefinition<&str, u32> = TableDefinition::new("format");
const VERSION_KEY: &str = "version";

/// Version 1 had no [`BY_TYPE`].
pub(super) const VERSION: u32 = 2;

pub(super) enum PrepareError {
    Engine(Box<redb::Error>),
    Format(u32),
}

impl<E: Into<redb::Error>> From<E> for PrepareError {
    fn from(error: E) -> Self {
        Self::Engine(Box::new(error.into()))
    }
}

/// Creates the tables of a new file, or migrates an older one, in one transaction.
/// Fails on an unknown format.
pub(super) fn prepare(database: &Database) -> Result<(), PrepareError> {
    let transaction = database.begin_write()?;
    let found = {
        let mut format = transaction.open_table(FORMAT)?;
        let found = format.insert(VERSION_KEY, VERSION)?;
        found.map(|version| version.value())
    };
    match found {
        None | Some(VERSION) => {
            transaction.open_table(READINGS)?;
            transaction.open_table(BY_TYPE)?;
        }
        Some(1) => build_type_index(&transaction)?,
        // Dropping the transaction undoes the version that it wrote.
        Some(other) => return Err(PrepareError::Format(other)),
    }
    transaction.commit()?;
    Ok(())
}

/// Builds the index by type, for a file of version 1.
fn build_type_index(transaction: &WriteTransaction) -> Result<(), PrepareError> {
    let readings = transaction.open_table(READINGS)?;
    let mut by_type = transaction.open_table(BY_TYPE)?;
    let (mut ordered, mut unreadable) = (0_u64, 0_u64);
    for entry in readings.iter()? {
        let (key, value) = entry?;
        match record::type_key_of_entry(key.value(), value.value()) {
            Ok(type_key) => {
                by_type.insert(type_key.as_slice(), ())?;
                ordered += 1;
            }
            // It cannot be listed by type; reading it reports the corruption.
            Err(_) => unreadable += 1,
        }
    }
    tracing::info!(
        ordered,
        unreadable,
        "database file migrated to the current format"
    );
    Ok(())
}
