use std::ops::Range;

use super::phrases::{Claim, PHRASES, is_neutral};
use super::tokens::{Number, Token, tokens};
use crate::insights::question::tokenize::Word;
use crate::insights::question::topics::{Mention, find_data_types};

/// A text, taken apart into clauses.
pub struct Sentence {
    pub clauses: Vec<Clause>,
}

/// What one clause says, from left to right.
#[derive(Default)]
pub struct Clause {
    pub parts: Vec<Part>,
}

/// Something that a clause says.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// It names a data type, or sleep as a whole.
    Mention(Mention),
    /// It claims something of numbers or facts.
    Claim(Claim),
    /// A number, and the unit that follows it.
    Number(Number, Option<&'static str>),
    /// Between two numbers: `to`, `and` or a dash.
    To,
    /// A word of which nothing is known.
    UnknownWord,
    /// What looks like a number and can't be held against facts.
    UnreadableNumber,
}

impl Sentence {
    /// Takes `text` apart.
    pub fn read(text: &str) -> Self {
        let (tokens, words) = tokens(text);
        let mentions = find_data_types(&words);
        let claims = PHRASES.find(&words);
        let mut reader = Reader {
            text,
            tokens: &tokens,
            words: &words,
            clauses: vec![Clause::default()],
        };
        let mut at = 0;
        while at < tokens.len() {
            let mention = mentions.iter().find(|(range, _)| range.start == at);
            let claim = claims.iter().find(|(range, _)| range.start == at);
            at = match (mention, claim) {
                // After a number it is a unit, whatever else it may name.
                (_, Some((range, Claim::Unit(unit)))) if reader.follows_number(at) => {
                    reader.unit(unit);
                    range.end
                }
                (Some((range, mention)), claim)
                    if claim.is_none_or(|(other, _)| other.len() <= range.len()) =>
                {
                    reader.push(Part::Mention(mention.clone()));
                    range.end
                }
                (_, Some((range, claim))) => {
                    reader.claim(range, **claim);
                    range.end
                }
                _ => {
                    reader.token(at);
                    at + 1
                }
            };
        }
        Self {
            clauses: reader.clauses,
        }
    }
}

impl Sentence {
    /// Whether it is built so that each word has its place: it is about one
    /// data type; each clause tells one number or one range of it, but for one
    /// that tells the period before all others; or there is one clause, which
    /// tells which way values go.
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
        let has_period = |clause: &&Clause| clause.parts.iter().any(Part::is_period);
        if clauses.is_empty() || (leads && clauses.iter().any(has_period)) {
            return false;
        }
        let goes_somewhere = |clause: &&Clause| clause.parts.iter().any(Part::is_direction);
        if clauses.iter().any(goes_somewhere) {
            return clauses.len() == 1 && clauses[0].tells_a_direction();
        }
        clauses.iter().all(|clause| clause.tells_one_number())
    }
}

impl Clause {
    fn mentions(&self) -> impl Iterator<Item = Option<&str>> {
        self.parts.iter().filter_map(|part| match part {
            Part::Mention(mention) => Some(mention.named.as_deref()),
            _ => None,
        })
    }

    /// Whether it says when, and nothing else.
    fn is_period(&self) -> bool {
        matches!(self.parts.as_slice(), [part] if part.is_period())
    }

    fn tells_a_direction(&self) -> bool {
        let count = |is: fn(&Part) -> bool| self.parts.iter().filter(|part| is(part)).count();
        let is_other = |part: &Part| {
            matches!(
                part,
                Part::Claim(Claim::Statistic(_) | Claim::Bounds(_) | Claim::Range) | Part::To
            )
        };
        count(Part::is_direction) == 1
            && count(|part| matches!(part, Part::Number(..))) <= 1
            && count(is_other) == 0
    }

    /// One number; or two that are a range; or of readings, and of the days
    /// that have them.
    fn tells_one_number(&self) -> bool {
        let numbers: Vec<usize> = (0..self.parts.len())
            .filter(|at| matches!(self.parts[*at], Part::Number(..)))
            .collect();
        match numbers.as_slice() {
            [_] => true,
            [first, second] => {
                let is_range = self.parts[*first..*second].contains(&Part::To);
                let are_days = matches!(self.parts[*second], Part::Number(_, Some("d")));
                is_range || are_days
            }
            _ => false,
        }
    }
}

impl Part {
    fn is_period(&self) -> bool {
        matches!(self, Self::Claim(Claim::Period(_) | Claim::NewestDay))
    }

    fn is_direction(&self) -> bool {
        matches!(self, Self::Claim(Claim::Direction(_)))
    }
}

struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token],
    words: &'a [Word],
    clauses: Vec<Clause>,
}

impl Reader<'_> {
    fn push(&mut self, part: Part) {
        if let Some(clause) = self.clauses.last_mut() {
            clause.parts.push(part);
        }
    }

    fn last(&mut self) -> Option<&mut Part> {
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

    /// A unit belongs to the number right before it, and to one that is joined
    /// to that.
    fn unit(&mut self, unit: &'static str) {
        let parts = self
            .clauses
            .last_mut()
            .map(|clause| clause.parts.as_mut_slice());
        match parts {
            Some(
                [
                    ..,
                    Part::Number(_, first @ None),
                    Part::To,
                    Part::Number(_, last @ None),
                ],
            ) => {
                *first = Some(unit);
                *last = Some(unit);
            }
            Some([.., Part::Number(_, none @ None)]) => *none = Some(unit),
            // The unit of a bound, as in "below 70 mg/dL".
            Some([.., Part::Claim(Claim::Bounds(_))]) if unit == "mg/dL" => {}
            _ => self.push(Part::UnknownWord),
        }
    }

    fn claim(&mut self, at: &Range<usize>, claim: Claim) {
        match claim {
            // "60 min" is a duration, "60 /min" a rate, "the min" a minimum.
            _ if self.words[at.start].text == "min"
                && at.len() == 1
                && self.follows_number(at.start) =>
            {
                let is_per = self.text[..self.words[at.start].at.start].ends_with('/');
                self.unit(if is_per { "/min" } else { "min" });
            }
            Claim::Unit(unit) => self.unit(unit),
            Claim::Boundary if self.joins_numbers(at) => self.push(Part::To),
            Claim::Boundary => self.clauses.push(Clause::default()),
            Claim::Number(number) => {
                let number = Number {
                    value: f64::from(number),
                    decimals: 0,
                };
                self.push(Part::Number(number, None));
            }
            Claim::Filler => {}
            claim => self.push(Part::Claim(claim)),
        }
    }

    /// Whether the `and` at `at` stands between two numbers.
    fn joins_numbers(&mut self, at: &Range<usize>) -> bool {
        let is_before = matches!(self.last(), Some(Part::Number(..)));
        is_before && matches!(self.tokens.get(at.end), Some(Token::Number(_)))
    }

    fn token(&mut self, at: usize) {
        let word = &self.words[at];
        let follows = matches!(self.last(), Some(Part::Number(..)));
        match &self.tokens[at] {
            Token::Number(number) => {
                if follows && self.text[..word.at.start].ends_with(['-', '–', '—']) {
                    self.push(Part::To);
                }
                // Of what is written with an exponent, too many digits are left out.
                if number.decimals < 0 {
                    self.push(Part::UnreadableNumber);
                } else {
                    self.push(Part::Number(*number, None));
                }
            }
            Token::Percent => self.unit("%"),
            Token::Foreign => self.push(Part::UnreadableNumber),
            Token::Boundary => self.clauses.push(Clause::default()),
            Token::Word if follows && word.text == "to" => self.push(Part::To),
            Token::Word if word.text.contains(|digit: char| digit.is_numeric()) => {
                self.push(Part::UnreadableNumber);
            }
            // "over 60" says that it is more, "over the last 7 days" when.
            Token::Word if word.text == "over" && self.precedes_period(at) => {}
            Token::Word if is_neutral(&word.text) => {}
            Token::Word => self.push(Part::UnknownWord),
        }
    }
}
