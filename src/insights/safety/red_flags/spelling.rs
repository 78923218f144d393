use crate::insights::safety::normalize;

/// What stands for a mark that ends a clause.
const BREAK: &str = "|";

/// A question in words of `a` to `z` and digits with single spaces between,
/// whatever its spelling: without apostrophes ("can't" is "cant"), with a
/// [`BREAK`] where a clause ends, with `.`, `/` and `:` only within numbers
/// (`2.8`, `200/130`, `2:30`), "%" as a word, letters that are spelled out or
/// repeated ("s u i c i d e", "dieee") put together, and slips of the keys in
/// words that matter put right.
pub fn normal(question: &str) -> String {
    let words = ascii_words(&normalize(question));
    let mut normal: Vec<String> = Vec::new();
    for run in words.chunk_by(|one, next| is_letter(one) && is_letter(next)) {
        match (run, normal.last_mut()) {
            (_, _) if run.len() >= LEAST_SPELLED_OUT => normal.push(run.concat()),
            // "can t", "won t": an apostrophe that is none.
            ([t], Some(before)) if t == "t" && before.len() > 1 && before.ends_with('n') => {
                before.push('t');
            }
            ([i, m], _) if i == "i" && m == "m" => normal.push("im".to_owned()),
            _ => normal.extend(run.iter().map(|word| put_right(word))),
        }
    }
    normal.join(" ")
}

/// The words without the marks that end clauses.
pub fn without_breaks(normal: &str) -> String {
    let words: Vec<&str> = normal.split(' ').filter(|word| *word != BREAK).collect();
    words.join(" ")
}

/// As many letters with spaces between are a word that is spelled out.
const LEAST_SPELLED_OUT: usize = 4;

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
                // "45mg" are two words, "spo2" is one.
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

/// The word without letters held down, and without a slip of the keys if it is
/// one of [`KEYWORDS`].
fn put_right(word: &str) -> String {
    let word = without_repeats(word);
    if KEYWORDS.contains(&word.as_str()) {
        return word;
    }
    match KEYWORDS.iter().find(|keyword| is_slip(&word, keyword)) {
        Some(keyword) => (*keyword).to_owned(),
        None => word,
    }
}

/// No word has a letter three times in a row.
fn without_repeats(word: &str) -> String {
    let mut kept = String::with_capacity(word.len());
    for run in word.as_bytes().chunk_by(PartialEq::eq) {
        let times = match run {
            [b'a'..=b'z', _, _, ..] => 1,
            _ => run.len(),
        };
        kept.extend(run.iter().take(times).map(|byte| char::from(*byte)));
    }
    kept
}

/// Words whose misspellings are no words of their own ("hear" for "heart" is).
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

/// Whether `word` is `keyword` with one letter left out or two neighbours
/// swapped, but the first, by which people know a word.
fn is_slip(word: &str, keyword: &str) -> bool {
    let (word, keyword) = (word.as_bytes(), keyword.as_bytes());
    let length = keyword.len();
    if word.first() != keyword.first() {
        return false;
    }
    // Of shorter words other words are left: "pan" of "pain".
    let left_out = length >= 5
        && word.len() + 1 == length
        && (1..length).any(|at| word[..at] == keyword[..at] && word[at..] == keyword[at + 1..]);
    let swapped = word.len() == length
        && (1..length - 1).any(|at| {
            word[..at] == keyword[..at]
                && word[at] == keyword[at + 1]
                && word[at + 1] == keyword[at]
                && word[at + 2..] == keyword[at + 2..]
        });
    left_out || swapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_makes_no_difference() {
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
            assert_eq!(normal(text), expected, "{text}");
        }
        assert_eq!(without_breaks("my chest | | hurts |"), "my chest hurts");
    }
}
