//! Corrupt exports: elements before the corruption are unchanged, and none after
//! it is lost silently.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::support::{Outcome, export, read};

static XML: LazyLock<Vec<u8>> = LazyLock::new(|| export(3_500, 11).0);
static WHOLE: LazyLock<Outcome> = LazyLock::new(|| read(XML.clone()));

/// Returns how many items end before `offset` and must therefore be unchanged.
fn intact_before(offset: usize) -> usize {
    let starts = WHOLE.items.iter().map(|(start, _)| *start);
    let before = starts.filter(|start| *start <= offset as u64).count();
    before.saturating_sub(1)
}

fn check(outcome: &Outcome, corrupt_at: usize) {
    let intact = intact_before(corrupt_at);
    assert!(outcome.items.len() >= intact);
    assert!(outcome.items[..intact] == WHOLE.items[..intact]);
    if let Some((offset, _)) = outcome.error {
        assert!(offset <= XML.len() as u64 + 1);
        if intact > 0 {
            assert!(offset > WHOLE.items[intact - 1].0);
        }
    } else {
        assert!(
            outcome.items.len() >= WHOLE.items.len(),
            "an element went unnoticed"
        );
    }
}

#[test]
fn truncation_at_any_byte_is_detected() {
    let end = XML
        .windows(13)
        .position(|window| window == b"</HealthData>")
        .unwrap()
        + 13;
    for length in 0..XML.len() {
        let outcome = read(&XML[..length]);
        if length < end {
            assert!(outcome.error.is_some(), "truncated at {length}");
        }
        check(&outcome, length);
    }
}

#[test]
fn any_flipped_bit_is_detected_or_harmless() {
    for at in 0..XML.len() {
        let mut xml = XML.clone();
        xml[at] ^= 1 << (at % 8);
        check(&read(xml), at);
    }
}

proptest! {
    #[test]
    fn elements_before_an_edit_are_unchanged(
        at in any::<prop::sample::Index>(),
        lost in 0_usize..40,
        added in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..40),
            "[<>/&;\"'=!?\\[\\]A-Za-z -]{0,12}".prop_map(String::into_bytes),
        ],
    ) {
        let mut xml = XML.clone();
        let at = at.index(xml.len());
        let end = (at + lost).min(xml.len());
        xml.splice(at..end, added);
        let intact = intact_before(at);
        let outcome = read(xml);
        prop_assert!(outcome.items.len() >= intact);
        prop_assert!(outcome.items[..intact] == WHOLE.items[..intact]);
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read(bytes.clone());
        let mut xml = b"<HealthData>".to_vec();
        xml.extend(bytes);
        read(xml);
    }
}
