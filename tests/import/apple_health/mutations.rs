//! Randomly mutated exports: reading ends, stays within its limits and does not
//! panic.

use std::collections::HashSet;

use clarity_backend::import::apple_health::ExportLimits;
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::support::{Item, Outcome, export, options, read_with};

/// Tokens to insert.
const TOKENS: &[&str] = &[
    "<",
    ">",
    "/>",
    "</",
    "\"",
    "'",
    "&",
    ";",
    "&amp;",
    "&#x0;",
    "&#1114112;",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?",
    "?>",
    "<!DOCTYPE",
    "<!ENTITY",
    "<HealthData>",
    "</HealthData>",
    "<Record ",
    "</Record>",
    "<MetadataEntry key=\"a\" value=\"b\"/>",
    "value=\"",
    "unit=\"%\"",
    "type=\"HKQuantityTypeIdentifierHeartRate\"",
    "1e400",
    "-0",
    "9e125",
    "NaN",
    "9999-12-31 23:59:59 -2359",
    "\0",
    "\u{feff}",
    "\u{b}",
    "é",
    "<<HKDevice: 0x1>, a:b, c",
];

#[test]
fn mutated_exports_do_not_panic() {
    mutate(3_000);
}

#[test]
#[ignore = "takes a minute with --release: --ignored runs it"]
fn a_million_mutated_exports_do_not_panic() {
    mutate(1_000_000);
}

fn mutate(executions: u32) {
    let mut numbers = Numbers(TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let mut corpus: Vec<Vec<u8>> = (0..12)
        .map(|seed| export(1_500 + seed * 300, seed).0)
        .collect();
    let seeds = corpus.len();
    let mut outcomes = HashSet::new();
    for _ in 0..executions {
        let among = if numbers.below(2) == 0 {
            seeds
        } else {
            corpus.len()
        };
        let xml = mutated(&corpus, among, &mut numbers);
        let outcome = check(&xml);
        // Inputs with a new outcome are mutated further.
        if outcomes.len() < 4_000 && outcomes.insert(outcome) && xml.len() < 6_000 {
            corpus.push(xml);
        }
    }
    assert!(outcomes.len() > 100, "{} outcomes", outcomes.len());
}

fn mutated(corpus: &[Vec<u8>], among: usize, numbers: &mut Numbers) -> Vec<u8> {
    let mut xml = corpus[numbers.below(among)].clone();
    for _ in 0..=numbers.below(5) {
        let at = numbers.below(xml.len());
        let end = (at + numbers.below(200)).min(xml.len());
        match numbers.below(6) {
            0 if at < xml.len() => xml[at] ^= 1 << numbers.below(8),
            1 => drop(xml.drain(at..end)),
            2 => {
                let part = xml[at..end].to_vec();
                let to = numbers.below(xml.len());
                xml.splice(to..to, part);
            }
            3 => {
                let other = &corpus[numbers.below(corpus.len())];
                let from = numbers.below(other.len());
                let part = other[from..(from + 300).min(other.len())].to_vec();
                xml.splice(at..at, part);
            }
            4 => xml.truncate(at.max(xml.len() / 2)),
            _ => {
                let token = TOKENS[numbers.below(TOKENS.len())];
                xml.splice(at..(at + numbers.below(4)).min(xml.len()), token.bytes());
            }
        }
    }
    xml.truncate(12_000);
    xml
}

/// Reads an export and returns a signature of the outcome.
fn check(xml: &[u8]) -> Vec<String> {
    let mut options = options();
    options.limits = ExportLimits {
        markup: 4_000,
        depth: 8,
        prolog: 8_000,
        ..ExportLimits::default()
    };
    let Outcome { items, error } = read_with(xml, &options);
    assert!(items.is_sorted_by(|(one, _), (next, _)| one < next));
    let kinds = items.iter().take(3).map(|(offset, item)| {
        assert!(*offset < xml.len() as u64);
        match item {
            Item::Readings(readings) => format!("{}", readings.len()),
            Item::Rejected(reason) => reason.clone(),
            Item::Other(name) => {
                assert!(name.chars().count() <= 64);
                String::new()
            }
        }
    });
    kinds
        .chain(error.into_iter().map(|(_, problem)| problem))
        .collect()
}

struct Numbers(TestRng);

impl Numbers {
    /// Returns a number below `bound`, or 0.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.0.next_u32()).unwrap_or(0) % bound.max(1)
    }
}
