//! Facts about series of readings.

mod analysis;
mod days;
mod describe;
mod fact;
mod observation;
mod series;
mod units;

pub use analysis::{MetricSummary, ObservedSpan};
pub use describe::describe;
pub use fact::{Fact, FactIds, Period, Span, Statistic, TimeWindow};
pub use observation::{Evidence, Observation};
pub use series::{Series, series};
pub use units::unify_units;
