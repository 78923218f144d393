//! Spelling normalization of questions.

use crate::insights::safety::normalize;

/// Token for punctuation that ends a clause.
const BREAK: &str = "|";

/// Normalizes a question to words of `a` to `z` and digits, separated by spaces:
/// - apostrophes are removed ("can't" is "cant");
/// - a [`BREAK`] marks the end of a clause;
/// - `.`, `/` and `:` remain only within numbers (`2.8`, `200/130`, `2:30`);
/// - "%" becomes a word;
/// - spelled-out words are joined ("s u i c i d e"), and repeated letters are
///   reduced ("dieee");
/// - typos in [`KEYWORDS`] are corrected.
pub fn normalize_spelling(question: &str) -> String {
    let words = ascii_words(&normalize(question));
    let mut normalized: Vec<String> = Vec::new();
    for run in words.chunk_by(|one, next| is_letter(one) && is_letter(next)) {
        match (run, normalized.last_mut()) {
            (_, _) if run.len() >= MIN_SPELLED_OUT => normalized.push(run.concat()),
            // "can t", "won t": a space instead of an apostrophe.
            ([t], Some(before)) if t == "t" && before.len() > 1 && before.ends_with('n') => {
                before.push('t');
            }
            ([i, m], _) if i == "i" && m == "m" => normalized.push("im".to_owned()),
            _ => normalized.extend(run.iter().map(|word| correct_typo(word))),
        }
    }
    normalized.join(" ")
}

/// Returns the words without the tokens that end clauses.
pub fn without_breaks(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').filter(|word| *word != BREAK).collect();
    words.join(" ")
}

/// Minimum number of single letters in a row for a spelled-out word.
const MIN_SPELLED_OUT: usize = 4;

fn is_letter(word: &str) -> bool {
    word.len() == 1 && word.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn ascii_words(plain: &str) -> Vec<String> {
    let mut text = String::with_capacity(plain.len());
    let mut rest = plain.chars().peekable();
    while let Some(character) = rest.next() {
        let after_digit = text.ends_with(|last: char| last.is_ascii_digit());
        let in_number = after_digit && rest.peek().is_some_and(char::is_ascii_digit);
        let in_word = rest.peek().is_some_and(char::is_ascii_alphabetic);
        match character {
            'a'..='z' => {
                // "45mg" is two words, "spo2" is one.
                if after_digit {
                    text.push(' ');
                }
                text.push(character);
            }
            '0'..='9' => text.push(character),
            '.' | '/' | ':' if in_number => text.push(character),
            ',' if in_number => text.push('.'),
            '\'' => {}
            '%' => text.push_str(" percent "),
            '.' | ',' | ';' | '!' | '?' if !in_word => {
                text.push(' ');
                text.push_str(BREAK);
                text.push(' ');
            }
            _ => text.push(' '),
        }
    }
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

/// Returns the word without repeated letters, and without a typo if it is close
/// to one of [`KEYWORDS`].
fn correct_typo(word: &str) -> String {
    let word = without_repeats(word);
    if KEYWORDS.contains(&word.as_str()) {
        return word;
    }
    match KEYWORDS.iter().find(|keyword| is_typo(&word, keyword)) {
        Some(keyword) => (*keyword).to_owned(),
        None => word,
    }
}

/// Reduces three or more equal letters in a row to one, since no word has three.
fn without_repeats(word: &str) -> String {
    let mut reduced = String::with_capacity(word.len());
    for run in word.as_bytes().chunk_by(PartialEq::eq) {
        let times = match run {
            [b'a'..=b'z', _, _, ..] => 1,
            _ => run.len(),
        };
        reduced.extend(run.iter().take(times).map(|byte| char::from(*byte)));
    }
    reduced
}

/// Words whose misspellings are not words themselves, unlike "hear" for "heart".
const KEYWORDS: &[&str] = &[
    "breath",
    "breathe",
    "breathing",
    "chest",
    "consciousness",
    "drooping",
    "fainted",
    "numb",
    "overdose",
    "overdosed",
    "pain",
    "paralysed",
    "paralyzed",
    "seizure",
    "slurred",
    "suicidal",
    "suicide",
    "tightness",
    "unconscious",
];

/// Returns true if `word` is `keyword` with one letter missing or two adjacent
/// letters swapped. The first letter must match.
fn is_typo(word: &str, keyword: &str) -> bool {
    let (word, keyword) = (word.as_bytes(), keyword.as_bytes());
    let length = keyword.len();
    if word.first() != keyword.first() {
        return false;
    }
    // A shorter word may become another one: "pan" from "pain".
    let is_missing_letter = length >= 5
        && word.len() + 1 == length
        && (1..length).any(|at| word[..at] == keyword[..at] && word[at..] == keyword[at + 1..]);
    let is_swapped = word.len() == length
        && (1..length - 1).any(|at| {
            word[..at] == keyword[..at]
                && word[at] == keyword[at + 1]
                && word[at + 1] == keyword[at]
                && word[at + 2..] == keyword[at + 2..]
        });
    is_missing_letter || is_swapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_variants_are_normalized() {
        for (text, expected) in [
            ("I can’t BREATHE!!!", "i cant breathe | | |"),
            ("i m sure i can t, won\"t", "im sure i cant | wont"),
            ("chst pian", "chest pain"),
            ("chest/pain, now", "chest pain | now"),
            ("s u i c i d e", "suicide"),
            ("s-u-i-c-i-d-e a b c", "suicideabc"),
            ("s.u.i.c.i.d.e.", "suicide |"),
            ("a b c", "a b c"),
            ("i want to dieeee", "i want to die"),
            (
                "unconcious siezure, chess, pan, see",
                "unconscious seizure | chess | pan | see",
            ),
            ("BP 200/130; SpO2 80%", "bp 200/130 | spo2 80 percent"),
            (
                "45mg/dL or 2,8mmol at 2:30.",
                "45 mg dl or 2.8 mmol at 2:30 |",
            ),
            ("Плохо", ""),
        ] {
            assert_eq!(normalize_spelling(text), expected, "{text}");
        }
        assert_eq!(without_breaks("my chest | | hurts |"), "my chest hurts");
    }
}
