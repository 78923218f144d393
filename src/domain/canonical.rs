use super::{ReadingValue, ValidationError};

/// Writer of the canonical form of JSON that [`Metadata`](super::Metadata) describes.
#[derive(Default)]
pub struct CanonicalWriter {
    text: String,
    depth: usize,
}

impl CanonicalWriter {
    /// Maximum nesting depth of objects and arrays; the outermost one is level 1.
    pub const MAX_DEPTH: usize = 16;

    /// Returns the written text.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// Writes an object. `members` must be sorted by name; `write` writes the value of
    /// each.
    ///
    /// # Errors
    /// If it nests too deep, a name is empty or occurs twice, or `write` fails.
    pub fn object<'n, V>(
        &mut self,
        members: impl IntoIterator<Item = (&'n str, V)>,
        mut write: impl FnMut(&mut Self, V) -> Result<(), ValidationError>,
    ) -> Result<(), ValidationError> {
        self.enter()?;
        let mut separator = '{';
        let mut previous = None;
        for (name, value) in members {
            if name.is_empty() {
                return Err(ValidationError::new(
                    "must not have a member with an empty name",
                ));
            }
            if previous == Some(name) {
                return Err(ValidationError::new("must not repeat a member name"));
            }
            previous = Some(name);
            self.text.push(separator);
            separator = ',';
            self.string(name);
            self.text.push(':');
            write(self, value)?;
        }
        self.leave(separator == '{', '{', '}');
        Ok(())
    }

    /// Writes an array; `write` writes each element.
    ///
    /// # Errors
    /// If it nests too deep, or `write` fails.
    pub fn array<V>(
        &mut self,
        elements: impl IntoIterator<Item = V>,
        mut write: impl FnMut(&mut Self, V) -> Result<(), ValidationError>,
    ) -> Result<(), ValidationError> {
        self.enter()?;
        let mut separator = '[';
        for element in elements {
            self.text.push(separator);
            separator = ',';
            write(self, element)?;
        }
        self.leave(separator == '[', '[', ']');
        Ok(())
    }

    fn enter(&mut self) -> Result<(), ValidationError> {
        self.depth += 1;
        if self.depth > Self::MAX_DEPTH {
            return Err(ValidationError::new("must not nest deeper than 16 levels"));
        }
        Ok(())
    }

    fn leave(&mut self, is_empty: bool, opening: char, closing: char) {
        if is_empty {
            self.text.push(opening);
        }
        self.text.push(closing);
        self.depth -= 1;
    }

    /// Writes `null`.
    pub fn null(&mut self) {
        self.text.push_str("null");
    }

    /// Writes `true` or `false`.
    pub fn boolean(&mut self, is_true: bool) {
        self.text.push_str(if is_true { "true" } else { "false" });
    }

    /// Writes a string.
    pub fn string(&mut self, string: &str) {
        let is_plain = |byte: u8| byte >= b' ' && !matches!(byte, b'"' | b'\\');
        if string.bytes().all(is_plain) {
            self.text.push('"');
            self.text.push_str(string);
            self.text.push('"');
        } else {
            // Serializing a string cannot fail.
            let escaped = serde_json::to_string(string).unwrap_or_default();
            self.text.push_str(&escaped);
        }
    }

    /// Writes the text of a JSON number in its canonical spelling: 64-bit integers in
    /// digits, all others as [`ReadingValue`] formats them.
    ///
    /// # Errors
    /// If `text` is not a number, or its value is out of range.
    pub fn number(&mut self, text: &str) -> Result<(), ValidationError> {
        if let Ok(integer) = text.parse::<i64>() {
            self.text.push_str(&integer.to_string());
        } else if let Ok(integer) = text.parse::<u64>() {
            self.text.push_str(&integer.to_string());
        } else if !text.contains(['.', 'e', 'E']) {
            return Err(ValidationError::new(
                "must not contain integers of more than 64 bits; send them as strings",
            ));
        } else {
            let number: ReadingValue = text.parse().map_err(|invalid| {
                ValidationError::new(format!("contains a number that {invalid}"))
            })?;
            if fits_64_bits(number.get()) {
                self.text.push_str(&format!("{:.0}", number.get()));
            } else {
                let text = number.to_string();
                if text.contains(['.', 'e']) {
                    self.text.push_str(&text);
                } else {
                    // Its digits alone would read as an integer of more than 64 bits.
                    self.text.push_str(&format!("{:e}", number.get()));
                }
            }
        }
        Ok(())
    }
}

/// Returns `true` if a double is an integer in the range of `i64` or `u64`.
fn fits_64_bits(number: f64) -> bool {
    const MIN: f64 = -9_223_372_036_854_775_808.0;
    const END: f64 = 18_446_744_073_709_551_616.0;
    number.fract() == 0.0 && (MIN..END).contains(&number)
}
