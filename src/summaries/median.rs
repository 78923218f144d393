use sketches_ddsketch::{Config, DDSketch};

use crate::statistics;

/// Up to so many numbers the median is exact.
const EXACT_LIMIT: usize = 10_000;

/// A median, and how it was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Median {
    /// The number in the middle.
    pub value: f64,
    /// How it was found.
    pub method: MedianMethod,
}

/// How a median was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MedianMethod {
    /// From all numbers.
    Exact,
    /// From a sketch of more than 10,000: within 1 percent of one in the middle,
    /// for magnitudes above 1e-9 that span no more than 17 powers of ten
    /// (Masson, Rim and Lee, "`DDSketch`: A Fast and Fully-Mergeable Quantile
    /// Sketch with Relative-Error Guarantees", VLDB 12(12), 2019).
    Sketch,
}

/// Finds the median of however many numbers in bounded memory.
pub(super) enum MedianEstimator {
    All(Vec<f64>),
    Sketch(Box<DDSketch>),
}

impl MedianEstimator {
    pub(super) fn new() -> Self {
        Self::All(Vec::new())
    }

    pub(super) fn push(&mut self, number: f64) {
        match self {
            Self::All(numbers) if numbers.len() < EXACT_LIMIT => numbers.push(number),
            Self::All(numbers) => {
                let mut sketch = DDSketch::new(Config::defaults());
                for &number in &*numbers {
                    sketch.add(number);
                }
                sketch.add(number);
                *self = Self::Sketch(Box::new(sketch));
            }
            Self::Sketch(sketch) => sketch.add(number),
        }
    }

    /// The median; `None` if there were no numbers.
    pub(super) fn finish(self) -> Option<Median> {
        Some(match self {
            Self::All(numbers) => Median {
                value: statistics::median(numbers)?,
                method: MedianMethod::Exact,
            },
            Self::Sketch(sketch) => Median {
                value: sketch.quantile(0.5).ok()??,
                method: MedianMethod::Sketch,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn median_of(numbers: impl Iterator<Item = f64>) -> Option<Median> {
        let mut estimator = MedianEstimator::new();
        numbers.for_each(|number| estimator.push(number));
        estimator.finish()
    }

    #[test]
    fn is_exact_as_long_as_the_numbers_are_few() {
        assert_eq!(median_of([].into_iter()), None);
        let of_10_000 = median_of((1..=10_000).rev().map(f64::from)).unwrap();
        assert_eq!(of_10_000.value, 5_000.5);
        assert_eq!(of_10_000.method, MedianMethod::Exact);
    }

    #[test]
    fn is_near_where_they_are_many() {
        for (sign, shift) in [(1.0, 0.0), (-1.0, 0.0), (1.0, 1e6), (1e-9, 0.0)] {
            let median =
                median_of((1..=100_001).map(|number| shift + sign * f64::from(number))).unwrap();
            assert_eq!(median.method, MedianMethod::Sketch);
            let exact = shift + sign * 50_001.0;
            let error = (median.value - exact).abs() / exact.abs();
            assert!(error <= 0.01, "{} for {exact}", median.value);
        }
    }
}
