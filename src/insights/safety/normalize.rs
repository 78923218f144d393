/// Normalizes text for pattern matching: lower case, Latin letters without
/// accents, no invisible characters, one form of apostrophe, single spaces.
pub fn normalize(text: &str) -> String {
    let mut normalized = String::with_capacity(text.len());
    for character in text.chars().map(narrow).flat_map(char::to_lowercase) {
        match character {
            _ if is_invisible(character) => {}
            '’' | '‘' | '‛' | '`' | '´' | 'ʼ' | 'ʹ' | '′' | '\u{ff07}' => {
                normalized.push('\'')
            }
            '_' | '-' | '‐' | '‑' | '‒' | '–' | '—' => normalized.push(' '),
            _ => match without_accent(character) {
                Some(letters) => normalized.push_str(letters),
                None => normalized.push(character),
            },
        }
    }
    normalized.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the halfwidth form of a fullwidth Latin character, as typed on East
/// Asian keyboards.
fn narrow(character: char) -> char {
    match character {
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character)
        }
        _ => character,
    }
}

/// Returns true for soft hyphens, zero-width spaces, direction marks, variation
/// selectors, and combining accents.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{300}'..='\u{36f}'
            | '\u{61c}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Returns a lower-case Latin letter without its accent.
fn without_accent(letter: char) -> Option<&'static str> {
    Some(match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ĩ' | 'ī' | 'į' | 'ı' => "i",
        'ł' | 'ĺ' | 'ľ' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ő' => "o",
        'œ' => "oe",
        'ŕ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'ș' | 'š' => "s",
        'ß' => "ss",
        'ţ' | 'ț' | 'ť' => "t",
        'ù' | 'ú' | 'û' | 'ü' | 'ũ' | 'ū' | 'ů' | 'ű' | 'ų' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookalikes_are_normalized_alike() {
        for (text, expected) in [
            ("Don’t  STOP\n‘now’", "don't stop 'now'"),
            ("sui\u{200b}ci\u{ad}de", "suicide"),
            ("\u{202e}suïcidal", "suicidal"),
            ("e\u{301}vanoui, Größe, cœur", "evanoui, grosse, coeur"),
            ("ｃｈｅｓｔ—pain", "chest pain"),
            ("45 µg", "45 µg"),
        ] {
            assert_eq!(normalize(text), expected);
        }
    }
}
