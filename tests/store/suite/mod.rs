//! Conformance suite of [`ReadingStore`]: each case tests one guarantee, on each store
//! and on an instrumented one.
//!
//! A case that is missing from the list below is dead code, which the compiler reports.

mod batches;
mod concurrency;
mod deletion;
mod erasure;
mod lists;
mod metadata;
mod puts;
mod readiness;
mod records;
mod users;
mod values;

use clarity_backend::domain::{ListQuery, Page, Reading};
use clarity_backend::store::{PutResult, ReadingStore};

use self::lists::{cursors, newest, order, pages, ranges, types};
use crate::concurrency::run_concurrently;

/// Generates a test for each case and store.
macro_rules! test_every_store {
    ($($topic:ident: $($case:ident),+;)+) => {
        test_every_store!(@on embedded, Embedded; $($topic: $($case),+;)+);
        test_every_store!(@on dynamodb, DynamoDb; $($topic: $($case),+;)+);
        test_every_store!(@on measured, Measured; $($topic: $($case),+;)+);
    };
    (but only on $name:ident, $backend:ident; $($topic:ident: $($case:ident),+;)+) => {
        test_every_store!(@on $name, $backend; $($topic: $($case),+;)+);
    };
    (@on $name:ident, $backend:ident; $($topic:ident: $($case:ident),+;)+) => {
        mod $name {
            $(mod $topic {
                use crate::backend::{$backend, Backend};

                $(#[tokio::test]
                async fn $case() {
                    let backend = $backend::new().await;
                    crate::suite::$topic::$case(backend.store()).await;
                })+
            })+
        }
    };
}

test_every_store! {
    order:
        readings_are_sorted_ascending_or_descending,
        order_depends_on_the_instant_not_its_notation,
        readings_of_one_instant_have_a_stable_order,
        readings_of_one_millisecond_are_sorted_by_id;
    ranges:
        range_is_exact_to_the_nanosecond,
        range_may_be_open_on_either_side,
        empty_range_returns_an_empty_page,
        range_may_exceed_all_readings;
    pages:
        pages_of_any_size_return_each_reading_once,
        next_is_set_only_if_more_readings_match,
        unknown_user_has_an_empty_page,
        page_larger_than_a_megabyte_is_complete,
        large_metadata_ends_a_page_early;
    cursors:
        cursor_is_exclusive,
        cursor_of_a_deleted_reading_is_valid,
        cursor_outside_of_the_range_is_clamped,
        pages_are_stable_under_writes_and_deletions;
    puts:
        put_returns_the_stored_reading,
        replayed_put_changes_nothing,
        put_in_another_notation_changes_nothing,
        put_of_other_content_at_the_same_time_adds_a_reading;
    records:
        higher_version_replaces,
        same_version_with_other_content_replaces,
        same_version_and_content_changes_nothing,
        lower_version_is_superseded,
        maximum_version_is_accepted,
        same_record_id_at_another_time_is_another_reading;
    values:
        values_round_trip_exactly,
        values_of_many_digits_round_trip_exactly,
        texts_round_trip,
        times_round_trip_in_their_notation,
        created_at_round_trips_to_the_millisecond;
    metadata:
        every_json_type_round_trips,
        numbers_of_every_magnitude_round_trip,
        any_text_round_trips,
        maximum_nesting_round_trips,
        maximum_size_round_trips;
    users:
        users_see_only_their_own_readings,
        readings_of_others_cannot_be_read_or_deleted,
        user_id_may_have_any_permitted_character;
    deletion:
        delete_returns_whether_the_reading_existed,
        delete_affects_only_its_reading,
        delete_of_a_missing_reading_returns_false,
        deleted_reading_can_be_stored_again;
    newest:
        fewer_readings_than_the_budget_are_complete,
        budget_keeps_the_newest_readings,
        several_pages_are_read,
        readings_are_mapped,
        large_metadata_exhausts_the_budget,
        unknown_user_has_no_readings;
    concurrency:
        concurrent_distinct_puts_are_all_stored,
        concurrent_puts_of_one_reading_store_it_once,
        concurrent_versions_end_with_the_highest,
        concurrent_contents_of_one_version_end_with_one_of_them,
        one_of_concurrent_deletes_succeeds;
    readiness:
        new_store_is_ready;
    types:
        list_returns_only_the_given_types,
        list_combines_types_and_range,
        deleted_readings_are_not_listed_by_type,
        rare_type_is_found_among_many_others,
        pages_by_type_are_full;
    batches:
        batch_is_stored_completely,
        replayed_batch_changes_nothing,
        empty_batch_does_nothing,
        duplicates_in_a_batch_are_folded,
        batch_never_replaces_a_higher_version,
        batch_of_maximum_size_is_stored;
    erasure:
        erasure_removes_everything_of_the_user,
        erasure_does_not_affect_other_users,
        erasure_continues_after_its_budget,
        erasure_tolerates_concurrent_writes,
        erased_reading_can_be_stored_again;
}

test_every_store! {
    but only on dynamodb_without_the_index, DynamoDbWithoutIndex;
    types:
        list_returns_only_the_given_types,
        list_combines_types_and_range,
        deleted_readings_are_not_listed_by_type,
        rare_type_is_found_among_many_others;
    erasure:
        erasure_removes_everything_of_the_user;
}

/// Stores new readings.
async fn store_all(store: &dyn ReadingStore, readings: &[Reading]) {
    for some in readings.chunks(16) {
        let outcomes =
            run_concurrently(some.iter().map(|reading| store.put(reading.clone()))).await;
        for (outcome, reading) in outcomes.into_iter().zip(some) {
            assert_eq!(outcome.unwrap(), PutResult::Stored(reading.clone()));
        }
    }
}

async fn put(store: &dyn ReadingStore, reading: &Reading) -> PutResult {
    store.put(reading.clone()).await.unwrap()
}

async fn stored(store: &dyn ReadingStore, reading: &Reading) -> Option<Reading> {
    store
        .get(&reading.measurement.user_id, reading.id)
        .await
        .unwrap()
}

async fn list(store: &dyn ReadingStore, query: &ListQuery) -> Page {
    store.list(query).await.unwrap()
}

/// Returns the readings of all pages, all of which are full except the last.
async fn walk(store: &dyn ReadingStore, mut query: ListQuery) -> Vec<Reading> {
    let mut readings = Vec::new();
    loop {
        let page = list(store, &query).await;
        query.after = page.next;
        let count = page.readings.len();
        readings.extend(page.readings);
        if query.after.is_none() {
            assert!(count <= query.limit.get());
            return readings;
        }
        assert_eq!(
            count,
            query.limit.get(),
            "a page that is not the last is full"
        );
    }
}

/// Returns the readings of all pages, which may be partial.
async fn walk_partial_pages(store: &dyn ReadingStore, mut query: ListQuery) -> Vec<Reading> {
    let mut readings = Vec::new();
    loop {
        let page = list(store, &query).await;
        assert!(page.readings.len() <= query.limit.get());
        readings.extend(page.readings);
        if page.next.is_none() {
            return readings;
        }
        assert!(page.next != query.after, "every page comes further");
        query.after = page.next;
    }
}
