/// Count, extremes and arithmetic mean of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Count of the numbers, at least one.
    pub count: usize,
    /// The minimum.
    pub min: f64,
    /// The arithmetic mean.
    pub mean: f64,
    /// The maximum.
    pub max: f64,
}

impl Summary {
    /// Returns the summary of `numbers`, or `None` if there are none. Their sum
    /// must be finite, as that of any readings is.
    pub fn from_values(numbers: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut numbers = numbers.into_iter();
        let first = numbers.next()?;
        let (mut count, mut min, mut sum, mut max) = (1, first, first, first);
        for number in numbers {
            count += 1;
            min = number.min(min);
            sum += number;
            max = number.max(max);
        }
        Some(Self {
            count,
            min,
            mean: sum / count as f64,
            max,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_matches_values_computed_by_hand() {
        let summary = Summary::from_values([72.0, 60.0, 90.0, 66.0]).unwrap();
        assert_eq!(
            summary,
            Summary {
                count: 4,
                min: 60.0,
                mean: 72.0,
                max: 90.0
            }
        );
        assert_eq!(Summary::from_values([]), None);
    }
}
