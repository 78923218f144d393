//! How the file is laid out, and how an older layout is brought up to date.

use redb::{Database, ReadableTable, TableDefinition, WriteTransaction};

use super::record;

/// The readings, by user and id.
pub(super) const READINGS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("readings");

/// The second order: user, data type and id, for each of [`READINGS`].
pub(super) const BY_TYPE: TableDefinition<&[u8], ()> = TableDefinition::new("readings_by_type");

/// Which layout it is, under [`VERSION_KEY`].
const FORMAT: TableDefinition<&str, u32> = TableDefinition::new("format");
const VERSION_KEY: &str = "version";

/// 1 had no [`BY_TYPE`].
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

/// Makes the tables of a new file, brings those of an old one up to date in one
/// transaction, or finds that the file is not ours.
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
        // The transaction is dropped, and with it the version it wrote.
        Some(other) => return Err(PrepareError::Format(other)),
    }
    transaction.commit()?;
    Ok(())
}

/// Adds the second order to a file of version 1.
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
            // It cannot be listed in any order, and is told where it is met.
            Err(_) => unreadable += 1,
        }
    }
    tracing::info!(
        ordered,
        unreadable,
        "the store's file was brought up to date"
    );
    Ok(())
}
