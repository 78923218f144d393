//! Facts: every number that an answer may state, and its evidence.
//!
//! Readings are grouped into series, and each series is summarized into facts.

mod daily_facts;
mod data_type_label;
mod days;
mod fact;
mod fact_builder;
mod metric_facts;
mod metric_summary;
mod observation;
mod observed_span;
mod series;
mod summarize;
mod units;
mod window_facts;

pub use data_type_label::DataTypeLabel;
pub use fact::{Fact, FactIds, FactMetric, Period, Statistic, TimeWindow, WindowLength};
pub use metric_summary::MetricSummary;
pub use observation::{Evidence, Observation};
pub use observed_span::ObservedSpan;
pub use series::{Series, group_into_series};
pub use summarize::summarize;
pub use units::unify_units;
