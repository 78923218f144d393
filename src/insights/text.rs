//! English text helpers.

/// Returns the everyday name of a data type: `heart_rate` is "heart rate".
pub fn spoken_name(data_type: &str) -> String {
    let words = data_type.split(['_', ':', '.']).map(|word| match word {
        "hrv" | "rmssd" | "sdnn" | "bmi" => word.to_uppercase(),
        "vo2" => "VO2".to_owned(),
        "spo2" => "SpO2".to_owned(),
        word => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

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
