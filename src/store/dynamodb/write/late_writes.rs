//! Deleting again what an attempt restores that arrives after a deletion.
//!
//! An attempt that was given up may still be on its way, and DynamoDB accepts it for as
//! long as its signature is valid. A late put finds nothing stored after a deletion, so
//! its condition holds. Deleted readings and erased users are therefore checked again
//! for longer than an attempt can be late. What has an older mark than the deletion was
//! sent before it, and is deleted again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use super::conditional_delete::delete_unchanged;
use crate::domain::{ReadingId, UserId};
use crate::store::StoreError;
use crate::store::dynamodb::schema::{AttributeMap, CREATED_AT, DATA_ID, MARK, USER_ID};
use crate::store::dynamodb::table_client::{TableClient, key};
use crate::store::dynamodb::write_mark::WriteMark;
use crate::telemetry::metrics::names;

/// Time for which a deletion is checked: longer than AWS can accept an attempt that was
/// sent before it. In most cases it accepts a signature for five minutes, but the errors
/// common to all services allow 15, and a clock that is up to 15 ahead:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-signing.html>,
/// `RequestExpired` in
/// <https://docs.aws.amazon.com/awsconsolehelpdocs/latest/gsg/common-errors.html>. A
/// minute is a margin for processing.
const WATCH_TIME: Duration = Duration::from_secs(31 * 60);

/// Time between two rounds of checks, and shortest time between two of one deletion.
const ROUND: Duration = Duration::from_secs(1);

/// Maximum number of deletions that are checked. They take about 2 MB.
const MAX_WATCHES: usize = 10_000;

/// Number of items after which a check of a user reads no further.
const MAX_LATE_ITEMS: usize = 500;

/// Keys per `BatchGetItem`:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>.
const MAX_KEYS: usize = 100;

/// Recent deletions of this task.
#[derive(Clone, Default)]
pub(in crate::store::dynamodb) struct LateWrites(Arc<Mutex<Watches>>);

#[derive(Default)]
struct Watches {
    /// By the deleted reading, or all of a user's.
    by_target: HashMap<Target, Watch>,
    is_running: bool,
}

type Target = (UserId, Option<ReadingId>);

#[derive(Clone, Copy)]
struct Watch {
    /// Writes with a lower mark were sent before the deletion.
    deletion: WriteMark,
    since: Instant,
    next_check: Instant,
}

impl Watch {
    /// Schedules the next check, so that a late write remains for at most half of the
    /// time by which it is late, or a second. Returns `false` after the last check.
    fn schedule(&mut self, now: Instant) -> bool {
        let elapsed = now - self.since;
        self.next_check = now + ROUND.max(elapsed / 2);
        elapsed < WATCH_TIME
    }
}

impl LateWrites {
    /// Checks the reading, or all of the user's readings, for writes that are older than
    /// `deletion` from now on.
    pub(super) fn watch(
        &self,
        table: &TableClient,
        user_id: &UserId,
        id: Option<ReadingId>,
        deletion: WriteMark,
    ) {
        let target = (user_id.clone(), id);
        let now = Instant::now();
        let mut watches = self.watches();
        if watches.by_target.len() >= MAX_WATCHES && !watches.by_target.contains_key(&target) {
            tracing::warn!("too many recent deletions to check this one for late writes");
            return;
        }
        let watch = Watch {
            deletion,
            since: now,
            next_check: now + ROUND,
        };
        watches.by_target.insert(target, watch);
        // Without a runtime the process is terminating.
        if !watches.is_running
            && let Ok(runtime) = Handle::try_current()
        {
            watches.is_running = true;
            runtime.spawn(self.clone().run(table.clone()));
        }
    }

    /// Checks until no deletion is recent.
    async fn run(self, table: TableClient) {
        loop {
            sleep(ROUND).await;
            let Some(due) = self.take_due() else { return };
            match delete_late_writes(&table, &due).await {
                Ok(checked) => {
                    if checked.late_writes > 0 {
                        metrics::counter!(names::LATE_WRITES.name).increment(checked.late_writes);
                        tracing::warn!(
                            readings = checked.late_writes,
                            "deleted readings again that a late write had restored"
                        );
                    }
                    self.forget(&checked.put_again);
                }
                // The next checks find it.
                Err(error) => tracing::warn!(%error, "cannot check for late writes"),
            }
        }
    }

    /// Returns the deletions to check now, or `None` if none is recent.
    fn take_due(&self) -> Option<Vec<(Target, WriteMark)>> {
        let mut watches = self.watches();
        if watches.by_target.is_empty() {
            watches.is_running = false;
            return None;
        }
        let now = Instant::now();
        let mut due = Vec::new();
        watches.by_target.retain(|target, watch| {
            if watch.next_check > now {
                return true;
            }
            due.push((target.clone(), watch.deletion));
            watch.schedule(now)
        });
        Some(due)
    }

    fn forget(&self, targets: &[Target]) {
        let mut watches = self.watches();
        for target in targets {
            watches.by_target.remove(target);
        }
    }

    fn watches(&self) -> MutexGuard<'_, Watches> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Result of a round of checks.
#[derive(Default)]
struct Checked {
    late_writes: u64,
    /// Deleted readings that were put again. They need no further check, and a late
    /// write that replaces one must not make it disappear.
    put_again: Vec<Target>,
}

/// Deletes readings that were written before their deletion.
async fn delete_late_writes(
    table: &TableClient,
    deletions: &[(Target, WriteMark)],
) -> Result<Checked, StoreError> {
    let mut checked = Checked::default();
    let (mut late, mut readings) = (Vec::new(), HashMap::new());
    for ((user_id, id), deletion) in deletions {
        match id {
            None => late.extend(writes_before(table, user_id, *deletion).await?),
            Some(id) => {
                readings.insert((user_id.clone(), *id), *deletion);
            }
        }
    }
    let targets: Vec<&(UserId, ReadingId)> = readings.keys().collect();
    for some in targets.chunks(MAX_KEYS) {
        for item in stored(table, some).await? {
            let Some(target) = target_of(&item) else {
                continue;
            };
            match (WriteMark::of(&item), readings.get(&target)) {
                (Some(mark), Some(deletion)) if mark < *deletion => late.push(item),
                _ => checked.put_again.push((target.0, Some(target.1))),
            }
        }
    }
    if !late.is_empty() {
        checked.late_writes = delete_unchanged(table, late).await?;
    }
    Ok(checked)
}

/// Returns items of the user that were written before `deletion`. The next check finds
/// more than [`MAX_LATE_ITEMS`].
async fn writes_before(
    table: &TableClient,
    user_id: &UserId,
    deletion: WriteMark,
) -> Result<Vec<AttributeMap>, StoreError> {
    let (mut items, mut start_key) = (Vec::new(), None);
    loop {
        let response = table
            .client
            .query()
            .table_name(&table.table)
            .key_condition_expression(format!("{USER_ID} = :user"))
            .filter_expression(format!("{MARK} < :deletion"))
            .expression_attribute_values(":user", AttributeValue::S(user_id.as_str().to_owned()))
            .expression_attribute_values(":deletion", deletion.to_attribute())
            .projection_expression(format!("{USER_ID}, {DATA_ID}, {MARK}, {CREATED_AT}"))
            .set_exclusive_start_key(start_key)
            .send()
            .await
            .map_err(|error| table.errors.classify("Query", error))?;
        items.extend(response.items.unwrap_or_default());
        start_key = response.last_evaluated_key.filter(|key| !key.is_empty());
        if start_key.is_none() || items.len() >= MAX_LATE_ITEMS {
            return Ok(items);
        }
    }
}

/// Returns those of the readings that are stored. What DynamoDB leaves unprocessed is
/// left to the next check.
async fn stored(
    table: &TableClient,
    readings: &[&(UserId, ReadingId)],
) -> Result<Vec<AttributeMap>, StoreError> {
    let keys = readings.iter().map(|(user_id, id)| key(user_id, *id));
    let request = KeysAndAttributes::builder()
        .set_keys(Some(keys.collect()))
        .projection_expression(format!("{USER_ID}, {DATA_ID}, {MARK}, {CREATED_AT}"))
        .build()
        .map_err(StoreError::unavailable)?;
    let response = table
        .client
        .batch_get_item()
        .request_items(&table.table, request)
        .send()
        .await
        .map_err(|error| table.errors.classify("BatchGetItem", error))?;
    let items = response.responses.unwrap_or_default();
    Ok(items.into_values().flatten().collect())
}

fn target_of(item: &AttributeMap) -> Option<(UserId, ReadingId)> {
    let text = |name| item.get(name)?.as_s().ok();
    Some((text(USER_ID)?.parse().ok()?, text(DATA_ID)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A write that is late by `t` is deleted before `1.5 t`, or within a second.
    #[test]
    fn checks_outlast_the_signatures_of_attempts() {
        let start = Instant::now();
        let mut watch = Watch {
            deletion: WriteMark::new(),
            since: start,
            next_check: start + ROUND,
        };
        let mut checks = vec![watch.next_check - start];
        while watch.schedule(watch.next_check) {
            checks.push(watch.next_check - start);
        }
        assert!(checks.len() <= 20, "{checks:?}");
        assert!(*checks.last().unwrap() >= WATCH_TIME);
        for pair in checks.windows(2) {
            assert!(pair[1] <= pair[0] * 3 / 2 || pair[1] - pair[0] <= ROUND);
        }
    }
}
