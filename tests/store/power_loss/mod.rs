//! State of the embedded store after a power loss at any moment.

mod steps;

use std::pin::Pin;
use std::thread;
use std::time::Duration;

use clarity_backend::domain::{DataTypes, ListQuery};
use clarity_backend::store::{EmbeddedStore, ReadingStore, StoreError};
use tokio::runtime;

use self::steps::{Step, TYPES, USERS, Write, mixed, single_puts};
use crate::concurrency::run_concurrently;
use crate::embedded::simulated_disk::{Disk, Event, Remains, losses};
use crate::model::Map;
use crate::samples::{all_of, measurement, reading, user};

/// Number of random partial losses per sync, besides the complete loss of unsynced
/// data.
const TORN: usize = 2;

/// Effect of a run on its disk.
struct Run {
    steps: Vec<Step>,
    /// Content of the disk before.
    start: Vec<u8>,
    history: Vec<Event>,
}

/// Unsynced data is lost, or partly written in any order: at each sync of a run of
/// 1,000 writes, once completely and twice in part.
#[test]
fn power_loss_at_any_sync_loses_no_acknowledged_write() {
    let run = Run::on_a_good_disk(single_puts(1_000));
    assert!(run.count_syncs() >= 1_000, "each write is synced");
    assert_eq!(run.faults(), Vec::<String>::new());
}

/// A commit is applied completely or not at all, in the table and the index.
#[test]
fn power_loss_at_any_sync_leaves_commits_atomic() {
    let run = Run::on_a_good_disk(mixed(300));
    let readings: usize = run.steps.iter().flatten().map(Write::size).sum();
    assert!(readings > 1_000, "{readings}");
    assert!(run.count_syncs() >= 300, "each step is synced");
    assert_eq!(run.faults(), Vec::<String>::new());
}

/// A failed sync loses some of the written data for good, and the next ones succeed
/// nevertheless.
#[test]
fn power_loss_after_failed_syncs_loses_no_acknowledged_write() {
    let run = Run::on_a_failing_disk(mixed(200), Disk::forget_unwritten);
    assert!(run.count_failed_syncs() >= 40);
    assert_eq!(run.faults(), Vec::<String>::new());
}

/// Shows that the previous test can detect the loss.
#[test]
fn acknowledged_writes_are_lost_without_dropping_dirty_pages() {
    let run = Run::on_a_failing_disk(mixed(20), |_| Ok(()));
    assert_ne!(run.faults(), Vec::<String>::new());
}

impl Run {
    fn on_a_good_disk(steps: Vec<Step>) -> Self {
        let disk = Disk::default();
        let store = open(&disk);
        Self::record(steps, &disk, &store, |_| false)
    }

    /// If the first attempt runs on a disk that does not sync, every fifth step.
    fn on_a_failing_disk(
        steps: Vec<Step>,
        forget_unwritten: fn(&Disk) -> std::io::Result<()>,
    ) -> Self {
        let disk = Disk::default();
        let (made, forgetting) = (disk.clone(), disk.clone());
        let store = EmbeddedStore::open_on_failing(
            move || made.clone(),
            move || forget_unwritten(&forgetting),
        );
        Self::record(steps, &disk, &store.unwrap(), |index| index % 5 == 4)
    }

    fn record(
        steps: Vec<Step>,
        disk: &Disk,
        store: &EmbeddedStore,
        fails: impl Fn(usize) -> bool,
    ) -> Self {
        let start = disk.content();
        disk.note(None);
        block_on(async {
            for (index, step) in steps.iter().enumerate() {
                if fails(index) {
                    fail(disk, store, step, index).await;
                }
                for outcome in send(disk, store, step).await {
                    outcome.unwrap();
                }
                disk.note(Some(Event::Acknowledged));
            }
        });
        let history = disk.history();
        Self {
            steps,
            start,
            history,
        }
    }

    fn count_syncs(&self) -> usize {
        let is_sync = |event: &&Event| matches!(event, Event::Synced);
        self.history.iter().filter(is_sync).count()
    }

    fn count_failed_syncs(&self) -> usize {
        let is_failed = |event: &&Event| matches!(event, Event::SyncFailed(_));
        self.history.iter().filter(is_failed).count()
    }

    /// Returns the problems after a power loss, at each sync.
    fn faults(&self) -> Vec<String> {
        let workers = thread::available_parallelism().unwrap().get();
        let (examined, faults) = thread::scope(|scope| {
            let workers: Vec<_> = (0..workers)
                .map(|first| {
                    let random = fastrand::Rng::with_seed(7);
                    let losses = losses(self.start.clone(), self.history.clone(), TORN, random);
                    let mine = losses.skip(first).step_by(workers);
                    scope.spawn(move || {
                        mine.map(|remains| self.examine(remains).err())
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            let outcomes: Vec<_> = workers
                .into_iter()
                .flat_map(|worker| worker.join().unwrap())
                .collect();
            let examined = outcomes.len();
            (examined, outcomes.into_iter().flatten().collect())
        });
        assert_eq!(examined, self.count_syncs() * (1 + TORN));
        faults
    }

    /// Opens the remaining file, and checks its contents and that it accepts writes.
    fn examine(&self, remains: Remains) -> Result<(), String> {
        let Remains {
            content,
            acknowledged,
        } = remains;
        let fault = |what: &str| format!("after {acknowledged} steps: {what}");
        let disk = Disk::holding(content);
        let store = EmbeddedStore::open_on(move || disk.clone())
            .map_err(|error| fault(&error.to_string()))?;
        block_on(async {
            let mut map = Map::default();
            let (done, next) = self.steps.split_at(acknowledged);
            for write in done.iter().flatten() {
                write.apply(&mut map);
            }
            if !holds(&store, &map).await? {
                for write in next.first().into_iter().flatten() {
                    write.apply(&mut map);
                }
                if !holds(&store, &map).await? {
                    return Err(fault("holds neither them nor the next one too"));
                }
            }
            let more = reading(measurement(USERS[0], "2025-01-01T00:00:00Z"));
            let put = store.put(more.clone()).await.map_err(message)?;
            let found = store.get(&more.measurement.user_id, more.id).await;
            match found.map_err(message)? {
                Some(found) if found == more => Ok(()),
                _ => Err(fault(&format!("does not find what it took: {put:?}"))),
            }
        })
    }
}

fn message(error: StoreError) -> String {
    format!("{error:?}")
}

/// Returns `true` if the store matches the map, in the table and the index.
async fn holds(store: &EmbeddedStore, map: &Map) -> Result<bool, String> {
    for user_id in USERS {
        let of_types = |types: &[&str]| {
            let types: Vec<_> = types.iter().map(|name| name.parse().unwrap()).collect();
            ListQuery {
                data_types: DataTypes::try_from(types).unwrap(),
                ..all_of(user_id)
            }
        };
        for types in [&[], &TYPES[..1], &TYPES[1..]] {
            let query = of_types(types);
            let page = store.list(&query).await.map_err(message)?;
            if (page.readings, page.next) != map.list(&query) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

type Sent<'a> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + 'a>>;

/// Sends a step, in one commit.
async fn send(disk: &Disk, store: &EmbeddedStore, step: &Step) -> Vec<Result<(), StoreError>> {
    if let [alone] = step.as_slice() {
        return vec![alone.send(store).await];
    }
    // They queue in this order while another commit waits for its sync.
    let other = async {
        let nothing = reading(measurement("nobody", "2025-01-01T00:00:00Z"));
        disk.hold_syncs();
        store.delete(&user("nobody"), nothing.id).await.map(drop)
    };
    let mut sent: Vec<Sent<'_>> = vec![
        Box::pin(other),
        Box::pin(async {
            disk.until_a_sync_waits();
            Ok(())
        }),
    ];
    for write in step {
        sent.push(Box::pin(write.send(store)));
    }
    sent.push(Box::pin(async {
        disk.release_syncs();
        Ok(())
    }));
    run_concurrently(sent).await
}

/// Sends a step while syncs fail, those of the commit and in some cases later ones, and
/// waits until the store works again.
async fn fail(disk: &Disk, store: &EmbeddedStore, step: &Step, index: usize) {
    // In a group, another commit precedes it.
    let before = (step.len() > 1).then_some(false);
    // Each of these takes half a second.
    let after: &[bool] = match index % 50 {
        // While preparing to reopen.
        24 => &[true],
        // While opening for verification, closing, and opening for use.
        49 => &[false, true],
        19 => &[false, false, false, true],
        34 => &[false, false, false, false, false, true],
        44 => &[false, false, false, false, false, false, false, true],
        _ => &[],
    };
    disk.fail_syncs(
        before
            .into_iter()
            .chain([true])
            .chain(after.iter().copied()),
    );
    let outcomes = send(disk, store, step).await;
    assert!(outcomes.iter().any(Result::is_err), "it cannot know");
    let recovered = async {
        while store.check().await.is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let recovered = tokio::time::timeout(Duration::from_secs(60), recovered).await;
    recovered.expect("it recovers by itself");
}

fn open(disk: &Disk) -> EmbeddedStore {
    let disk = disk.clone();
    EmbeddedStore::open_on(move || disk.clone()).unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = runtime::Builder::new_current_thread().enable_time().build();
    runtime.unwrap().block_on(future)
}
