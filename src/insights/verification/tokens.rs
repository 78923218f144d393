use std::ops::Range;

use crate::insights::question::tokenize::{Word, normalize_word};

/// Token of a sentence.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    /// Word.
    Word,
    /// Number in ASCII digits.
    Number(Number),
    /// Punctuation that ends a clause.
    Boundary,
    /// Per cent sign.
    Percent,
    /// Digit of another script, fraction or the like, which cannot be compared
    /// with a fact.
    Foreign,
}

/// Number as written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number {
    /// Its value.
    pub value: f64,
    /// Number of decimals; negative after a positive exponent.
    pub decimals: i32,
}

impl Number {
    /// Returns true if `value` rounds to this number at its decimals, and the
    /// rounding does not distort it: 0 shows only 0.
    pub fn shows(&self, value: f64) -> bool {
        /// Maximum rounding error, relative to the value.
        const MAX_ROUNDING_ERROR: f64 = 0.05;
        let unit = 10_f64.powi(-self.decimals);
        if (value - self.value).abs() > MAX_ROUNDING_ERROR * value.abs() {
            return false;
        }
        // Half a unit in the last decimal, and the rounding error of a double.
        (value - self.value).abs() <= unit / 2.0 + value.abs() * 4.0 * f64::EPSILON
    }
}

/// Splits `text` into tokens and, index by index, their words. The word of a
/// number is its text; that of punctuation is empty.
pub fn tokenize(text: &str) -> (Vec<Token>, Vec<Word>) {
    let mut tokens = Vec::new();
    let mut words = Vec::new();
    let mut push = |token: Token, at: Range<usize>| {
        let written = match token {
            Token::Word | Token::Number(_) => normalize_word(&text[at.clone()]),
            Token::Boundary | Token::Percent | Token::Foreign => String::new(),
        };
        tokens.push(token);
        words.push(Word { text: written, at });
    };
    let mut rest = 0;
    while let Some(next) = text[rest..].chars().next() {
        let length = match next {
            '0'..='9' => {
                let (number, length) = parse_number(text, rest);
                let end = rest + length;
                let suffix = ordinal_suffix_len(&text[end..]);
                if suffix > 0 {
                    push(Token::Word, rest..end + suffix);
                } else {
                    push(Token::Number(number), rest..end);
                }
                length + suffix
            }
            '%' => {
                push(Token::Percent, rest..rest + 1);
                1
            }
            // A hyphen within a word, a dash between numbers or a minus sign.
            '–' | '-' | '−' => {
                let before = text[..rest].chars().next_back();
                let after = text[rest + next.len_utf8()..].chars().next();
                let is_within = before.is_some_and(char::is_alphanumeric)
                    && after.is_some_and(char::is_alphanumeric);
                let is_minus = before.is_none_or(|before| before == ' ')
                    && after.is_some_and(|after| after.is_ascii_digit());
                if !is_within && !is_minus {
                    push(Token::Foreign, rest..rest + next.len_utf8());
                }
                next.len_utf8()
            }
            ',' | ';' | ':' | '.' | '!' | '?' | '—' => {
                push(Token::Boundary, rest..rest + next.len_utf8());
                next.len_utf8()
            }
            next if next.is_alphabetic() => {
                let length = word_len(&text[rest..]);
                push(Token::Word, rest..rest + length);
                length
            }
            next if next.is_numeric() => {
                push(Token::Foreign, rest..rest + next.len_utf8());
                next.len_utf8()
            }
            next => next.len_utf8(),
        };
        rest += length;
    }
    (tokens, words)
}

/// Returns the length in bytes of the word at the start of `text`: letters,
/// digits after them (`SpO2`), subscripts and superscripts (`VO₂`).
fn word_len(text: &str) -> usize {
    text.char_indices()
        .find(|(_, character)| !character.is_alphanumeric())
        .map_or(text.len(), |(at, _)| at)
}

/// Returns the length of `st`, `nd`, `rd` or `th` at the start of `text`, else
/// 0.
fn ordinal_suffix_len(text: &str) -> usize {
    let length = word_len(text);
    if ["st", "nd", "rd", "th"].contains(&&text[..length]) {
        length
    } else {
        0
    }
}

/// Parses the number at `start` and returns it with its length in bytes. It may
/// have a decimal point or comma, thousands separators and an exponent.
fn parse_number(text: &str, start: usize) -> (Number, usize) {
    let bytes = text.as_bytes();
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let mut end = digits(start);
    let mut plain = text[start..end].to_owned();
    let mut decimals = 0;
    let can_be_grouped = end - start <= 3;
    let mut is_grouped = false;
    while matches!(bytes.get(end), Some(b'.' | b',')) {
        let next = digits(end + 1);
        let length = next - end - 1;
        if length == 0 || decimals != 0 {
            break;
        }
        if bytes[end] == b',' && length == 3 && can_be_grouped {
            plain.push_str(&text[end + 1..next]);
            is_grouped = true;
        } else if bytes[end] == b',' && is_grouped {
            // "165,000,0" is neither grouped nor a decimal.
            decimals = -1;
        } else {
            plain.push('.');
            plain.push_str(&text[end + 1..next]);
            decimals = i32::try_from(length).unwrap_or(i32::MAX);
        }
        end = next;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'-' | b'+')));
        let last = digits(end + 1 + sign);
        if last > end + 1 + sign {
            let exponent: i32 = text[end + 1..last].parse().unwrap_or(0);
            plain.push_str(&text[end..last]);
            decimals = decimals.saturating_sub(exponent);
            end = last;
        }
    }
    let is_negative = text[..start].ends_with(['-', '–', '−'])
        && !text[..start]
            .trim_end_matches(['-', '–', '−'])
            .ends_with(char::is_alphanumeric);
    let value: f64 = plain.parse().unwrap_or(f64::NAN);
    let value = if is_negative { -value } else { value };
    (Number { value, decimals }, end - start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Vec<(f64, i32)> {
        let (tokens, words) = tokenize(text);
        assert_eq!(tokens.len(), words.len());
        tokens
            .into_iter()
            .filter_map(|token| match token {
                Token::Number(number) => Some((number.value, number.decimals)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn numbers_parse_with_separators_signs_and_exponents() {
        assert_eq!(
            numbers("from 60 to 90.5, or 1,234.50."),
            [(60.0, 0), (90.5, 1), (1234.5, 2)]
        );
        assert_eq!(
            numbers("12,345,678 steps; 72,5"),
            [(12_345_678.0, 0), (72.5, 1)]
        );
        assert_eq!(
            numbers("−0.5 and -2, 60-90, 60–90"),
            [
                (-0.5, 1),
                (-2.0, 0),
                (60.0, 0),
                (90.0, 0),
                (60.0, 0),
                (90.0, 0)
            ]
        );
        assert_eq!(numbers("1.00e-4"), [(1e-4, 6)]);
        assert_eq!(numbers("72bpm 24h"), [(72.0, 0), (24.0, 0)]);
        assert_eq!(numbers("SpO2, VO₂ and the 10th of f1"), []);
    }

    #[test]
    fn non_ascii_numerals_are_foreign() {
        for text in ["½", "٣ steps", "7²"] {
            assert!(tokenize(text).0.contains(&Token::Foreign), "{text}");
        }
    }

    #[test]
    fn number_shows_values_that_round_to_it() {
        let number = |text: &str| match tokenize(text).0[0] {
            Token::Number(number) => number,
            _ => unreachable!(),
        };
        assert!(number("72").shows(71.5) && number("72").shows(72.49));
        assert!(!number("72").shows(71.4));
        assert!(number("71.53").shows(71.534) && !number("71.53").shows(71.54));
        assert!(number("1.00e-4").shows(0.000_100_4) && !number("1.00e-4").shows(0.000_11));
    }
}
