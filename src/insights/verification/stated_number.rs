use super::tokens::Number;
use crate::domain::vocabulary::{self, Label, Metric};
use crate::insights::facts::{Fact, Period, Statistic, WindowLength};
use crate::insights::question::topics::Mention;
use crate::statistics::Direction;

/// Statements of a sentence about one of its numbers. A fact matches if all of
/// them are true of it.
pub struct StatedNumber<'a> {
    /// Data type or topic.
    pub mention: Option<&'a Mention>,
    /// The fact's statistic must be in each of these sets.
    pub statistics: Vec<&'static [Statistic]>,
    /// Period; only the last reading needs none.
    pub period: Option<StatedPeriod>,
    /// "A day" or the like in the same clause.
    pub is_per_day: bool,
    /// "A night" or the like in the same clause.
    pub is_per_night: bool,
    /// "A day" or the like in an earlier clause.
    pub may_be_per_day: bool,
    /// Direction of a trend.
    pub direction: Option<Direction>,
    /// UCUM unit.
    pub unit: Option<&'static str>,
    /// Readings are mentioned in the same clause.
    pub is_count: bool,
}

/// Period named by a sentence.
#[derive(Clone, Copy, PartialEq)]
pub enum StatedPeriod {
    /// Span that ends at the newest reading.
    UpToNewest(WindowLength),
    /// Local day of the newest reading.
    NewestDay,
}

/// Statistics of the lower end of a range.
pub const LOW_END: &[Statistic] = &[Statistic::Min, Statistic::DailyMin];
/// Statistics of the upper end of a range.
pub const HIGH_END: &[Statistic] = &[Statistic::Max, Statistic::DailyMax];
/// Statistics that count readings.
pub const COUNTED: &[Statistic] = &[Statistic::Count];
/// Statistics of daily values, which must be stated as such.
const DAILY: &[Statistic] = &[
    Statistic::DailyMean,
    Statistic::DailyMin,
    Statistic::DailyMax,
    Statistic::TrendPerDay,
    Statistic::BaselineSpread,
    Statistic::DailyDeviation,
];

impl StatedNumber<'_> {
    /// Returns true if the number is the value of `fact`. Data type, statistic
    /// and period must be stated, and be those of the fact.
    pub fn matches(&self, fact: &Fact, number: Number) -> bool {
        let is_trend = fact.statistic == Statistic::TrendPerDay;
        let is_shown = value_in(fact, self.unit).is_some_and(|value| {
            number.shows(value)
                || (is_trend && self.direction.is_some() && number.shows(value.abs()))
        });
        let is_per_day = self.is_per_day || self.is_per_night;
        let has_statistic = match self.statistics.as_slice() {
            // Without a statistic, "steps a day" is the daily mean and "steps"
            // the total.
            [] if is_per_day => fact.statistic == Statistic::DailyMean,
            [] => fact.statistic == Statistic::Sum && !self.is_count,
            sets => sets.iter().all(|set| set.contains(&fact.statistic)),
        };
        let has_period = match self.period {
            Some(period) => period.covers(fact),
            None => fact.statistic == Statistic::Last,
        };
        let has_data_type = match self.mention {
            Some(mention) => is_about(fact, mention),
            None => is_specific_to_glucose(fact.statistic),
        };
        let fits_days = if DAILY.contains(&fact.statistic) {
            is_per_day || self.may_be_per_day || implies_days(fact) || is_sleep(fact)
        } else {
            !is_per_day || permits_days(fact)
        };
        is_shown
            && has_statistic
            && has_period
            && has_data_type
            && fits_days
            && (!self.is_per_night || is_sleep(fact))
            && (self.direction.is_none() || is_trend)
    }
}

impl StatedPeriod {
    /// Returns true if the fact is about this period.
    pub fn covers(self, fact: &Fact) -> bool {
        match (self, fact.period) {
            (Self::UpToNewest(span), Period::UpToNewest(of)) => span == of,
            (Self::NewestDay, Period::LocalDay { before_newest, .. }) => before_newest == 0,
            _ => false,
        }
    }
}

/// Returns true for statistics that only glucose has.
fn is_specific_to_glucose(statistic: Statistic) -> bool {
    matches!(
        statistic,
        Statistic::TimeInRange
            | Statistic::TimeVeryLow
            | Statistic::TimeLow
            | Statistic::TimeHigh
            | Statistic::TimeVeryHigh
            | Statistic::GlucoseManagementIndicator
    )
}

/// Returns true for facts about sleep, whose values are daily by nature.
fn is_sleep(fact: &Fact) -> bool {
    fact.statistic != Statistic::TrendPerDay && fact.metric.0.is_some_and(Metric::is_sleep)
}

/// Returns true for statistics whose name implies daily values.
fn implies_days(fact: &Fact) -> bool {
    matches!(
        fact.statistic,
        Statistic::BaselineSpread | Statistic::DailyDeviation
    )
}

/// Returns true for statistics that may, but need not, be stated as daily.
fn permits_days(fact: &Fact) -> bool {
    matches!(
        fact.statistic,
        Statistic::WeekdayMean | Statistic::WeekendMean | Statistic::BaselineMedian
    )
}

/// Returns true if the fact is about the data type or topic that is mentioned.
pub fn is_about(fact: &Fact, mention: &Mention) -> bool {
    let name = fact.metric.name();
    let names = match fact.statistic {
        Statistic::RestingEstimate => [name, "resting_heart_rate"],
        _ => [name, name],
    };
    names.iter().any(|name| match &mention.named {
        Some(named) => named == name,
        None => mention.related.contains(name),
    })
}

/// Returns the fact's value in the stated unit, if it converts. Only counts may
/// be stated without a unit.
fn value_in(fact: &Fact, unit: Option<&str>) -> Option<f64> {
    let value = fact.value;
    let is_delta = fact.metric.0.is_some_and(Metric::is_delta)
        || matches!(
            fact.statistic,
            Statistic::TrendPerDay | Statistic::BaselineSpread | Statistic::DailyDeviation
        );
    match (fact.unit.as_ref().map(Label::as_str), unit) {
        _ if fact.statistic == Statistic::Outliers => (unit == Some("d")).then_some(value),
        (None, None) => Some(value),
        (Some(own), None) => own.starts_with(['{', '1']).then_some(value),
        (None, Some(_)) => None,
        // A difference must be in the fact's own unit: differences of
        // temperatures do not convert like temperatures.
        (Some(own), Some(unit)) if is_delta => {
            let own = own.strip_suffix("/d").unwrap_or(own);
            vocabulary::same_unit(own, unit).then_some(value)
        }
        (Some(own), Some(unit)) => vocabulary::convert(value, own, unit),
    }
}
