//! Damaged exports: what was read before the damage is what it was, and none of
//! what follows is passed over in silence.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::support::{Outcome, export, read};

static XML: LazyLock<Vec<u8>> = LazyLock::new(|| export(3_500, 11).0);
static WHOLE: LazyLock<Outcome> = LazyLock::new(|| read(XML.clone()));

/// How many items end before `offset`, and so must be as they were.
fn sound_before(offset: usize) -> usize {
    let starts = WHOLE.items.iter().map(|(start, _)| *start);
    let before = starts.filter(|start| *start <= offset as u64).count();
    before.saturating_sub(1)
}

fn check(outcome: &Outcome, damaged_at: usize) {
    let sound = sound_before(damaged_at);
    assert!(outcome.items.len() >= sound);
    assert!(outcome.items[..sound] == WHOLE.items[..sound]);
    if let Some((offset, _)) = outcome.damage {
        assert!(offset <= XML.len() as u64 + 1);
        if sound > 0 {
            assert!(offset > WHOLE.items[sound - 1].0);
        }
    } else {
        assert!(
            outcome.items.len() >= WHOLE.items.len(),
            "an element went unnoticed"
        );
    }
}

#[test]
fn a_file_cut_off_anywhere_is_said_to_be() {
    let end = XML
        .windows(13)
        .position(|window| window == b"</HealthData>")
        .unwrap()
        + 13;
    for length in 0..XML.len() {
        let outcome = read(&XML[..length]);
        if length < end {
            assert!(outcome.damage.is_some(), "cut off at {length}");
        }
        check(&outcome, length);
    }
}

#[test]
fn a_flipped_bit_anywhere_is_noticed_or_harmless() {
    for at in 0..XML.len() {
        let mut xml = XML.clone();
        xml[at] ^= 1 << (at % 8);
        check(&read(xml), at);
    }
}

proptest! {
    #[test]
    fn bytes_changed_added_or_lost_do_no_harm(
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
        let sound = sound_before(at);
        let outcome = read(xml);
        prop_assert!(outcome.items.len() >= sound);
        prop_assert!(outcome.items[..sound] == WHOLE.items[..sound]);
    }

    #[test]
    fn any_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read(bytes.clone());
        let mut xml = b"<HealthData>".to_vec();
        xml.extend(bytes);
        read(xml);
    }
}
