//! English text helpers.

/// Returns `text` with its first letter in upper case.
pub fn capitalize(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().collect::<String>() + characters.as_str(),
        None => String::new(),
    }
}

/// Joins names into a list: "a, b and c".
pub fn join_list(names: &[String], conjunction: &str) -> String {
    match names {
        [all @ .., last] if !all.is_empty() => {
            format!("{} {conjunction} {last}", all.join(", "))
        }
        names => names.concat(),
    }
}
