/// Rounds to 15 significant digits, the most that a double preserves of every
/// decimal number: 57 % of a fraction of 0.57, not 56.99999999999999 %.
pub fn rounded(number: f64) -> f64 {
    format!("{number:.14e}").parse().unwrap_or(number)
}
