//! Words of a text, and phrases found among them.

use std::collections::HashMap;
use std::ops::Range;

/// A word in lower case and in the singular, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word.
    pub text: String,
    /// Its bytes in the text.
    pub at: Range<usize>,
}

/// The words of `text`: runs of letters and digits.
pub fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, character) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, character.is_alphanumeric()) {
            (None, true) => start = Some(at),
            (Some(begin), false) => {
                words.push(Word {
                    text: plain(&text[begin..at]),
                    at: begin..at,
                });
                start = None;
            }
            _ => {}
        }
    }
    words
}

/// A word in lower case and, roughly, in the singular.
fn plain(word: &str) -> String {
    let mut word = word.to_lowercase();
    if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") {
        word.pop();
    }
    word
}

/// Phrases, each with what it means.
pub struct Lexicon<T> {
    by_first_word: HashMap<String, Vec<(Vec<String>, T)>>,
}

impl<T> Lexicon<T> {
    /// Of phrases with their meanings; of two meanings of one phrase the first
    /// stands.
    pub fn new<'a>(entries: impl IntoIterator<Item = (&'a str, T)>) -> Self {
        let mut by_first_word: HashMap<String, Vec<(Vec<String>, T)>> = HashMap::new();
        for (phrase, meaning) in entries {
            let phrase: Vec<String> = words(phrase).into_iter().map(|word| word.text).collect();
            let Some(first) = phrase.first() else {
                continue;
            };
            let same_start = by_first_word.entry(first.clone()).or_default();
            if same_start.iter().all(|(known, _)| *known != phrase) {
                same_start.push((phrase, meaning));
            }
        }
        // The longest phrase is the one that is meant.
        for phrases in by_first_word.values_mut() {
            phrases.sort_by_key(|(phrase, _)| std::cmp::Reverse(phrase.len()));
        }
        Self { by_first_word }
    }

    /// The phrases in `words` from left to right, which of the words each
    /// takes up, and what it means.
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

    fn phrase_at(&self, words: &[Word], at: usize) -> Option<(usize, &T)> {
        let rest = &words[at..];
        self.by_first_word
            .get(&rest.first()?.text)?
            .iter()
            .find(|(phrase, _)| {
                phrase.len() <= rest.len()
                    && phrase.iter().zip(rest).all(|(one, word)| *one == word.text)
            })
            .map(|(phrase, meaning)| (phrase.len(), meaning))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_phrase_is_found() {
        let lexicon = Lexicon::new([
            ("heart", 1),
            ("heart rate", 2),
            ("resting heart rate", 3),
            ("heart", 4),
        ]);
        let text = words("Resting heart-rate, HEART; hearts and heart_rates");
        let found: Vec<_> = lexicon.find(&text).into_iter().map(|(_, is)| *is).collect();
        assert_eq!(found, [3, 1, 1, 2]);
    }

    #[test]
    fn words_know_where_they_stand() {
        let text = "Où? 72 steps";
        let words = words(text);
        let texts: Vec<_> = words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(texts, ["où", "72", "step"]);
        assert_eq!(&text[words[2].at.clone()], "steps");
        assert_eq!(plain("stress"), "stress");
    }
}
