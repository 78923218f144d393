//! The README's quick start, line by line: what it says is sent, and what it
//! shows is what comes back.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::service::Service;

/// A line of a console, and what it answers.
struct Example {
    line: String,
    answer: Value,
}

/// The `console` blocks of the README that hold `curl` lines.
fn examples() -> Vec<Example> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let blocks = readme.split("```console\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap());
    blocks
        .flat_map(|block| block.split("$ ").skip(1))
        .filter(|example| example.starts_with("curl"))
        .map(|example| {
            let answer_at = example.find("\n{").unwrap();
            Example {
                line: example[..answer_at].to_owned(),
                answer: serde_json::from_str(&example[answer_at..]).unwrap(),
            }
        })
        .collect()
}

#[tokio::test]
async fn the_quick_start_works_as_it_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), &[]);
    let examples = examples();
    assert!(examples.len() >= 4, "the README has lost its examples");
    for Example { line, answer } in examples {
        let line = line.replace("http://localhost:8000", &service.url);
        let output = Command::new("sh").args(["-c", &line]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let found: Value =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{line} answered {text:?}"));
        assert_eq!(
            without_the_present(found),
            without_the_present(answer),
            "{line}"
        );
    }
}

/// What is never the same.
const PRESENT: [&str; 3] = ["answer_id", "created_at", "request_id"];

/// An answer without when it was given.
fn without_the_present(mut answer: Value) -> Value {
    match &mut answer {
        Value::Object(members) => {
            members.retain(|name, _| !PRESENT.contains(&name.as_str()));
            for member in members.values_mut() {
                *member = without_the_present(member.take());
            }
        }
        Value::Array(elements) => {
            for element in elements {
                *element = without_the_present(element.take());
            }
        }
        _ => {}
    }
    answer
}
