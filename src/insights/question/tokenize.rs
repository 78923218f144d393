//! Tokenization of text into words, and phrase matching.

use std::collections::HashMap;
use std::ops::Range;

/// Normalized word and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word in lower case and in the singular.
    pub text: String,
    /// Its byte range in the text.
    pub at: Range<usize>,
}

/// Splits `text` into words: runs of letters and digits.
pub fn tokenize(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, character) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, character.is_alphanumeric()) {
            (None, true) => start = Some(at),
            (Some(begin), false) => {
                words.push(Word {
                    text: normalize_word(&text[begin..at]),
                    at: begin..at,
                });
                start = None;
            }
            _ => {}
        }
    }
    words
}

/// Returns `word` in lower case and, approximately, in the singular.
pub fn normalize_word(word: &str) -> String {
    let mut word = word.to_lowercase();
    if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") {
        word.pop();
    }
    word
}

/// Phrases with their meanings.
pub struct PhraseTable<T> {
    /// Meanings by the words of the phrase, separated by spaces.
    meanings: HashMap<String, T>,
    /// Length of the longest phrase that starts with a word, in words.
    longest: HashMap<String, usize>,
}

impl<T> PhraseTable<T> {
    /// Creates a table. If a phrase has two meanings, the first one counts.
    pub fn new<'a>(entries: impl IntoIterator<Item = (&'a str, T)>) -> Self {
        let mut table = Self {
            meanings: HashMap::new(),
            longest: HashMap::new(),
        };
        for (phrase, meaning) in entries {
            let words = tokenize(phrase);
            let Some(first) = words.first() else {
                continue;
            };
            let longest = table.longest.entry(first.text.clone()).or_default();
            *longest = words.len().max(*longest);
            table.meanings.entry(joined(&words)).or_insert(meaning);
        }
        table
    }

    /// Finds phrases in `words` from left to right. Returns the range of words
    /// and the meaning of each.
    pub fn find<'a>(&'a self, words: &[Word]) -> Vec<(Range<usize>, &'a T)> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < words.len() {
            match self.phrase_at(words, at) {
                Some((length, meaning)) => {
                    found.push((at..at + length, meaning));
                    at += length;
                }
                None => at += 1,
            }
        }
        found
    }

    /// Returns the longest phrase that starts at `at`.
    fn phrase_at(&self, words: &[Word], at: usize) -> Option<(usize, &T)> {
        let rest = &words[at..];
        let longest = *self.longest.get(&rest.first()?.text)?;
        (1..=longest.min(rest.len()))
            .rev()
            .find_map(|length| Some((length, self.meanings.get(&joined(&rest[..length]))?)))
    }
}

fn joined(words: &[Word]) -> String {
    let words: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_phrase_is_found() {
        let table = PhraseTable::new([
            ("heart", 1),
            ("heart rate", 2),
            ("resting heart rate", 3),
            ("heart", 4),
        ]);
        let text = tokenize("Resting heart-rate, HEART; hearts and heart_rates");
        let found: Vec<_> = table.find(&text).into_iter().map(|(_, is)| *is).collect();
        assert_eq!(found, [3, 1, 1, 2]);
    }

    #[test]
    fn words_have_their_byte_range() {
        let text = "Où? 72 steps";
        let words = tokenize(text);
        let texts: Vec<_> = words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(texts, ["où", "72", "step"]);
        assert_eq!(&text[words[2].at.clone()], "steps");
        assert_eq!(normalize_word("stress"), "stress");
    }
}
