use std::ops::Range;

use super::phrases::{Claim, PHRASES};
use super::tokens::{Number, Token, tokens};
use crate::insights::topics::{Mention, mentions};
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
    /// It names a data type, or a topic.
    Mention(Mention),
    /// It claims something of numbers or facts.
    Claim(Claim),
    /// A number, and the unit that follows it.
    Number(Number, Option<&'static str>),
    /// Between two numbers: `to`, `and` or a dash.
    To,
    /// Something that can't be held against facts: a numeral of another script,
    /// or digits within a word.
    Unreadable,
}

/// Words that have digits in them and are no numbers.
const NAMES: [&str; 7] = ["spo2", "vo2", "hba1c", "m2", "co2", "vo2max", "h2o"];

impl Sentence {
    /// Takes `text` apart; `metrics` are data types that it may name beside
    /// those of the vocabulary.
    pub fn read<'a>(text: &str, metrics: impl IntoIterator<Item = &'a str>) -> Self {
        let (tokens, words) = tokens(text);
        let mentions = mentions(&words, metrics);
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
                (Some((range, mention)), claim)
                    if claim.is_none_or(|(other, _)| other.len() <= range.len()) =>
                {
                    reader.push(Part::Mention(mention.clone()));
                    // Calories are a topic and a unit.
                    if let Some((_, Claim::Unit(unit))) = claim {
                        reader.unit(unit);
                    }
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

    /// A unit belongs to the number right before it.
    fn unit(&mut self, unit: &'static str) {
        if let Some(Part::Number(_, none @ None)) = self.last() {
            *none = Some(unit);
        }
    }

    fn claim(&mut self, at: &Range<usize>, claim: Claim) {
        let follows_number = at.start > 0 && matches!(self.tokens[at.start - 1], Token::Number(_));
        let is_per = self.text[..self.words[at.start].at.start].ends_with('/');
        match claim {
            // "60 min" is a duration, "60 /min" a rate, "the min" a minimum.
            _ if self.words[at.start].text == "min" && follows_number && at.len() == 1 => {
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
            Claim::Ratio => self.push(Part::Unreadable),
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
        match &self.tokens[at] {
            Token::Number(number) => {
                let before = self.text[..word.at.start].chars().next_back();
                let touches = at > 0 && self.words[at - 1].at.end + 3 >= word.at.start;
                if matches!(before, Some('-' | '–' | '—'))
                    && touches
                    && number.value >= 0.0
                    && matches!(self.last(), Some(Part::Number(..)))
                {
                    self.push(Part::To);
                }
                self.push(Part::Number(*number, None));
            }
            Token::Percent => self.unit("%"),
            Token::Foreign => self.push(Part::Unreadable),
            Token::Boundary => self.clauses.push(Clause::default()),
            Token::Word if word.text == "to" && matches!(self.last(), Some(Part::Number(..))) => {
                self.push(Part::To);
            }
            Token::Word => {
                let has_digits = word.text.contains(|character: char| character.is_numeric());
                if has_digits
                    && !NAMES.contains(&word.text.as_str())
                    && !word.text.ends_with(['₂', '²'])
                {
                    self.push(Part::Unreadable);
                }
            }
        }
    }
}
