use sketches_ddsketch::{Config, DDSketch};

use crate::statistics;

/// Maximum count of numbers for an exact median. More go into a sketch, which
/// bounds the memory of an estimator.
const EXACT_LIMIT: usize = 10_000;

/// Median and the method of its computation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Median {
    /// The median.
    pub value: f64,
    /// The method of its computation.
    pub method: MedianMethod,
}

/// Method by which a median was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MedianMethod {
    /// Exact, from all numbers.
    Exact,
    /// Estimated from a sketch of more than 10,000 numbers: within 1 percent of
    /// a middle number, for magnitudes above 1e-9 that span at most 17 powers
    /// of ten
    /// (Masson, Rim and Lee, "`DDSketch`: A Fast and Fully-Mergeable Quantile
    /// Sketch with Relative-Error Guarantees", VLDB 12(12), 2019).
    Sketch,
}

/// Computes the median of any count of numbers in bounded memory.
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

    /// Returns the median, or `None` if there were no numbers.
    pub(super) fn finish(self) -> Option<Median> {
        Some(match self {
            Self::All(numbers) => Median {
                value: statistics::median(numbers)?,
                method: MedianMethod::Exact,
            },
            Self::Sketch(sketch) => Median {
                // A sketch may estimate slightly beyond the extremes.
                value: sketch
                    .quantile(0.5)
                    .ok()??
                    .clamp(sketch.min()?, sketch.max()?),
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
    fn median_of_few_numbers_is_exact() {
        assert_eq!(median_of([].into_iter()), None);
        let of_10_000 = median_of((1..=10_000).rev().map(f64::from)).unwrap();
        assert_eq!(of_10_000.value, 5_000.5);
        assert_eq!(of_10_000.method, MedianMethod::Exact);
    }

    #[test]
    fn median_of_many_numbers_is_within_one_percent() {
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
