use std::cmp::Ordering;

use super::phrases::Claim;
use super::sentence::{Clause, Part, Sentence};
use super::tokens::Number;
use super::{Fault, Verdict};
use crate::domain::vocabulary;
use crate::insights::fact::{Fact, Period, Span, Statistic};
use crate::insights::topics::Mention;

/// How much of a text must be borne out by facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// All of it.
    Finding,
    /// Its numbers.
    Advice,
}

const LOW_END: &[Statistic] = &[Statistic::Min, Statistic::DailyMin, Statistic::P10];
const HIGH_END: &[Statistic] = &[Statistic::Max, Statistic::DailyMax, Statistic::P90];

/// Holds what `text` says against the facts that it cites.
pub fn check(text: &str, cited: &[&Fact], strictness: Strictness, verdict: &mut Verdict) {
    let metrics = cited.iter().map(|fact| fact.metric.as_str());
    let sentence = Sentence::read(text, metrics);
    let mut checked = Checked {
        sentence: &sentence,
        cited,
        verdict,
        shown: Vec::new(),
    };
    for index in 0..sentence.clauses.len() {
        checked.numbers(index);
        if strictness == Strictness::Finding {
            checked.words(index);
        }
    }
    if strictness == Strictness::Finding {
        checked.comparisons();
    }
}

/// A sentence under examination.
struct Checked<'a> {
    sentence: &'a Sentence,
    cited: &'a [&'a Fact],
    verdict: &'a mut Verdict,
    /// The measured values that it shows, in its order.
    shown: Vec<f64>,
}

/// What the words around a number say that it is.
struct Said<'a> {
    mention: Option<&'a Mention>,
    /// One of each of these.
    statistics: Vec<&'static [Statistic]>,
    span: Option<Span>,
    unit: Option<&'static str>,
}

impl<'a> Checked<'a> {
    fn fault(&mut self, fault: Fault) {
        if !self.verdict.faults.contains(&fault) {
            self.verdict.faults.push(fault);
        }
    }

    /// Each number of a clause must be that of a fact.
    fn numbers(&mut self, index: usize) {
        let clause = &self.sentence.clauses[index];
        for (at, part) in clause.parts.iter().enumerate() {
            match part {
                Part::Number(number, unit) => {
                    let said = self.said(index, at, *unit);
                    match self.cited.iter().find(|fact| said.fits(fact, *number)) {
                        Some(fact) => {
                            self.verdict.numbers_checked += 1;
                            if !matches!(fact.statistic, Statistic::Count | Statistic::Days) {
                                self.shown.push(number.value);
                            }
                        }
                        None => self.unsupported(),
                    }
                }
                Part::Unreadable => self.unsupported(),
                Part::Claim(Claim::Threshold(statistic)) if !self.has(*statistic) => {
                    self.unsupported();
                }
                _ => {}
            }
        }
    }

    fn unsupported(&mut self) {
        self.verdict.numbers_checked += 1;
        self.verdict.numbers_unsupported += 1;
        self.fault(Fault::UnsupportedNumber);
    }

    fn has(&self, statistic: Statistic) -> bool {
        self.cited.iter().any(|fact| fact.statistic == statistic)
    }

    /// What the words around the number at `at` of a clause say that it is.
    fn said(&self, index: usize, at: usize, unit: Option<&'static str>) -> Said<'a> {
        let statistics = match unit {
            // Days are counted, whatever else is spoken of.
            Some("d") => vec![[Statistic::Days, Statistic::Outliers].as_slice()],
            _ => self.statistics(index, at),
        };
        Said {
            mention: self.mention(index, at),
            statistics,
            span: self.span(index),
            unit,
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

    /// The statistics named before the number and after the one before it; if
    /// there are none, those named after it; if there are none, those of an
    /// earlier clause.
    fn statistics(&self, index: usize, at: usize) -> Vec<&'static [Statistic]> {
        let clause = &self.sentence.clauses[index];
        if let Some(end) = range_end(clause, at) {
            return vec![end];
        }
        let is_number = |part: &&Part| matches!(part, Part::Number(..));
        let before = clause.parts[..at]
            .iter()
            .rev()
            .take_while(|part| !is_number(part));
        let mut found: Vec<_> = before.filter_map(statistics).collect();
        if found.is_empty() {
            let after = clause.parts[at + 1..]
                .iter()
                .take_while(|part| !is_number(part));
            found = after.filter_map(statistics).collect();
        }
        if found.is_empty() {
            let clauses = self.sentence.clauses[..index].iter().rev();
            let mut earlier = clauses.flat_map(|clause| clause.parts.iter().rev());
            found = earlier
                .find_map(|part| match part {
                    Part::Claim(Claim::Statistic(statistics)) => Some(*statistics),
                    _ => None,
                })
                .into_iter()
                .collect();
        }
        found
    }

    /// The period named in the clause, else in an earlier, else in a later one.
    fn span(&self, index: usize) -> Option<Span> {
        let of = |clause: &Clause| clause.parts.iter().find_map(span);
        let clauses = &self.sentence.clauses;
        of(&clauses[index])
            .or_else(|| clauses[..index].iter().rev().find_map(of))
            .or_else(|| clauses[index + 1..].iter().find_map(of))
    }

    /// What is said beside numbers must be borne out too.
    fn words(&mut self, index: usize) {
        for (at, part) in self.sentence.clauses[index].parts.iter().enumerate() {
            let fault = match part {
                Part::Mention(mention) if !self.is_cited(|fact| is_of(fact, mention)) => {
                    Fault::UnsupportedMetric
                }
                Part::Claim(Claim::Period(span))
                    if !self.is_cited(|fact| fact.period.covers(*span)) =>
                {
                    Fault::UnsupportedPeriod
                }
                Part::Claim(Claim::OtherPeriod) => Fault::UnsupportedPeriod,
                Part::Claim(Claim::Judgement | Claim::Comparison(Ordering::Equal)) => {
                    Fault::UnsupportedChange
                }
                Part::Claim(Claim::Direction(direction)) => {
                    let mention = self.mention(index, at);
                    let shows = |fact: &Fact| {
                        fact.trend.is_some_and(|(known, _)| known == *direction)
                            && mention.is_none_or(|mention| is_of(fact, mention))
                    };
                    if self.cited.iter().any(|fact| shows(fact)) {
                        continue;
                    }
                    Fault::UnsupportedChange
                }
                _ => continue,
            };
            self.fault(fault);
        }
    }

    /// Whether a cited fact is such, or none is cited at all.
    fn is_cited(&self, such: impl Fn(&Fact) -> bool) -> bool {
        self.cited.is_empty() || self.cited.iter().any(|fact| such(fact))
    }

    /// A comparison must be that of the two values shown.
    fn comparisons(&mut self) {
        let parts = self
            .sentence
            .clauses
            .iter()
            .flat_map(|clause| &clause.parts);
        for part in parts {
            let Part::Claim(Claim::Comparison(ordering)) = part else {
                continue;
            };
            let holds = match self.shown.as_slice() {
                [one, other] => one.total_cmp(other) == *ordering,
                _ => false,
            };
            if !holds && *ordering != Ordering::Equal {
                self.fault(Fault::UnsupportedChange);
            }
        }
    }
}

impl Said<'_> {
    /// Whether the number can be that of `fact`.
    fn fits(&self, fact: &Fact, number: Number) -> bool {
        let is_shown = value_in(fact, self.unit).is_some_and(|value| {
            number.shows(value)
                || (fact.statistic == Statistic::TrendPerDay && number.shows(value.abs()))
        });
        is_shown
            && self.mention.is_none_or(|mention| is_of(fact, mention))
            && self.has_statistic(fact.statistic)
            && self.span.is_none_or(|span| {
                fact.period.covers(span) && !matches!(fact.period, Period::Clipped)
            })
    }

    /// Whether all of what is said names it; where no statistic is all of that,
    /// any.
    fn has_statistic(&self, statistic: Statistic) -> bool {
        let is_all =
            |statistic: &Statistic| self.statistics.iter().all(|set| set.contains(statistic));
        let some_is_all = self.statistics.iter().copied().flatten().any(is_all);
        if some_is_all {
            is_all(&statistic)
        } else {
            self.statistics.is_empty() || self.statistics.iter().any(|set| set.contains(&statistic))
        }
    }
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

/// Whether the fact is of the data type, or on the topic, that is mentioned.
fn is_of(fact: &Fact, mention: &Mention) -> bool {
    let name = vocabulary::find(&fact.metric).map_or(fact.metric.as_str(), |metric| &metric.name);
    let names = match fact.statistic {
        Statistic::RestingEstimate => [name, "resting_heart_rate"],
        _ => [name, name],
    };
    names.iter().any(|name| match &mention.named {
        Some(named) => named == name,
        None => mention.about.contains(name),
    })
}

/// The fact's value in the unit that it is said to be in, if it can be.
fn value_in(fact: &Fact, unit: Option<&str>) -> Option<f64> {
    let (Some(unit), value) = (unit, fact.value) else {
        return Some(fact.value);
    };
    match (&fact.unit, fact.statistic) {
        (_, Statistic::Outliers) => (unit == "d").then_some(value),
        (
            Some(own),
            Statistic::TrendPerDay | Statistic::BaselineSpread | Statistic::DailyDeviation,
        ) => {
            // A difference of temperatures does not convert as one of them does.
            let own = own.strip_suffix("/d").unwrap_or(own);
            vocabulary::same_unit(own, unit).then_some(value)
        }
        (Some(own), _) => vocabulary::convert(value, own, unit),
        (None, _) => None,
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
        Part::Claim(Claim::Direction(_)) => Some(&[Statistic::TrendPerDay]),
        _ => None,
    }
}

fn span(part: &Part) -> Option<Span> {
    match part {
        Part::Claim(Claim::Period(span)) => Some(*span),
        _ => None,
    }
}
