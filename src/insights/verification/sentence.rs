use std::ops::Range;

use super::phrases::{Claim, PHRASES, is_harmless};
use super::tokens::{Number, Token, tokens};
use crate::insights::topics::{Mention, named};
use crate::insights::words::Word;

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
        let mentions = named(&words);
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

    fn precedes_number(&self, at: usize) -> bool {
        matches!(self.tokens.get(at + 1), Some(Token::Number(_)))
    }

    /// A unit belongs to the number right before it.
    fn unit(&mut self, unit: &'static str) {
        if let Some(Part::Number(_, none @ None)) = self.last() {
            *none = Some(unit);
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
            Claim::Unit(unit) if matches!(self.last(), Some(Part::Number(..))) => self.unit(unit),
            // The unit of a bound, as in "below 70 mg/dL".
            Claim::Unit(_) => {
                if !matches!(self.last(), Some(Part::Claim(Claim::Bounds(_)))) {
                    self.push(Part::UnknownWord);
                }
            }
            Claim::Boundary if self.joins_numbers(at) => self.push(Part::To),
            Claim::Boundary => self.clauses.push(Clause::default()),
            Claim::Number(number) => {
                let number = Number {
                    value: f64::from(number),
                    decimals: 0,
                };
                self.push(Part::Number(number, None));
            }
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
            // "over 60" says that it is more.
            Token::Word if word.text == "over" && self.precedes_number(at) => {
                self.push(Part::UnknownWord);
            }
            Token::Word if is_harmless(&word.text) => {}
            Token::Word => self.push(Part::UnknownWord),
        }
    }
}
