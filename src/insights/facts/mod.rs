//! Facts about series of readings.

mod daily_facts;
mod days;
mod describe;
mod fact;
mod fact_builder;
mod metric_facts;
mod metric_summary;
mod observation;
mod observed_span;
mod series;
mod units;
mod window_facts;

pub use describe::describe;
pub use fact::{Fact, FactIds, Period, Statistic, TimeWindow, WindowLength};
pub use metric_summary::MetricSummary;
pub use observation::{Evidence, Observation};
pub use observed_span::ObservedSpan;
pub use series::{Series, series};
pub use units::unify_units;
