use serde_json::{Map, Value};

/// What a `device` attribute says, such as
/// `<<HKDevice: 0x2824>, name:Apple Watch, model:Watch, hardware:Watch6,2>`.
///
/// The number is where the phone had it in memory while it wrote the export. It
/// is left out: with it, one reading of two exports would be two.
pub fn parse(text: &str) -> Value {
    let Some(parts) = text.strip_prefix("<<HKDevice:") else {
        return text.into();
    };
    let mut members: Map<String, Value> = Map::new();
    let mut last: Option<(String, String)> = None;
    let mut parts = parts.split(", ");
    parts.next();
    for part in parts {
        match (part.split_once(':'), &mut last) {
            (Some((name, value)), _) => {
                keep(&mut members, last.take());
                last = Some((name.trim().replace(' ', "_"), value.to_owned()));
            }
            // A comma within a value.
            (None, Some((_, value))) => {
                value.push_str(", ");
                value.push_str(part);
            }
            (None, None) => {}
        }
    }
    // What closes the list stands after the last value.
    let last = last.map(|(name, value)| (name, value.trim_end_matches('>').to_owned()));
    keep(&mut members, last);
    members.into()
}

fn keep(members: &mut Map<String, Value>, member: Option<(String, String)>) {
    if let Some((name, value)) = member
        && !name.is_empty()
    {
        members.entry(name).or_insert_with(|| value.trim().into());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_address_is_left_out() {
        let device = |address: &str| {
            parse(&format!(
                "<<HKDevice: {address}>, name:Apple Watch, manufacturer:Apple Inc., \
                 model:Watch, hardware:Watch6,2, software:10.1, creation date:2023-01-01 10:00:00 +0000>"
            ))
        };
        assert_eq!(device("0x283a5b4c0"), device("0x1"));
        assert_eq!(
            device("0x1"),
            json!({
                "name": "Apple Watch", "manufacturer": "Apple Inc.", "model": "Watch",
                "hardware": "Watch6,2", "software": "10.1",
                "creation_date": "2023-01-01 10:00:00 +0000"
            })
        );
    }

    #[test]
    fn odd_devices_are_taken_as_they_are() {
        assert_eq!(parse("A scale"), json!("A scale"));
        assert_eq!(parse("<<HKDevice: 0x1>>"), json!({}));
        assert_eq!(
            parse("<<HKDevice: 0x1>, name:Scale, the big one, name:again, :x, model:>"),
            json!({"name": "Scale, the big one", "model": ""})
        );
    }
}
