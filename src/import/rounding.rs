/// To 15 significant digits, which is how many a double keeps of any decimal
/// number: 57 % of a fraction of 0.57, not 56.99999999999999 %.
pub fn rounded(number: f64) -> f64 {
    format!("{number:.14e}").parse().unwrap_or(number)
}
