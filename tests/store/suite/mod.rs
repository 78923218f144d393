//! What every [`ReadingStore`] promises: one case per promise, and each case
//! runs on each store, and on one that is measured.
//!
//! A case that is missing from the list below is dead code, which the
//! compiler reports.

mod batches;
mod concurrency;
mod cursors;
mod deletion;
mod erasure;
mod metadata;
mod newest;
mod order;
mod pages;
mod puts;
mod ranges;
mod readiness;
mod records;
mod types;
mod users;
mod values;

use clarity_backend::domain::{ListQuery, Page, Reading};
use clarity_backend::store::{PutResult, ReadingStore};

use crate::all_at_once::all_at_once;

/// Makes a test of each case and store.
macro_rules! on_every_store {
    ($($topic:ident: $($case:ident),+;)+) => {
        on_every_store!(@on embedded, Embedded; $($topic: $($case),+;)+);
        on_every_store!(@on dynamodb, DynamoDb; $($topic: $($case),+;)+);
        on_every_store!(@on measured, Measured; $($topic: $($case),+;)+);
    };
    (but only on $name:ident, $backend:ident; $($topic:ident: $($case:ident),+;)+) => {
        on_every_store!(@on $name, $backend; $($topic: $($case),+;)+);
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

on_every_store! {
    order:
        is_newest_first_or_oldest_first,
        follows_the_instant_and_not_its_spelling,
        of_one_instant_is_the_same_both_ways,
        of_one_millisecond_is_that_of_the_ids;
    ranges:
        are_exact_to_the_nanosecond,
        may_be_open_on_either_side,
        that_hold_no_instant_give_an_empty_page,
        may_reach_far_beyond_all_readings;
    pages:
        of_any_size_give_each_reading_once,
        have_more_only_if_one_more_matches,
        of_an_unknown_user_are_empty,
        of_more_than_a_megabyte_are_whole,
        end_early_where_metadata_are_large;
    cursors:
        are_exclusive,
        need_no_reading_under_them,
        outside_of_the_range_are_bounded_by_it,
        walk_past_writes_and_deletions;
    puts:
        give_back_what_is_held,
        of_the_same_again_change_nothing,
        of_the_same_in_another_spelling_change_nothing,
        of_other_content_at_the_same_time_add_a_reading;
    records:
        of_a_higher_version_replace,
        of_the_same_version_replace_if_they_differ,
        of_the_same_version_and_content_change_nothing,
        of_a_lower_version_are_superseded,
        have_versions_up_to_the_highest,
        of_one_id_at_other_times_are_others;
    values:
        come_back_bit_for_bit,
        of_many_digits_come_back_bit_for_bit,
        of_text_come_back_as_sent,
        of_time_come_back_as_sent,
        of_creation_come_back_to_the_millisecond;
    metadata:
        of_every_kind_come_back,
        with_numbers_of_every_size_come_back,
        with_any_text_come_back,
        nested_to_the_limit_come_back,
        of_the_largest_size_come_back;
    users:
        see_only_their_own_readings,
        cannot_read_or_delete_by_the_id_of_another,
        may_have_ids_of_any_allowed_character;
    deletion:
        tells_whether_there_was_one,
        leaves_all_others,
        of_what_is_not_there_tells_so,
        lets_the_same_come_again_as_new;
    newest:
        are_all_if_there_are_fewer,
        are_the_newest_if_there_are_more,
        of_more_than_a_page_are_read_on,
        may_be_kept_in_part,
        stop_where_metadata_are_large,
        of_an_unknown_user_are_none;
    concurrency:
        of_distinct_readings_loses_none,
        of_the_same_reading_keeps_one,
        of_versions_ends_with_the_highest,
        of_one_version_ends_with_one_of_its_contents,
        of_deletions_lets_one_succeed;
    readiness:
        is_there_from_the_beginning;
    types:
        are_listed_by_themselves,
        are_listed_within_a_range,
        follow_what_is_deleted,
        are_found_behind_much_else,
        fill_their_pages;
    batches:
        are_held_whole,
        sent_again_change_nothing,
        of_none_do_nothing,
        fold_what_comes_twice,
        never_replace_a_higher_version,
        of_the_largest_size_are_held;
    erasure:
        leaves_nothing_of_the_user,
        leaves_all_of_the_others,
        goes_on_where_it_stopped,
        is_safe_against_writes_meanwhile,
        lets_the_same_come_again;
}

on_every_store! {
    but only on dynamodb_without_the_index, DynamoDbWithoutIndex;
    types:
        are_listed_by_themselves,
        are_listed_within_a_range,
        follow_what_is_deleted,
        are_found_behind_much_else;
    erasure:
        leaves_nothing_of_the_user;
}

/// Puts them, none of which is held yet.
async fn put_all(store: &dyn ReadingStore, readings: &[Reading]) {
    for some in readings.chunks(16) {
        let outcomes = all_at_once(some.iter().map(|reading| store.put(reading.clone()))).await;
        for (outcome, reading) in outcomes.into_iter().zip(some) {
            assert_eq!(outcome.unwrap(), PutResult::Stored(reading.clone()));
        }
    }
}

async fn put(store: &dyn ReadingStore, reading: &Reading) -> PutResult {
    store.put(reading.clone()).await.unwrap()
}

async fn held(store: &dyn ReadingStore, reading: &Reading) -> Option<Reading> {
    store
        .get(&reading.measurement.user_id, reading.id)
        .await
        .unwrap()
}

async fn list(store: &dyn ReadingStore, query: &ListQuery) -> Page {
    store.list(query).await.unwrap()
}

/// The readings of all pages, each of which but the last is full.
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

/// The readings of all pages, which may hold fewer than their limit.
async fn walk_on(store: &dyn ReadingStore, mut query: ListQuery) -> Vec<Reading> {
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
