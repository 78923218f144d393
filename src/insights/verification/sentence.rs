use std::ops::Range;

use super::phrases::{Assertion, PHRASES, is_neutral};
use super::tokens::{Number, Token, tokenize};
use crate::insights::question::tokenize::Word;
use crate::insights::question::topics::{Mention, find_data_types};

/// Parsed sentence.
pub struct Sentence {
    /// Clauses in order; some may be empty.
    pub clauses: Vec<Clause>,
}

/// Clause: its parts from left to right.
#[derive(Default)]
pub struct Clause {
    /// Parts in order, without neutral words.
    pub parts: Vec<ClausePart>,
}

/// Part of a clause.
#[derive(Debug, Clone, PartialEq)]
pub enum ClausePart {
    /// Name of a data type, or of sleep as a whole.
    Mention(Mention),
    /// Assertion about numbers or facts.
    Assertion(Assertion),
    /// Number and the unit that follows it.
    Number(Number, Option<&'static str>),
    /// `to`, `and` or a dash between two numbers.
    To,
    /// Word outside the vocabulary.
    UnknownWord,
    /// Text that looks like a number but cannot be compared with facts.
    UnreadableNumber,
}

impl Sentence {
    /// Splits `text` into clauses and their parts.
    pub fn parse(text: &str) -> Self {
        let (tokens, words) = tokenize(text);
        let mentions = find_data_types(&words);
        let assertions = PHRASES.find(&words);
        let mut parser = SentenceParser {
            text,
            tokens: &tokens,
            words: &words,
            clauses: vec![Clause::default()],
        };
        let mut at = 0;
        while at < tokens.len() {
            let mention = mentions.iter().find(|(range, _)| range.start == at);
            let assertion = assertions.iter().find(|(range, _)| range.start == at);
            at = match (mention, assertion) {
                // After a number it is a unit, even if it also names a data type.
                (_, Some((range, Assertion::Unit(unit)))) if parser.follows_number(at) => {
                    parser.unit(unit);
                    range.end
                }
                (Some((range, mention)), assertion)
                    if assertion.is_none_or(|(other, _)| other.len() <= range.len()) =>
                {
                    parser.push(ClausePart::Mention(mention.clone()));
                    range.end
                }
                (_, Some((range, assertion))) => {
                    parser.assert(range, **assertion);
                    range.end
                }
                _ => {
                    parser.token(at);
                    at + 1
                }
            };
        }
        Self {
            clauses: parser.clauses,
        }
    }
}

impl Sentence {
    /// Returns true if the sentence is unambiguous: it is about one data type,
    /// and either each clause states one number or one range, except for a
    /// leading one that may state the period; or its only clause states a
    /// direction.
    pub fn is_simple(&self) -> bool {
        let mut clauses: Vec<&Clause> = self
            .clauses
            .iter()
            .filter(|clause| !clause.parts.is_empty())
            .collect();
        let mut mentions = self.clauses.iter().flat_map(Clause::mentions);
        let first = mentions.next();
        if mentions.any(|mention| Some(mention) != first) {
            return false;
        }
        let leads = clauses.first().is_some_and(|clause| clause.is_period());
        if leads {
            clauses.remove(0);
        }
        let has_period = |clause: &&Clause| clause.parts.iter().any(ClausePart::is_period);
        if clauses.is_empty() || (leads && clauses.iter().any(has_period)) {
            return false;
        }
        let states_direction = |clause: &&Clause| clause.parts.iter().any(ClausePart::is_direction);
        if clauses.iter().any(states_direction) {
            return clauses.len() == 1 && clauses[0].states_one_direction();
        }
        clauses.iter().all(|clause| clause.states_one_number())
    }
}

impl Clause {
    fn mentions(&self) -> impl Iterator<Item = Option<&str>> {
        self.parts.iter().filter_map(|part| match part {
            ClausePart::Mention(mention) => Some(mention.named.as_deref()),
            _ => None,
        })
    }

    /// Returns true if the clause states a period and nothing else.
    fn is_period(&self) -> bool {
        matches!(self.parts.as_slice(), [part] if part.is_period())
    }

    fn states_one_direction(&self) -> bool {
        let count = |is: fn(&ClausePart) -> bool| self.parts.iter().filter(|part| is(part)).count();
        let is_other = |part: &ClausePart| {
            matches!(
                part,
                ClausePart::Assertion(
                    Assertion::Statistic(_) | Assertion::Bounds(_) | Assertion::Range
                ) | ClausePart::To
            )
        };
        count(ClausePart::is_direction) == 1
            && count(|part| matches!(part, ClausePart::Number(..))) <= 1
            && count(is_other) == 0
    }

    /// Returns true for one number, two numbers that form a range, or a number
    /// of readings and one of days.
    fn states_one_number(&self) -> bool {
        let numbers: Vec<usize> = (0..self.parts.len())
            .filter(|at| matches!(self.parts[*at], ClausePart::Number(..)))
            .collect();
        match numbers.as_slice() {
            [_] => true,
            [first, second] => {
                let is_range = self.parts[*first..*second].contains(&ClausePart::To);
                let are_days = matches!(self.parts[*second], ClausePart::Number(_, Some("d")));
                is_range || are_days
            }
            _ => false,
        }
    }
}

impl ClausePart {
    fn is_period(&self) -> bool {
        matches!(
            self,
            Self::Assertion(Assertion::Period(_) | Assertion::NewestDay)
        )
    }

    fn is_direction(&self) -> bool {
        matches!(self, Self::Assertion(Assertion::Direction(_)))
    }
}

struct SentenceParser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    words: &'a [Word],
    clauses: Vec<Clause>,
}

impl SentenceParser<'_> {
    fn push(&mut self, part: ClausePart) {
        if let Some(clause) = self.clauses.last_mut() {
            clause.parts.push(part);
        }
    }

    fn last(&mut self) -> Option<&mut ClausePart> {
        self.clauses.last_mut()?.parts.last_mut()
    }

    fn follows_number(&self, at: usize) -> bool {
        at > 0 && matches!(self.tokens[at - 1], Token::Number(_))
    }

    fn precedes_period(&self, at: usize) -> bool {
        let is = |at: usize, expected: &[&str]| {
            let word = self.words.get(at).map(|word| word.text.as_str());
            word.is_some_and(|word| expected.contains(&word))
        };
        is(at + 1, &["the"]) && is(at + 2, &["last", "past", "most", "latest"])
    }

    /// Attaches a unit to the number right before it, and to the other end of a
    /// range.
    fn unit(&mut self, unit: &'static str) {
        let parts = self
            .clauses
            .last_mut()
            .map(|clause| clause.parts.as_mut_slice());
        match parts {
            Some(
                [
                    ..,
                    ClausePart::Number(_, first @ None),
                    ClausePart::To,
                    ClausePart::Number(_, last @ None),
                ],
            ) => {
                *first = Some(unit);
                *last = Some(unit);
            }
            Some([.., ClausePart::Number(_, none @ None)]) => *none = Some(unit),
            // The unit of a bound, as in "below 70 mg/dL".
            Some([.., ClausePart::Assertion(Assertion::Bounds(_))]) if unit == "mg/dL" => {}
            _ => self.push(ClausePart::UnknownWord),
        }
    }

    fn assert(&mut self, at: &Range<usize>, assertion: Assertion) {
        match assertion {
            // "60 min" is a duration, "60 /min" a rate, "the min" a minimum.
            _ if self.words[at.start].text == "min"
                && at.len() == 1
                && self.follows_number(at.start) =>
            {
                let is_per = self.text[..self.words[at.start].at.start].ends_with('/');
                self.unit(if is_per { "/min" } else { "min" });
            }
            Assertion::Unit(unit) => self.unit(unit),
            Assertion::Boundary if self.joins_numbers(at) => self.push(ClausePart::To),
            Assertion::Boundary => self.clauses.push(Clause::default()),
            Assertion::Number(number) => {
                let number = Number {
                    value: f64::from(number),
                    decimals: 0,
                };
                self.push(ClausePart::Number(number, None));
            }
            Assertion::Filler => {}
            assertion => self.push(ClausePart::Assertion(assertion)),
        }
    }

    /// Returns true if the `and` at `at` is between two numbers.
    fn joins_numbers(&mut self, at: &Range<usize>) -> bool {
        let is_before = matches!(self.last(), Some(ClausePart::Number(..)));
        is_before && matches!(self.tokens.get(at.end), Some(Token::Number(_)))
    }

    fn token(&mut self, at: usize) {
        let word = &self.words[at];
        let follows = matches!(self.last(), Some(ClausePart::Number(..)));
        match &self.tokens[at] {
            Token::Number(number) => {
                if follows && self.text[..word.at.start].ends_with(['-', '–', '—']) {
                    self.push(ClausePart::To);
                }
                // A positive exponent leaves too many digits unstated.
                if number.decimals < 0 {
                    self.push(ClausePart::UnreadableNumber);
                } else {
                    self.push(ClausePart::Number(*number, None));
                }
            }
            Token::Percent => self.unit("%"),
            Token::Foreign => self.push(ClausePart::UnreadableNumber),
            Token::Boundary => self.clauses.push(Clause::default()),
            Token::Word if follows && word.text == "to" => self.push(ClausePart::To),
            Token::Word if word.text.contains(|digit: char| digit.is_numeric()) => {
                self.push(ClausePart::UnreadableNumber);
            }
            // "Over 60" is a comparison, "over the last 7 days" a period.
            Token::Word if word.text == "over" && self.precedes_period(at) => {}
            Token::Word if is_neutral(&word.text) => {}
            Token::Word => self.push(ClausePart::UnknownWord),
        }
    }
}
