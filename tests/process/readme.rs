//! Runs the quick start of the README and compares the responses with those shown.
//!
//! A response may elide parts, marked with `…` as [`compare`] describes. Everything
//! else must be shown exactly as the service returns it.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::service::Service;

/// A command and the response shown for it.
struct Example {
    command: String,
    response: Value,
}

/// Returns the `curl` commands in the `console` blocks of the README.
fn examples() -> Vec<Example> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let blocks = readme.split("```console\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap());
    blocks
        .flat_map(|block| block.split("$ ").skip(1))
        .filter(|example| example.starts_with("curl"))
        .map(|example| {
            let response_at = example.find("\n{").unwrap();
            Example {
                command: example[..response_at].to_owned(),
                response: serde_json::from_str(&example[response_at..]).unwrap(),
            }
        })
        .collect()
}

#[tokio::test]
async fn readme_examples_return_the_responses_shown() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), &[]);
    let examples = examples();
    assert!(examples.len() >= 4, "the README has too few examples");
    for Example { command, response } in examples {
        let command = command.replace("http://localhost:8000", &service.url);
        let output = Command::new("sh").args(["-c", &command]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let actual: Value =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{command} returned {text:?}"));
        if let Err(difference) = compare(&response, &actual) {
            panic!("{command}\n{difference}\nreturned {actual}");
        }
    }
}

#[test]
fn only_insight_responses_in_the_readme_are_elided() {
    for Example { command, response } in examples() {
        let is_insight = command.contains("/api/v1/insights");
        assert!(
            is_insight || !response.to_string().contains(ELLIPSIS),
            "{command}"
        );
    }
}

/// Marks an elided part of a response.
const ELLIPSIS: &str = "…";

/// Members that differ in every response. They must be present, with any value of
/// the type shown.
const VARYING: [&str; 3] = ["answer_id", "created_at", "request_id"];

/// Compares a documented response with the actual one.
///
/// - A string that ends in `…` matches strings that start with the text before it.
/// - An array whose last element is `"…"` matches arrays with at least one further
///   element.
///
/// Numbers, names of members and everything else cannot be elided.
fn compare(shown: &Value, actual: &Value) -> Result<(), String> {
    compare_at("", shown, actual)
}

fn compare_at(pointer: &str, shown: &Value, actual: &Value) -> Result<(), String> {
    let differs = || Err(format!("{pointer}: {shown} is shown, not {actual}"));
    match (shown, actual) {
        (Value::Object(shown), Value::Object(actual)) => {
            let has_same_names =
                shown.len() == actual.len() && shown.keys().all(|name| actual.contains_key(name));
            if !has_same_names {
                return differs();
            }
            for (name, value) in shown {
                let pointer = format!("{pointer}/{name}");
                let other = &actual[name];
                if VARYING.contains(&name.as_str()) && value.is_string() && other.is_string() {
                    continue;
                }
                compare_at(&pointer, value, other)?;
            }
            Ok(())
        }
        (Value::Array(shown), Value::Array(actual)) => {
            let elided = shown.last().is_some_and(|last| last == ELLIPSIS);
            let elements = &shown[..shown.len() - usize::from(elided)];
            let has_fitting_length = match elided {
                true => actual.len() > elements.len(),
                false => actual.len() == elements.len(),
            };
            if !has_fitting_length {
                return differs();
            }
            for (index, (shown, actual)) in elements.iter().zip(actual).enumerate() {
                compare_at(&format!("{pointer}/{index}"), shown, actual)?;
            }
            Ok(())
        }
        (Value::String(text), Value::String(actual)) => {
            let matches = match text.strip_suffix(ELLIPSIS) {
                Some(start) => !start.is_empty() && actual.starts_with(start),
                None => text == actual,
            };
            if matches { Ok(()) } else { differs() }
        }
        _ if shown == actual => Ok(()),
        _ => differs(),
    }
}

#[test]
fn comparison_accepts_only_marked_elisions() {
    let actual = json!({
        "text": "Heart rate: mean 72 /min.", "n": 1, "list": [1, 2, 3], "created_at": "today",
    });
    let with = |name: &str, value: Value| {
        let mut shown = actual.clone();
        shown[name] = value;
        compare(&shown, &actual)
    };
    for (name, value) in [
        ("text", json!("Heart rate: …")),
        ("list", json!([1, "…"])),
        ("created_at", json!("yesterday")),
    ] {
        assert_eq!(with(name, value), Ok(()), "{name}");
    }
    for (name, value) in [
        ("text", json!("Heart rate: mean 7")),
        ("text", json!("Pulse …")),
        ("text", json!("…")),
        ("n", json!(2)),
        ("n", json!("…")),
        ("list", json!([1, 2])),
        ("list", json!([2, "…"])),
        ("list", json!([1, 2, 3, "…"])),
        ("created_at", json!(null)),
        ("further", json!(1)),
    ] {
        assert!(with(name, value.clone()).is_err(), "{name} {value}");
    }
    assert!(compare(&json!({"n": 1}), &actual).is_err());
}
