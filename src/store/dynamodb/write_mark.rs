//! Marks of writes, with which a write recognizes the state that it has seen.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::schema::{AttributeMap, CREATED_AT, DATA_ID, MARK};

/// Bits below the milliseconds, chosen at random. Together they fit in 63 bits until the
/// year 2248.
const RANDOM_BITS: u32 = 20;

/// Mark of a write: unique, and ordered by time across tasks, as far as their clocks
/// agree. All attempts of a write carry the same mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WriteMark(u64);

impl WriteMark {
    pub(super) fn new() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "marks order the writes of all tasks, whatever time the app assumes"
        )]
        let now = Timestamp::now().as_millisecond();
        let milliseconds = u64::try_from(now).unwrap_or_default();
        Self(milliseconds << RANDOM_BITS | fastrand::u64(..1 << RANDOM_BITS))
    }

    /// Returns the mark of `item`. Items that earlier versions wrote have none.
    pub(super) fn of(item: &AttributeMap) -> Option<Self> {
        item.get(MARK)?.as_n().ok()?.parse().ok().map(Self)
    }

    pub(super) fn to_attribute(self) -> AttributeValue {
        AttributeValue::N(self.0.to_string())
    }
}

/// Condition that an item is as it was read: a compare-and-swap on its mark. An attempt
/// that arrives after another write fails it.
pub(super) struct Unchanged {
    pub(super) expression: String,
    /// Name and value of the placeholder in the expression, if it has one.
    pub(super) value: Option<(&'static str, AttributeValue)>,
}

impl Unchanged {
    /// Returns the condition that the item with these attributes is unchanged. An item
    /// without a mark is recognized by its `created_at`.
    pub(super) fn since(item: &AttributeMap) -> Self {
        let unmarked = format!("attribute_exists({DATA_ID}) AND attribute_not_exists({MARK})");
        if let Some(mark) = item.get(MARK) {
            Self {
                expression: format!("{MARK} = :seen"),
                value: Some((":seen", mark.clone())),
            }
        } else if let Some(created_at) = item.get(CREATED_AT) {
            Self {
                expression: format!("{unmarked} AND {CREATED_AT} = :seen"),
                value: Some((":seen", created_at.clone())),
            }
        } else {
            Self {
                expression: format!("{unmarked} AND attribute_not_exists({CREATED_AT})"),
                value: None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_unique_and_ordered_by_time() {
        let first = WriteMark::new();
        let marks: std::collections::BTreeSet<u64> = (0..100).map(|_| WriteMark::new().0).collect();
        assert!(marks.len() > 98, "{}", marks.len());
        std::thread::sleep(std::time::Duration::from_millis(2));
        assert!(first < WriteMark::new());
        assert!(WriteMark::new().0 < 1 << 63);
    }

    #[test]
    fn mark_survives_the_table() {
        let mark = WriteMark::new();
        let item = AttributeMap::from([(MARK.to_owned(), mark.to_attribute())]);
        assert_eq!(WriteMark::of(&item), Some(mark));
    }
}
