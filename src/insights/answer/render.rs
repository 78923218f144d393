//! Rendering of facts as English text.

use jiff::tz::TimeZone;

use crate::insights::facts::{Fact, MetricSummary, Period, Statistic, WindowLength};
use crate::insights::text::capitalize;
use crate::statistics::{Direction, Strength};

/// Renders a fact as a sentence.
pub fn sentence(fact: &Fact, summary: &MetricSummary) -> String {
    let label = &summary.label;
    let (of_value, of_readings) = (label.of_value(), label.of_readings());
    let when = when(fact, summary);
    let value = value(fact);
    let text = match fact.statistic {
        Statistic::Count if fact.value == 1.0 => {
            format!("there is 1 {} {when}", label.of_reading())
        }
        Statistic::Count => format!("there are {value} {of_readings} {when}"),
        Statistic::Days => format!("there are {of_readings} on {value} {when}"),
        Statistic::LongestGap => {
            format!("the longest gap between {of_readings} {when} is {value}")
        }
        Statistic::Suspect => format!(
            "{value} of the {of_readings} {when} cannot be true and {} left out",
            if fact.value == 1.0 { "is" } else { "are" }
        ),
        Statistic::Min => format!("the lowest {of_value} {when} is {value}"),
        Statistic::Max => format!("the highest {of_value} {when} is {value}"),
        Statistic::P10 => format!("a tenth of {of_readings} {when} is below {value}"),
        Statistic::P90 => format!("a tenth of {of_readings} {when} is above {value}"),
        Statistic::Median => format!("the median {of_value} {when} is {value}"),
        Statistic::Mean => format!("the mean {of_value} {when} is {value}"),
        Statistic::Last => format!(
            "the last {} is {value}, of {}",
            label.of_reading(),
            summary.newest.1
        ),
        Statistic::Sum => format!("the total of {label} {when} is {value}"),
        Statistic::DailyMean => format!("the mean of {label} {when} is {value} a day"),
        Statistic::DailyMin => format!("the day with the lowest {label} {when} has {value}"),
        Statistic::DailyMax => format!("the day with the highest {label} {when} has {value}"),
        Statistic::BaselineMedian => format!("on a usual day {when}, there is {label} of {value}"),
        Statistic::BaselineSpread => {
            format!("from day to day, the usual variation of {label} {when} is {value}")
        }
        Statistic::Outliers => match fact.value {
            0.0 => format!("no day {when} has unusual {label}"),
            1.0 => format!("1 day {when} has unusual {label}"),
            _ => format!("{value} days {when} have unusual {label}"),
        },
        Statistic::TrendPerDay => trend(fact, &label.to_string(), &value, &when),
        Statistic::WeekdayMean => format!("the mean {of_value} of weekdays {when} is {value}"),
        Statistic::WeekendMean => format!("the mean {of_value} of weekends {when} is {value}"),
        Statistic::DailyDeviation => {
            format!("between days, the standard deviation of {label} {when} is {value}")
        }
        Statistic::TimeInRange => format!("{label} {when} was in range for {value} of the time"),
        Statistic::TimeVeryLow => format!("{label} {when} was very low for {value} of the time"),
        Statistic::TimeLow => format!("{label} {when} was below range for {value} of the time"),
        Statistic::TimeHigh => format!("{label} {when} was above range for {value} of the time"),
        Statistic::TimeVeryHigh => format!("{label} {when} was very high for {value} of the time"),
        Statistic::CoefficientOfVariation => {
            format!("{label} {when} has a coefficient of variation of {value}")
        }
        Statistic::GlucoseManagementIndicator => {
            format!("the glucose management indicator {when} is {value}")
        }
        Statistic::RestingEstimate => format!(
            "the resting heart rate {when}, estimated from the calmest half hour, is {value}"
        ),
    };
    capitalize(&text) + "."
}

fn trend(fact: &Fact, label: &str, value: &str, when: &str) -> String {
    let (direction, strength) = fact.trend.unwrap_or((Direction::Steady, Strength::Weak));
    let verb = match direction {
        Direction::Steady => return format!("there is no clear trend of {label} {when}"),
        Direction::Rising => "rising",
        Direction::Falling => "falling",
    };
    let strength = match strength {
        Strength::Weak => "weakly",
        Strength::Moderate => "moderately",
        Strength::Strong => "strongly",
    };
    let value = value.trim_start_matches('-');
    let are = if is_plural(label) { "are" } else { "is" };
    format!("{label} {are} {strength} {verb}, by {value} {when}")
}

/// Renders the window of a fact: its length and the date of the newest reading.
pub fn when(fact: &Fact, summary: &MetricSummary) -> String {
    let date = summary.newest.1;
    match fact.period {
        Period::UpToNewest(span) => when_up_to(span, summary),
        Period::Clipped => {
            let start = fact.window.start.to_zoned(TimeZone::UTC).date();
            format!("from {start} up to {date}")
        }
        Period::LocalDay { date, .. } => format!("on {date}"),
    }
}

fn when_up_to(span: WindowLength, summary: &MetricSummary) -> String {
    format!("in the {} up to {}", span.in_words(), summary.newest.1)
}

/// Renders the value of a fact with its unit.
pub fn value(fact: &Fact) -> String {
    let number = number(fact.value);
    match fact.statistic {
        Statistic::Days => {
            let days = if fact.value == 1.0 { "day" } else { "days" };
            format!("{number} {days}")
        }
        Statistic::TrendPerDay => {
            let unit = fact
                .unit
                .as_ref()
                .and_then(|unit| unit.as_str().strip_suffix("/d"));
            format!(
                "{number}{} a day",
                unit.map(unit_suffix).unwrap_or_default()
            )
        }
        _ => format!(
            "{number}{}",
            fact.unit
                .as_ref()
                .map(|unit| unit_suffix(unit.as_str()))
                .unwrap_or_default()
        ),
    }
}

/// Renders a UCUM unit in everyday form, with a leading space. Counted things
/// have no unit, since the data type names them.
fn unit_suffix(unit: &str) -> String {
    match unit {
        "Cel" => " °C".to_owned(),
        "[degF]" => " °F".to_owned(),
        "mm[Hg]" => " mmHg".to_owned(),
        "[lb_av]" => " lb".to_owned(),
        "[mi_i]" => " mi".to_owned(),
        "1" => String::new(),
        unit if unit.starts_with('{') => String::new(),
        unit => format!(" {unit}"),
    }
}

/// Renders a number for reading: with two decimals, below 1 with three
/// significant digits, and with an exponent if it is very small or large.
pub fn number(number: f64) -> String {
    let decimals = match number.abs() {
        0.0 => return "0".to_owned(),
        1.0..1e9 => 2,
        0.1..1.0 => 3,
        0.01..0.1 => 4,
        0.001..0.01 => 5,
        _ => return format!("{number:.2e}"),
    };
    let text = format!("{number:.decimals$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn is_plural(label: &str) -> bool {
    label.ends_with('s') && !label.ends_with("ss")
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_rounded_for_reading() {
        for (value, text) in [
            (72.0, "72"),
            (72.5, "72.5"),
            (92.416_666, "92.42"),
            (-0.25, "-0.25"),
            (0.0, "0"),
            (100.0, "100"),
            (0.0149, "0.0149"),
            (0.005_123, "0.00512"),
            (0.999_999, "1"),
            (0.0001, "1.00e-4"),
            (1e12, "1.00e12"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
