//! Opening, migrating and reading files of the embedded store.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clarity_backend::domain::{DataTypes, ListQuery, Reading, ReadingId};
use clarity_backend::store::{
    BatchPutStatus, EmbeddedStore, OpenError, PutResult, ReadingStore, StoreError, erase_user,
    put_batch,
};
use redb::{Database, ReadableDatabase, ReadableTableMetadata, TableDefinition};

use crate::backend::temporary_directory;
use crate::concurrency::run_concurrently;
use crate::samples::{all_of, series};
use crate::unreadable::{COUNT, check_lists, unreadable_ids};

const READINGS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("readings");
const FORMAT: TableDefinition<'_, &str, u32> = TableDefinition::new("format");

fn file_in(directory: &Path) -> PathBuf {
    directory.join("readings.redb")
}

fn open_error(directory: &Path) -> OpenError {
    EmbeddedStore::open(directory)
        .err()
        .expect("the store should not open")
}

/// Creates a store with these readings in the directory.
async fn fill(directory: &Path, readings: &[Reading]) {
    let store = EmbeddedStore::open(directory).unwrap();
    for outcome in run_concurrently(readings.iter().map(|reading| store.put(reading.clone()))).await
    {
        outcome.unwrap();
    }
}

#[tokio::test]
async fn reopened_store_has_all_readings() {
    let directory = temporary_directory();
    let readings = series("someone", 100);
    fill(directory.path(), &readings).await;
    for _ in 0..2 {
        let store = EmbeddedStore::open(directory.path()).unwrap();
        let page = store.list(&all_of("someone")).await.unwrap();
        assert_eq!(page.readings, readings);
    }
}

#[tokio::test]
async fn missing_directories_are_created() {
    let directory = temporary_directory();
    let below = directory.path().join("some").join("where");
    EmbeddedStore::open(&below).unwrap().check().await.unwrap();
    assert!(file_in(&below).is_file());
}

#[cfg(unix)]
#[tokio::test]
async fn created_directory_is_private() {
    use std::os::unix::fs::PermissionsExt;

    let directory = temporary_directory();
    let below = directory.path().join("data");
    drop(EmbeddedStore::open(&below).unwrap());
    let mode = fs::metadata(&below).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn directory_in_use_is_rejected_until_released() {
    let directory = temporary_directory();
    let first = EmbeddedStore::open(directory.path()).unwrap();
    let error = open_error(directory.path());
    assert!(matches!(&error, OpenError::InUse { path } if *path == file_in(directory.path())));
    first.check().await.unwrap();
    drop(first);
    EmbeddedStore::open(directory.path()).unwrap();
}

#[test]
fn file_in_place_of_the_directory_is_an_error() {
    let directory = temporary_directory();
    let file = directory.path().join("file");
    fs::write(&file, "text").unwrap();
    for path in [file.clone(), file.join("below")] {
        let error = open_error(&path);
        assert!(
            matches!(&error, OpenError::Directory { directory, .. } if *directory == path),
            "{error:?}"
        );
        assert!(error.to_string().contains("CLARITY_DATA_DIR"));
        assert!(error.source().is_some());
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "text");
}

#[test]
fn directory_in_place_of_the_file_is_an_error() {
    let directory = temporary_directory();
    fs::create_dir(file_in(directory.path())).unwrap();
    let error = open_error(directory.path());
    assert!(matches!(error, OpenError::Engine { .. }), "{error:?}");
}

#[test]
fn foreign_file_is_an_error_and_unchanged() {
    for garbage in [
        Vec::new(),
        b"garbage".to_vec(),
        vec![0; 100_000],
        b"redb\x1A\x0A\xA9\x0D\x0A".to_vec(),
        [b"redb\x1A\x0A\xA9\x0D\x0A".as_slice(), &[0xff; 100_000]].concat(),
    ] {
        let directory = temporary_directory();
        let file = file_in(directory.path());
        fs::write(&file, &garbage).unwrap();
        let error = open_error(directory.path());
        assert!(matches!(error, OpenError::Engine { .. }), "{error:?}");
        assert!(error.to_string().contains("readings.redb"));
        assert!(fs::read(&file).unwrap() == garbage);
    }
}

#[tokio::test]
async fn truncated_file_is_an_error() {
    let directory = temporary_directory();
    fill(directory.path(), &series("someone", 500)).await;
    let file = file_in(directory.path());
    let whole = fs::read(&file).unwrap();
    for part in [whole.len() / 2, whole.len() - 4_096, 4_096, 64] {
        fs::write(&file, &whole[..part]).unwrap();
        let error = open_error(directory.path());
        assert!(matches!(error, OpenError::Engine { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn corruption_is_detected_or_harmless() {
    const PAGE: usize = 4_096;
    let readings = series("someone", 600);
    let written = temporary_directory();
    fill(written.path(), &readings).await;
    let whole = fs::read(file_in(written.path())).unwrap();
    let mut refused = 0;
    for page in 0..whole.len() / PAGE {
        let mut damaged = whole.clone();
        damaged[page * PAGE + 100] ^= 1;
        let directory = temporary_directory();
        fs::write(file_in(directory.path()), damaged).unwrap();
        match EmbeddedStore::open(directory.path()) {
            Err(error) => {
                assert!(matches!(error, OpenError::Engine { .. }), "{error:?}");
                refused += 1;
            }
            Ok(store) => {
                let list = store.list(&all_of("someone")).await.unwrap();
                assert!(list.readings == readings, "page {page}");
            }
        }
    }
    assert!(refused > 0);
}

#[tokio::test]
async fn unknown_format_is_an_error() {
    let directory = temporary_directory();
    fill(directory.path(), &[]).await;
    let database = Database::open(file_in(directory.path())).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction
        .open_table(FORMAT)
        .unwrap()
        .insert("version", 99)
        .unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = open_error(directory.path());
    assert!(matches!(error, OpenError::Format { found: 99, .. }));
    assert!(error.to_string().contains("99"));
}

const BY_TYPE: TableDefinition<'_, &[u8], ()> = TableDefinition::new("readings_by_type");

/// Version 1 had no index by type.
#[tokio::test]
async fn format_1_is_migrated() {
    let directory = temporary_directory();
    let readings = series("someone", 100);
    fill(directory.path(), &readings).await;
    let database = Database::open(file_in(directory.path())).unwrap();
    let transaction = database.begin_write().unwrap();
    assert!(transaction.delete_table(BY_TYPE).unwrap());
    transaction
        .open_table(FORMAT)
        .unwrap()
        .insert("version", 1)
        .unwrap();
    transaction.commit().unwrap();
    drop(database);
    for _ in 0..2 {
        let store = EmbeddedStore::open(directory.path()).unwrap();
        let query = ListQuery {
            data_types: DataTypes::try_from(vec!["heart_rate".parse().unwrap()]).unwrap(),
            ..all_of("someone")
        };
        assert_eq!(store.list(&query).await.unwrap().readings, readings);
        let all = store.list(&all_of("someone")).await.unwrap();
        assert_eq!(all.readings, readings);
    }
}

/// Returns the number of entries in the index by type.
fn keys_by_type(directory: &Path) -> u64 {
    let database = Database::open(file_in(directory)).unwrap();
    let transaction = database.begin_read().unwrap();
    transaction.open_table(BY_TYPE).unwrap().len().unwrap()
}

/// Deleted and erased readings leave the index by type too.
#[tokio::test]
async fn type_index_matches_the_readings() {
    let directory = temporary_directory();
    let readings = series("someone", 20);
    fill(directory.path(), &readings).await;
    assert_eq!(keys_by_type(directory.path()), 20);

    let store = EmbeddedStore::open(directory.path()).unwrap();
    let user_id = &readings[0].measurement.user_id;
    assert!(store.delete(user_id, readings[0].id).await.unwrap());
    put_batch(&store, readings[5..].to_vec()).await;
    drop(store);
    assert_eq!(keys_by_type(directory.path()), 19);

    let store = EmbeddedStore::open(directory.path()).unwrap();
    let patience = Duration::from_secs(60);
    assert_eq!(
        erase_user(&store, user_id, patience, |_| {})
            .await
            .unwrap()
            .deleted,
        19
    );
    drop(store);
    assert_eq!(keys_by_type(directory.path()), 0);
}

/// Overwrites the records with these ids.
fn make_unreadable(directory: &Path, ids: impl IntoIterator<Item = ReadingId>) {
    let database = Database::open(file_in(directory)).unwrap();
    let transaction = database.begin_write().unwrap();
    let mut table = transaction.open_table(READINGS).unwrap();
    for id in ids {
        let key = [b"someone\0", id.as_bytes().as_slice()].concat();
        table
            .insert(key.as_slice(), [0xff_u8; 3].as_slice())
            .unwrap();
    }
    drop(table);
    transaction.commit().unwrap();
}

#[tokio::test]
async fn unreadable_record_does_not_hide_others() {
    let directory = temporary_directory();
    let readings = series("someone", COUNT);
    fill(directory.path(), &readings).await;
    make_unreadable(directory.path(), unreadable_ids(&readings));
    let store = EmbeddedStore::open(directory.path()).unwrap();
    check_lists(&store, &readings).await;
}

/// An unreadable record affects only the operations that need it.
#[tokio::test]
async fn unreadable_record_affects_only_itself() {
    let directory = temporary_directory();
    let readings = series("someone", 3);
    fill(directory.path(), &readings).await;
    let unreadable = &readings[1];
    make_unreadable(directory.path(), [unreadable.id]);

    let store = EmbeddedStore::open(directory.path()).unwrap();
    let user_id = &unreadable.measurement.user_id;
    let got = store.get(user_id, unreadable.id).await;
    assert!(matches!(got, Err(StoreError::Corrupt(_))), "{got:?}");
    let listed = store.list(&all_of("someone")).await.unwrap();
    assert_eq!(listed.readings, [readings[0].clone(), readings[2].clone()]);
    assert_eq!(listed.unreadable[0].id, unreadable.id);
    let others = store.get(user_id, readings[0].id).await.unwrap();
    assert_eq!(others.as_ref(), Some(&readings[0]));

    // Concurrently, so that one commit contains them all.
    let more = [
        series("other", 1).remove(0),
        unreadable.clone(),
        readings[2].clone(),
    ];
    let outcomes = run_concurrently(more.iter().map(|reading| store.put(reading.clone()))).await;
    for (outcome, reading) in outcomes.into_iter().zip(&more) {
        match outcome {
            Ok(outcome) => assert_eq!(outcome, PutResult::Stored(reading.clone())),
            Err(StoreError::Corrupt(_)) => assert_eq!(reading, unreadable),
            Err(error) => panic!("{error:?}"),
        }
    }
    let outcomes = put_batch(&store, readings.clone()).await;
    assert!(matches!(outcomes[0], Ok(BatchPutStatus::Unchanged)));
    assert!(matches!(outcomes[1], Err(StoreError::Corrupt(_))));
    assert!(matches!(outcomes[2], Ok(BatchPutStatus::Unchanged)));
    assert!(store.delete(user_id, unreadable.id).await.unwrap());
    let page = store.list(&all_of("someone")).await.unwrap();
    assert_eq!(
        page.readings,
        [readings[0].clone(), readings[2].clone()],
        "the others remain"
    );
    let by_type = ListQuery {
        data_types: DataTypes::try_from(vec!["heart_rate".parse().unwrap()]).unwrap(),
        ..all_of("someone")
    };
    let of_type = store.list(&by_type).await.unwrap();
    assert_eq!(of_type.readings, page.readings);

    let erasure = erase_user(&store, user_id, Duration::from_secs(60), |_| {})
        .await
        .unwrap();
    assert_eq!((erasure.deleted, erasure.complete), (2, true));
    drop(store);
    assert_eq!(
        keys_by_type(directory.path()),
        1,
        "nothing of the user, in the other order either"
    );
}
