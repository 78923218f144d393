//! The embedded store on a disk that fails while the store is open.

use std::sync::Arc;
use std::time::Duration;

use clarity_backend::domain::{Measurement, Metadata, Reading};
use clarity_backend::store::{EmbeddedStore, OpenError, ReadingStore, StoreError, put_batch};

use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::embedded::simulated_disk::{Disk, Fault};
use crate::samples::{all_of, measurement, reading, series, sorted};

const PATIENCE: Duration = Duration::from_secs(60);

fn open(disk: &Disk) -> Result<EmbeddedStore, OpenError> {
    let disk = disk.clone();
    EmbeddedStore::open_on(move || disk.clone())
}

/// Large readings, a few hundred of which exceed the space of a new store.
fn large(index: u32) -> Reading {
    let metadata = format!(r#"{{"note":"{}"}}"#, "x".repeat(16_000));
    reading(Measurement {
        value: f64::from(index).try_into().unwrap(),
        metadata: Metadata::parse(&metadata).unwrap(),
        ..measurement("someone", "2024-01-15T10:30:00Z")
    })
}

/// Waits until the store is ready.
async fn recover(store: &EmbeddedStore) {
    let recovered = async {
        while store.check().await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, recovered)
        .await
        .expect("it recovers by itself");
}

#[tokio::test]
async fn full_disk_rejects_writes_until_space_is_freed() {
    let disk = Disk::default();
    let store = open(&disk).unwrap();
    // The file grows in large steps, so it has free space.
    let mut stored: Vec<_> = (0..50).map(large).collect();
    for reading in &stored {
        store.put(reading.clone()).await.unwrap();
    }
    disk.set_fault(Fault::Full);
    let refused = loop {
        let reading = large(stored.len().try_into().unwrap());
        match store.put(reading.clone()).await {
            Ok(_) => stored.push(reading),
            Err(error) => break error,
        }
        assert!(stored.len() < 10_000, "the disk is never full");
    };
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    assert!(stored.len() > 50, "{} were stored before", stored.len());
    disk.set_fault(Fault::None);
    recover(&store).await;
    // A rejected reading may be stored or not, so it is put again.
    let next = large(stored.len().try_into().unwrap());
    store.put(next.clone()).await.unwrap();
    stored.push(next);
    let mut found = Vec::new();
    let mut query = all_of("someone");
    loop {
        let page = store.list(&query).await.unwrap();
        found.extend(page.readings);
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    assert!(found == sorted(stored));
}

/// Nothing is acknowledged or read during the fault; afterwards everything is there.
#[tokio::test]
async fn failed_writes_and_syncs_are_reported_until_they_succeed() {
    for fault in [Fault::Writes, Fault::Syncs] {
        let disk = Disk::default();
        let store = open(&disk).unwrap();
        let mut readings = series("someone", 20);
        let last = readings.pop().unwrap();
        for reading in &readings {
            store.put(reading.clone()).await.unwrap();
        }
        disk.set_fault(fault);
        let user_id = &last.measurement.user_id;
        for _ in 0..3 {
            let answers = [
                store.put(last.clone()).await.err(),
                store.check().await.err(),
                store.get(user_id, last.id).await.err(),
                store.delete(user_id, readings[0].id).await.err(),
            ];
            for answer in answers {
                let error = answer.expect("it cannot know");
                assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
            }
        }
        disk.set_fault(Fault::None);
        recover(&store).await;
        store.put(last.clone()).await.unwrap();
        readings.push(last);
        let page = store.list(&all_of("someone")).await.unwrap();
        assert_eq!(page.readings, readings);
    }
}

/// More large readings than the store caches.
const MANY: u32 = 2_500;

async fn disk_with_many() -> Disk {
    let disk = Disk::default();
    let store = open(&disk).unwrap();
    for outcome in put_batch(&store, (0..MANY).map(large).collect()).await {
        outcome.unwrap();
    }
    drop(store);
    assert!(disk.content().len() > 32 * 1024 * 1024);
    disk
}

/// After a failed read the engine fails all others, so the store reopens it.
#[tokio::test]
async fn failed_reads_are_reported_until_they_succeed() {
    let disk = disk_with_many().await;
    let store = open(&disk).unwrap();
    let user_id = measurement("someone", "2024-01-15T10:30:00Z").user_id;
    disk.set_fault(Fault::Reads);
    let mut reported = 0;
    for index in 0..MANY {
        match store.get(&user_id, large(index).id).await {
            Ok(found) => assert!(found.is_some()),
            Err(StoreError::Unavailable(_)) => reported += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(reported > 0);
    disk.set_fault(Fault::None);
    recover(&store).await;
    for index in (0..MANY).step_by(100) {
        let found = store.get(&user_id, large(index).id).await.unwrap();
        assert!(found.is_some());
    }
}

/// Starts a read of uncached data, which the disk does not complete.
async fn hang_a_read(disk: &Disk, store: &Arc<EmbeddedStore>) -> JoinHandle<()> {
    disk.hold_a_read();
    for index in 0..MANY {
        let store = Arc::clone(store);
        let read = tokio::spawn(async move {
            let large = large(index);
            let found = store.get(&large.measurement.user_id, large.id).await;
            match found {
                Ok(found) => assert_eq!(found, Some(large)),
                // The engine failed in the meantime.
                Err(error) => assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}"),
            }
        });
        while !read.is_finished() && !disk.a_read_waits() {
            tokio::task::yield_now().await;
        }
        if disk.a_read_waits() {
            return read;
        }
    }
    panic!("all is in memory");
}

/// Writes are rejected while a read blocks reopening the file, and succeed after it
/// ends.
#[tokio::test]
async fn hung_read_does_not_block_writes_after_a_failure() {
    let disk = disk_with_many().await;
    let store = Arc::new(open(&disk).unwrap());
    let hung = hang_a_read(&disk, &store).await;
    disk.fail_syncs([true]);
    for index in 0..3 {
        let refused = timeout(PATIENCE, store.put(large(MANY + index))).await;
        let error = refused.expect("an answer").expect_err("a refusal");
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    }
    assert!(disk.a_read_waits());
    disk.release_the_read();
    hung.await.unwrap();
    recover(&store).await;
    store.put(large(MANY)).await.unwrap();
}

#[tokio::test]
async fn store_with_a_hung_read_can_be_closed() {
    let disk = disk_with_many().await;
    let store = Arc::new(open(&disk).unwrap());
    let hung = hang_a_read(&disk, &store).await;
    disk.fail_syncs([true]);
    store.put(large(MANY)).await.unwrap_err();
    hung.abort();
    assert!(hung.await.unwrap_err().is_cancelled());
    let store = Arc::into_inner(store).unwrap();
    let closed = tokio::task::spawn_blocking(move || drop(store));
    timeout(PATIENCE, closed).await.expect("closed").unwrap();
    assert!(disk.a_read_waits());
    disk.release_the_read();
}

/// A write that is cancelled while the disk is slow is not written later.
#[tokio::test]
async fn cancelled_write_is_not_committed() {
    let disk = Disk::default();
    let store = open(&disk).unwrap();
    let [first, given_up, last] = series("someone", 3).try_into().unwrap();
    let put_first = store.put(first.clone());
    let others = async {
        disk.until_a_sync_waits();
        for _ in 0..3 {
            let put = store.put(given_up.clone());
            tokio::select! {
                biased;
                outcome = put => panic!("no sync, but {outcome:?}"),
                () = std::future::ready(()) => {}
            }
        }
        disk.release_syncs();
        store.put(last.clone()).await
    };
    disk.hold_syncs();
    let (put_first, put_last) = tokio::join!(biased; put_first, others);
    put_first.unwrap();
    put_last.unwrap();
    let page = store.list(&all_of("someone")).await.unwrap();
    assert_eq!(page.readings, [first, last]);
}

/// A store that cannot be reopened can still be closed.
#[tokio::test]
async fn store_on_a_failing_disk_can_be_closed() {
    let disk = Disk::default();
    let store = open(&disk).unwrap();
    disk.set_fault(Fault::Writes);
    let one = reading(measurement("someone", "2024-01-15T10:30:00Z"));
    store.put(one).await.unwrap_err();
    drop(store);
    disk.set_fault(Fault::None);
    open(&disk).unwrap().check().await.unwrap();
}

#[test]
fn full_disk_at_startup_names_the_remedy() {
    let disk = Disk::default();
    disk.set_fault(Fault::Full);
    let error = open(&disk).err().expect("there is no room");
    assert!(error.to_string().contains("the disk is full"), "{error}");
}
