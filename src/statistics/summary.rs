/// Count, extremes and arithmetic mean of some numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// How many numbers, at least one.
    pub count: usize,
    /// The least.
    pub min: f64,
    /// Their sum divided by their count.
    pub mean: f64,
    /// The greatest.
    pub max: f64,
}

impl Summary {
    /// Summarises `numbers`, whose sum must be finite, as that of any readings
    /// is; `None` if there are none.
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
    fn summarises_by_hand_computed_values() {
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
