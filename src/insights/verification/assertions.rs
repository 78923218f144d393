use super::phrases::Assertion;
use super::sentence::{Clause, ClausePart, Sentence};
use super::stated_number::{COUNTED, HIGH_END, LOW_END, StatedNumber, StatedPeriod, is_about};
use super::verdict::{DraftViolation, Verdict};
use crate::insights::facts::{Fact, Statistic};
use crate::insights::question::topics::Mention;
use crate::statistics::Direction;

/// Checks every statement of `text` against the facts that it cites.
pub fn check(text: &str, cited: &[&Fact], verdict: &mut Verdict) {
    let sentence = Sentence::parse(text);
    let mut checker = SentenceChecker {
        sentence: &sentence,
        cited,
        verdict,
    };
    if !sentence.is_simple() {
        checker.record(DraftViolation::NotSimple);
    }
    for index in 0..sentence.clauses.len() {
        checker.check_numbers(index);
        checker.check_words(index);
    }
}

struct SentenceChecker<'a> {
    sentence: &'a Sentence,
    cited: &'a [&'a Fact],
    verdict: &'a mut Verdict,
}

const DAYS: &[Statistic] = &[Statistic::Days];
/// Data types for which "walked" and "took" may be said.
const WALKED: &[&str] = &["steps", "distance", "flights_climbed"];

impl<'a> SentenceChecker<'a> {
    fn record(&mut self, violation: DraftViolation) {
        if !self.verdict.violations.contains(&violation) {
            self.verdict.violations.push(violation);
        }
    }

    /// Checks that each number of a clause is the value of a cited fact.
    fn check_numbers(&mut self, index: usize) {
        for (at, part) in self.sentence.clauses[index].parts.iter().enumerate() {
            let is_supported = match part {
                ClausePart::Number(number, unit) => {
                    let stated = self.stated_number(index, at, *unit);
                    self.cited.iter().any(|fact| stated.matches(fact, *number))
                }
                ClausePart::UnreadableNumber => false,
                _ => continue,
            };
            self.verdict.numbers_checked += 1;
            if !is_supported {
                self.verdict.numbers_unsupported += 1;
                self.record(DraftViolation::UnsupportedNumber);
            }
        }
    }

    /// Collects what the words around the number at `at` state about it.
    fn stated_number(
        &self,
        index: usize,
        at: usize,
        unit: Option<&'static str>,
    ) -> StatedNumber<'a> {
        let sentence: &'a Sentence = self.sentence;
        let parts = &sentence.clauses[index].parts;
        let has = |assertion: Assertion| parts.contains(&ClausePart::Assertion(assertion));
        StatedNumber {
            mention: self.mention(index, at),
            statistics: self.statistics(index, at, unit),
            period: self.period(index),
            is_per_day: has(Assertion::PerDay),
            is_per_night: has(Assertion::PerNight),
            may_be_per_day: sentence.clauses[..index].iter().any(|clause| {
                clause
                    .parts
                    .contains(&ClausePart::Assertion(Assertion::PerDay))
                    || clause
                        .parts
                        .contains(&ClausePart::Assertion(Assertion::PerNight))
            }),
            direction: parts.iter().find_map(direction),
            unit,
            is_count: has(Assertion::Statistic(COUNTED)),
        }
    }

    /// Returns the nearest data type named before the number, else after it,
    /// else in an earlier clause, else in a later one.
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

    /// Returns the statistics named between the neighbouring numbers; if there
    /// are none, the last one named in an earlier clause.
    fn statistics(
        &self,
        index: usize,
        at: usize,
        unit: Option<&'static str>,
    ) -> Vec<&'static [Statistic]> {
        let clause = &self.sentence.clauses[index];
        let is_other =
            |part: &&ClausePart| !matches!(part, ClausePart::Number(..) | ClausePart::To);
        let before = clause.parts[..at].iter().rev().take_while(is_other);
        let after = clause.parts[at + 1..].iter().take_while(is_other);
        let mut found: Vec<_> = before.chain(after).filter_map(statistics).collect();
        // "The latest reading was 60" does not state a count.
        found.retain(|set| *set != COUNTED);
        found.extend(range_end(clause, at));
        match unit {
            // Days with readings are counted where readings are mentioned.
            Some("d") if found.is_empty() && self.mentions_readings() => found.push(DAYS),
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

    fn mentions_readings(&self) -> bool {
        let mut parts = self
            .sentence
            .clauses
            .iter()
            .flat_map(|clause| &clause.parts);
        parts.any(|part| {
            matches!(part, ClausePart::Assertion(Assertion::Recorded))
                || *part == ClausePart::Assertion(Assertion::Statistic(COUNTED))
        })
    }

    /// Returns the period named in the clause, else in an earlier one, else in a
    /// later one.
    fn period(&self, index: usize) -> Option<StatedPeriod> {
        let period_in = |clause: &Clause| clause.parts.iter().find_map(period);
        let clauses = &self.sentence.clauses;
        period_in(&clauses[index])
            .or_else(|| clauses[..index].iter().rev().find_map(period_in))
            .or_else(|| clauses[index + 1..].iter().find_map(period_in))
    }

    /// Checks the statements of a clause other than its numbers.
    fn check_words(&mut self, index: usize) {
        let sentence: &'a Sentence = self.sentence;
        let parts = &sentence.clauses[index].parts;
        let has_number = parts
            .iter()
            .any(|part| matches!(part, ClausePart::Number(..)));
        let mut periods = parts.iter().filter_map(period);
        let first = periods.next();
        if periods.any(|period| Some(period) != first) {
            self.record(DraftViolation::UnsupportedPeriod);
        }
        for (at, part) in parts.iter().enumerate() {
            let (is_supported, violation) = match part {
                ClausePart::UnknownWord => (false, DraftViolation::UnknownWord),
                ClausePart::Mention(mention) => (
                    self.is_cited(|fact| is_about(fact, mention)),
                    DraftViolation::UnsupportedMetric,
                ),
                ClausePart::Assertion(Assertion::Period(_) | Assertion::NewestDay) => {
                    let stated = period(part);
                    let covers = |fact: &Fact| stated.is_some_and(|period| period.covers(fact));
                    (self.is_cited(covers), DraftViolation::UnsupportedPeriod)
                }
                // "Below 70" without its share would state that there is one.
                ClausePart::Assertion(Assertion::Bounds(_)) => {
                    (has_number, DraftViolation::UnsupportedNumber)
                }
                ClausePart::Assertion(Assertion::Walked) => {
                    let is_walked = |fact: &Fact| WALKED.contains(&fact.metric.name());
                    (self.is_cited(is_walked), DraftViolation::UnknownWord)
                }
                ClausePart::Assertion(Assertion::Direction(stated)) => {
                    let (mention, period) = (self.mention(index, at), self.period(index));
                    let shows = |fact: &Fact| {
                        fact.trend.is_some_and(|(known, _)| known == *stated)
                            && mention.is_some_and(|mention| is_about(fact, mention))
                            && period.is_none_or(|period| period.covers(fact))
                    };
                    (self.is_cited(shows), DraftViolation::UnsupportedChange)
                }
                _ => continue,
            };
            if !is_supported {
                self.record(violation);
            }
        }
    }

    fn is_cited(&self, such: impl Fn(&Fact) -> bool) -> bool {
        self.cited.iter().any(|fact| such(fact))
    }
}

/// Returns true if the number at `at` counts readings: they are named right
/// after it, as in "30 heart rate readings".
fn counts_readings(clause: &Clause, at: usize) -> bool {
    let mut after = clause.parts[at + 1..].iter();
    let next = after.find(|part| !matches!(part, ClausePart::Mention(_)));
    next == Some(&ClausePart::Assertion(Assertion::Statistic(COUNTED)))
}

/// Returns the end of a range that the number at `at` is, if it is one.
fn range_end(clause: &Clause, at: usize) -> Option<&'static [Statistic]> {
    let parts = &clause.parts;
    let number = |at: usize| matches!(parts.get(at), Some(ClausePart::Number(..)));
    let to = |at: usize| matches!(parts.get(at), Some(ClausePart::To));
    if to(at + 1) && number(at + 2) {
        return Some(LOW_END);
    }
    if at >= 2 && to(at - 1) && number(at - 2) {
        return Some(HIGH_END);
    }
    None
}

fn mention(part: &ClausePart) -> Option<&Mention> {
    match part {
        ClausePart::Mention(mention) => Some(mention),
        _ => None,
    }
}

fn statistics(part: &ClausePart) -> Option<&'static [Statistic]> {
    match part {
        ClausePart::Assertion(Assertion::Statistic(statistics)) => Some(statistics),
        ClausePart::Assertion(Assertion::Bounds(statistic)) => Some(bounds(*statistic)),
        ClausePart::Assertion(Assertion::Direction(_)) => Some(&[Statistic::TrendPerDay]),
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

fn direction(part: &ClausePart) -> Option<Direction> {
    match part {
        ClausePart::Assertion(Assertion::Direction(direction)) => Some(*direction),
        _ => None,
    }
}

fn period(part: &ClausePart) -> Option<StatedPeriod> {
    match part {
        ClausePart::Assertion(Assertion::Period(span)) => Some(StatedPeriod::UpToNewest(*span)),
        ClausePart::Assertion(Assertion::NewestDay) => Some(StatedPeriod::NewestDay),
        _ => None,
    }
}
