use super::phrases::Claim;
use super::sentence::{Clause, Part, Sentence};
use super::tokens::Number;
use super::{DraftViolation, Verdict};
use crate::domain::vocabulary::{self, Metric};
use crate::insights::facts::{Fact, Period, Span, Statistic};
use crate::insights::question::topics::Mention;
use crate::statistics::Direction;

/// Holds what `text` says against the facts that it cites.
pub fn check(text: &str, cited: &[&Fact], verdict: &mut Verdict) {
    let sentence = Sentence::read(text);
    let mut checked = Checked {
        sentence: &sentence,
        cited,
        verdict,
    };
    if !sentence.is_simple() {
        checked.fault(DraftViolation::NotSimple);
    }
    for index in 0..sentence.clauses.len() {
        checked.numbers(index);
        checked.words(index);
    }
}

/// A sentence under examination.
struct Checked<'a> {
    sentence: &'a Sentence,
    cited: &'a [&'a Fact],
    verdict: &'a mut Verdict,
}

/// What the words around a number say that it is: all of it must be so.
struct Said<'a> {
    mention: Option<&'a Mention>,
    /// One of each of these.
    statistics: Vec<&'static [Statistic]>,
    when: Option<When>,
    /// In the same clause.
    is_per_day: bool,
    is_per_night: bool,
    /// In an earlier one.
    may_be_per_day: bool,
    direction: Option<Direction>,
    unit: Option<&'static str>,
    speaks_of_counts: bool,
}

/// The period that a sentence names.
#[derive(Clone, Copy, PartialEq)]
enum When {
    UpToNewest(Span),
    NewestDay,
}

const LOW_END: &[Statistic] = &[Statistic::Min, Statistic::DailyMin];
const HIGH_END: &[Statistic] = &[Statistic::Max, Statistic::DailyMax];
const COUNTED: &[Statistic] = &[Statistic::Count];
const DAYS: &[Statistic] = &[Statistic::Days];
/// Data types of what one walks and takes.
const WALKED: &[&str] = &["steps", "distance", "flights_climbed"];
const OF_DAYS: &[Statistic] = &[
    Statistic::DailyMean,
    Statistic::DailyMin,
    Statistic::DailyMax,
    Statistic::TrendPerDay,
    Statistic::BaselineSpread,
    Statistic::DailyDeviation,
];

impl<'a> Checked<'a> {
    fn fault(&mut self, fault: DraftViolation) {
        if !self.verdict.faults.contains(&fault) {
            self.verdict.faults.push(fault);
        }
    }

    /// Each number of a clause must be that of a fact.
    fn numbers(&mut self, index: usize) {
        for (at, part) in self.sentence.clauses[index].parts.iter().enumerate() {
            let is_borne_out = match part {
                Part::Number(number, unit) => {
                    let said = self.said(index, at, *unit);
                    self.cited.iter().any(|fact| said.fits(fact, *number))
                }
                Part::UnreadableNumber => false,
                _ => continue,
            };
            self.verdict.numbers_checked += 1;
            if !is_borne_out {
                self.verdict.numbers_unsupported += 1;
                self.fault(DraftViolation::UnsupportedNumber);
            }
        }
    }

    /// What the words around the number at `at` of a clause say that it is.
    fn said(&self, index: usize, at: usize, unit: Option<&'static str>) -> Said<'a> {
        let sentence: &'a Sentence = self.sentence;
        let parts = &sentence.clauses[index].parts;
        let has = |claim: Claim| parts.contains(&Part::Claim(claim));
        Said {
            mention: self.mention(index, at),
            statistics: self.statistics(index, at, unit),
            when: self.when(index),
            is_per_day: has(Claim::PerDay),
            is_per_night: has(Claim::PerNight),
            may_be_per_day: sentence.clauses[..index].iter().any(|clause| {
                clause.parts.contains(&Part::Claim(Claim::PerDay))
                    || clause.parts.contains(&Part::Claim(Claim::PerNight))
            }),
            direction: parts.iter().find_map(direction),
            unit,
            speaks_of_counts: has(Claim::Statistic(COUNTED)),
        }
    }

    /// The data type named nearest before, else right after, else in another
    /// clause.
    fn mention(&self, index: usize, at: usize) -> Option<&'a Mention> {
        let sentence: &'a Sentence = self.sentence;
        let clause = &sentence.clauses[index];
        let before = clause.parts[..at].iter().rev().find_map(mention);
        let after = || clause.parts[at..].iter().find_map(mention);
        let earlier = || {
            let clauses = sentence.clauses[..index].iter().rev();
            clauses
                .flat_map(|clause| clause.parts.iter().rev())
                .find_map(mention)
        };
        let later = || {
            let clauses = sentence.clauses[index + 1..].iter();
            clauses.flat_map(|clause| &clause.parts).find_map(mention)
        };
        before.or_else(after).or_else(earlier).or_else(later)
    }

    /// The statistics named around the number, up to its neighbours; if there
    /// are none, the one named last in an earlier clause.
    fn statistics(
        &self,
        index: usize,
        at: usize,
        unit: Option<&'static str>,
    ) -> Vec<&'static [Statistic]> {
        let clause = &self.sentence.clauses[index];
        let is_other = |part: &&Part| !matches!(part, Part::Number(..) | Part::To);
        let before = clause.parts[..at].iter().rev().take_while(is_other);
        let after = clause.parts[at + 1..].iter().take_while(is_other);
        let mut found: Vec<_> = before.chain(after).filter_map(statistics).collect();
        // A latest reading is none that is counted.
        found.retain(|set| *set != COUNTED);
        found.extend(range_end(clause, at));
        match unit {
            // Days with readings are counted where readings are spoken of.
            Some("d") if found.is_empty() && self.speaks_of_readings() => found.push(DAYS),
            None if counts_readings(clause, at) => found.push(COUNTED),
            _ => {}
        }
        if found.is_empty() && unit != Some("d") {
            let clauses = self.sentence.clauses[..index].iter().rev();
            let mut earlier = clauses.flat_map(|clause| clause.parts.iter().rev());
            found.extend(earlier.find_map(statistics).filter(|set| *set != COUNTED));
        }
        found
    }

    fn speaks_of_readings(&self) -> bool {
        let mut parts = self
            .sentence
            .clauses
            .iter()
            .flat_map(|clause| &clause.parts);
        parts.any(|part| {
            matches!(part, Part::Claim(Claim::Recorded))
                || *part == Part::Claim(Claim::Statistic(COUNTED))
        })
    }

    /// The period named in the clause, else in an earlier, else in a later one.
    fn when(&self, index: usize) -> Option<When> {
        let of = |clause: &Clause| clause.parts.iter().find_map(when);
        let clauses = &self.sentence.clauses;
        of(&clauses[index])
            .or_else(|| clauses[..index].iter().rev().find_map(of))
            .or_else(|| clauses[index + 1..].iter().find_map(of))
    }

    /// What is said beside numbers must be borne out too.
    fn words(&mut self, index: usize) {
        let sentence: &'a Sentence = self.sentence;
        let parts = &sentence.clauses[index].parts;
        let has_number = parts.iter().any(|part| matches!(part, Part::Number(..)));
        let mut periods = parts.iter().filter_map(when);
        let first = periods.next();
        if periods.any(|period| Some(period) != first) {
            self.fault(DraftViolation::UnsupportedPeriod);
        }
        for (at, part) in parts.iter().enumerate() {
            let (is_borne_out, fault) = match part {
                Part::UnknownWord => (false, DraftViolation::UnknownWord),
                Part::Mention(mention) => (
                    self.is_cited(|fact| is_of(fact, mention)),
                    DraftViolation::UnsupportedMetric,
                ),
                Part::Claim(Claim::Period(_) | Claim::NewestDay) => {
                    let named = when(part);
                    let is_of_it = |fact: &Fact| named.is_some_and(|when| when.is_of(fact));
                    (self.is_cited(is_of_it), DraftViolation::UnsupportedPeriod)
                }
                // Without its share it would say that there is one.
                Part::Claim(Claim::Bounds(_)) => (has_number, DraftViolation::UnsupportedNumber),
                Part::Claim(Claim::Walked) => {
                    let is_walked = |fact: &Fact| WALKED.contains(&name(fact));
                    (self.is_cited(is_walked), DraftViolation::UnknownWord)
                }
                Part::Claim(Claim::Direction(said)) => {
                    let (mention, when) = (self.mention(index, at), self.when(index));
                    let shows = |fact: &Fact| {
                        fact.trend.is_some_and(|(known, _)| known == *said)
                            && mention.is_some_and(|mention| is_of(fact, mention))
                            && when.is_none_or(|when| when.is_of(fact))
                    };
                    (self.is_cited(shows), DraftViolation::UnsupportedChange)
                }
                _ => continue,
            };
            if !is_borne_out {
                self.fault(fault);
            }
        }
    }

    fn is_cited(&self, such: impl Fn(&Fact) -> bool) -> bool {
        self.cited.iter().any(|fact| such(fact))
    }
}

impl Said<'_> {
    /// Whether the number can be that of `fact`: what it is of, which
    /// statistic and over which period must be said, and be so.
    fn fits(&self, fact: &Fact, number: Number) -> bool {
        let is_change = fact.statistic == Statistic::TrendPerDay;
        let is_shown = value_in(fact, self.unit).is_some_and(|value| {
            number.shows(value)
                || (is_change && self.direction.is_some() && number.shows(value.abs()))
        });
        let is_per_day = self.is_per_day || self.is_per_night;
        let is_named = match self.statistics.as_slice() {
            // Steps a day are on average, and steps in a period its total, if
            // nothing else is said.
            [] if is_per_day => fact.statistic == Statistic::DailyMean,
            [] => fact.statistic == Statistic::Sum && !self.speaks_of_counts,
            sets => sets.iter().all(|set| set.contains(&fact.statistic)),
        };
        let is_in_time = match self.when {
            Some(when) => when.is_of(fact),
            None => fact.statistic == Statistic::Last,
        };
        let is_of_it = match self.mention {
            Some(mention) => is_of(fact, mention),
            None => is_of_glucose_alone(fact.statistic),
        };
        let fits_days = if OF_DAYS.contains(&fact.statistic) {
            is_per_day || self.may_be_per_day || is_of_one_day(fact) || is_of_sleep(fact)
        } else {
            !is_per_day || is_of_weekdays(fact)
        };
        is_shown
            && is_named
            && is_in_time
            && is_of_it
            && fits_days
            && (!self.is_per_night || is_of_sleep(fact))
            && (self.direction.is_none() || is_change)
    }
}

/// Statistics that only glucose has.
fn is_of_glucose_alone(statistic: Statistic) -> bool {
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

/// Sleep is slept once a day.
fn is_of_sleep(fact: &Fact) -> bool {
    fact.statistic != Statistic::TrendPerDay
        && vocabulary::find(&fact.metric).is_some_and(Metric::is_of_sleep)
}

/// Statistics of which the name tells that they are of days.
fn is_of_one_day(fact: &Fact) -> bool {
    matches!(
        fact.statistic,
        Statistic::BaselineSpread | Statistic::DailyDeviation
    )
}

/// Statistics that may be said to be of days and need not.
fn is_of_weekdays(fact: &Fact) -> bool {
    matches!(
        fact.statistic,
        Statistic::WeekdayMean | Statistic::WeekendMean | Statistic::BaselineMedian
    )
}

impl When {
    fn is_of(self, fact: &Fact) -> bool {
        match (self, fact.period) {
            (Self::UpToNewest(span), Period::UpToNewest(of)) => span == of,
            (Self::NewestDay, Period::LocalDay { before_newest, .. }) => before_newest == 0,
            _ => false,
        }
    }
}

/// Whether the number at `at` is one of readings: they follow it at once.
fn counts_readings(clause: &Clause, at: usize) -> bool {
    let mut after = clause.parts[at + 1..].iter();
    let next = after.find(|part| !matches!(part, Part::Mention(_)));
    next == Some(&Part::Claim(Claim::Statistic(COUNTED)))
}

/// Which end of a range the number at `at` is, if it is one.
fn range_end(clause: &Clause, at: usize) -> Option<&'static [Statistic]> {
    let parts = &clause.parts;
    let number = |at: usize| matches!(parts.get(at), Some(Part::Number(..)));
    let to = |at: usize| matches!(parts.get(at), Some(Part::To));
    if to(at + 1) && number(at + 2) {
        return Some(LOW_END);
    }
    if at >= 2 && to(at - 1) && number(at - 2) {
        return Some(HIGH_END);
    }
    None
}

/// The name of the fact's data type, as the vocabulary has it.
fn name(fact: &Fact) -> &str {
    vocabulary::find(&fact.metric).map_or(fact.metric.as_str(), |metric| &metric.name)
}

/// Whether the fact is of the data type, or on the topic, that is mentioned.
fn is_of(fact: &Fact, mention: &Mention) -> bool {
    let name = name(fact);
    let names = match fact.statistic {
        Statistic::RestingEstimate => [name, "resting_heart_rate"],
        _ => [name, name],
    };
    names.iter().any(|name| match &mention.named {
        Some(named) => named == name,
        None => mention.related.contains(name),
    })
}

/// The fact's value in the unit that it is said to be in, if it can be. Only
/// what is counted needs none.
fn value_in(fact: &Fact, unit: Option<&str>) -> Option<f64> {
    let value = fact.value;
    let is_difference = vocabulary::find(&fact.metric).is_some_and(Metric::is_difference)
        || matches!(
            fact.statistic,
            Statistic::TrendPerDay | Statistic::BaselineSpread | Statistic::DailyDeviation
        );
    match (fact.unit.as_deref(), unit) {
        _ if fact.statistic == Statistic::Outliers => (unit == Some("d")).then_some(value),
        (None, None) => Some(value),
        (Some(own), None) => own.starts_with(['{', '1']).then_some(value),
        (None, Some(_)) => None,
        // A difference of temperatures does not convert as one of them does.
        (Some(own), Some(unit)) if is_difference => {
            let own = own.strip_suffix("/d").unwrap_or(own);
            vocabulary::same_unit(own, unit).then_some(value)
        }
        (Some(own), Some(unit)) => vocabulary::convert(value, own, unit),
    }
}

fn mention(part: &Part) -> Option<&Mention> {
    match part {
        Part::Mention(mention) => Some(mention),
        _ => None,
    }
}

fn statistics(part: &Part) -> Option<&'static [Statistic]> {
    match part {
        Part::Claim(Claim::Statistic(statistics)) => Some(statistics),
        Part::Claim(Claim::Bounds(statistic)) => Some(bounds(*statistic)),
        Part::Claim(Claim::Direction(_)) => Some(&[Statistic::TrendPerDay]),
        _ => None,
    }
}

fn bounds(statistic: Statistic) -> &'static [Statistic] {
    match statistic {
        Statistic::TimeVeryLow => &[Statistic::TimeVeryLow],
        Statistic::TimeLow => &[Statistic::TimeLow],
        Statistic::TimeHigh => &[Statistic::TimeHigh],
        Statistic::TimeVeryHigh => &[Statistic::TimeVeryHigh],
        _ => &[Statistic::TimeInRange],
    }
}

fn direction(part: &Part) -> Option<Direction> {
    match part {
        Part::Claim(Claim::Direction(direction)) => Some(*direction),
        _ => None,
    }
}

fn when(part: &Part) -> Option<When> {
    match part {
        Part::Claim(Claim::Period(span)) => Some(When::UpToNewest(*span)),
        Part::Claim(Claim::NewestDay) => Some(When::NewestDay),
        _ => None,
    }
}
