//! Checks the Markdown documents: links and anchors resolve, pages stay short, every
//! page can be reached from the index, and quoted log messages exist.
//!
//! Anchors follow GitHub's rules: the heading's text without markup in lower case,
//! spaces become hyphens, other punctuation is dropped, and a repeated slug gets a
//! number. <https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#section-links>
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot continue fails where it stands"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Maximum lines of the README.
const MAX_README_LINES: usize = 150;
/// Maximum lines of a page in `docs`.
const MAX_PAGE_LINES: usize = 300;

/// Documents outside of `docs` whose links are checked.
const ROOT_DOCUMENTS: [&str; 3] = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"];

/// The page from which every other page can be reached.
const INDEX: &str = "docs/README.md";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the documents, by path from the root of the repository.
fn documents() -> BTreeMap<PathBuf, Document> {
    let mut paths: Vec<PathBuf> = ROOT_DOCUMENTS.iter().map(PathBuf::from).collect();
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            if root().join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                paths.push(path);
            }
        }
    }
    let read = |path: PathBuf| {
        let text = fs::read_to_string(root().join(&path)).unwrap();
        let document = Document::parse(&text);
        (path, document)
    };
    paths.into_iter().map(read).collect()
}

/// Links, anchors and length of a Markdown document.
#[derive(Debug, PartialEq, Eq)]
struct Document {
    lines: usize,
    links: Vec<String>,
    anchors: BTreeSet<String>,
}

impl Document {
    fn parse(text: &str) -> Self {
        let mut document = Self {
            lines: text.lines().count(),
            links: Vec::new(),
            anchors: BTreeSet::new(),
        };
        let mut fence: Option<&str> = None;
        let mut prose = String::new();
        for line in text.lines() {
            let trimmed = line.trim_start();
            let marker = ["```", "~~~"]
                .into_iter()
                .find(|fence| trimmed.starts_with(fence));
            match (fence, marker) {
                (None, Some(opening)) => fence = Some(opening),
                (Some(opening), Some(closing)) if opening == closing => fence = None,
                (None, None) => {
                    if let Some(heading) = heading(line) {
                        document.add_anchor(heading);
                    }
                    prose.push_str(line);
                    prose.push('\n');
                }
                _ => {}
            }
        }
        document.links = links(&prose);
        document
    }

    fn add_anchor(&mut self, heading: &str) {
        let slug = slug(heading);
        let mut anchor = slug.clone();
        let mut number = 0;
        while !self.anchors.insert(anchor) {
            number += 1;
            anchor = format!("{slug}-{number}");
        }
    }
}

/// Returns the text of an ATX heading.
fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    ((1..=6).contains(&level) && text.starts_with(' ')).then(|| text.trim())
}

/// Returns the anchor that GitHub gives to a heading.
fn slug(heading: &str) -> String {
    let mut text = heading.to_owned();
    // Of a link, GitHub uses its text.
    while let Some((start, middle, end)) = link_at(&text) {
        let label = text[start + 1..middle].to_owned();
        text.replace_range(start..end, &label);
    }
    text.to_lowercase()
        .chars()
        .filter_map(|character| match character {
            ' ' => Some('-'),
            '-' | '_' => Some(character),
            _ => character.is_alphanumeric().then_some(character),
        })
        .collect()
}

/// Finds the first inline link: its `[`, its `](` and the end behind its `)`.
fn link_at(text: &str) -> Option<(usize, usize, usize)> {
    let middle = text.find("](")?;
    let start = text[..middle].rfind('[')?;
    let end = middle + text[middle..].find(')')? + 1;
    Some((start, middle, end))
}

/// Returns the targets of the links in the text, inline ones and those of reference
/// definitions. Code spans contain none.
fn links(prose: &str) -> Vec<String> {
    let mut links = Vec::new();
    let text = without_code(prose);
    let mut rest = text.as_str();
    while let Some(middle) = rest.find("](") {
        rest = &rest[middle + 2..];
        let end = rest.find(')').expect("a link must be closed");
        links.push(rest[..end].trim().to_owned());
        rest = &rest[end..];
    }
    for line in text.lines() {
        if let Some((_, target)) = line
            .strip_prefix('[')
            .and_then(|line| line.split_once("]: "))
        {
            links.push(target.trim().to_owned());
        }
    }
    links
}

/// Removes the contents of code spans.
fn without_code(text: &str) -> String {
    text.split('`').step_by(2).collect::<Vec<_>>().join("``")
}

/// Resolves a link of the document at `from`; `None` if it leads out of the
/// repository.
fn resolve(from: &Path, link: &str) -> Option<(PathBuf, Option<String>)> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = match link.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor.to_owned())),
        None => (link, None),
    };
    if path.is_empty() {
        return Some((from.to_owned(), anchor));
    }
    let mut resolved = from.parent().unwrap_or(Path::new("")).to_owned();
    for component in Path::new(path).components() {
        match component {
            Component::ParentDir => assert!(resolved.pop(), "{link} leaves the repository"),
            Component::Normal(name) => resolved.push(name),
            Component::CurDir => {}
            _ => panic!("{link} is absolute"),
        }
    }
    Some((resolved, anchor))
}

#[test]
fn links_and_anchors_resolve() {
    let documents = documents();
    let mut broken = Vec::new();
    for (from, document) in &documents {
        for link in &document.links {
            let Some((path, anchor)) = resolve(from, link) else {
                continue;
            };
            let is_resolved = root().join(&path).exists()
                && anchor.is_none_or(|anchor| {
                    let target = documents.get(&path);
                    target.is_some_and(|target| target.anchors.contains(&anchor))
                });
            if !is_resolved {
                broken.push(format!("{}: {link}", from.display()));
            }
        }
    }
    assert!(
        broken.is_empty(),
        "links lead nowhere:\n{}",
        broken.join("\n")
    );
}

#[test]
fn documents_stay_short() {
    for (path, document) in documents() {
        let limit = match path.to_str() {
            Some("README.md") => MAX_README_LINES,
            _ if path.starts_with("docs") => MAX_PAGE_LINES,
            _ => continue,
        };
        assert!(
            document.lines <= limit,
            "{} has {} lines, more than {limit}",
            path.display(),
            document.lines
        );
    }
}

#[test]
fn every_page_is_reachable_from_the_index() {
    let documents = documents();
    let mut reached = BTreeSet::from([PathBuf::from(INDEX)]);
    let mut pending = vec![PathBuf::from(INDEX)];
    while let Some(from) = pending.pop() {
        let Some(document) = documents.get(&from) else {
            continue;
        };
        let targets = document
            .links
            .iter()
            .filter_map(|link| resolve(&from, link));
        for (path, _) in targets {
            if reached.insert(path.clone()) {
                pending.push(path);
            }
        }
    }
    let pages = documents.keys().filter(|path| path.starts_with("docs"));
    let unreachable: Vec<_> = pages.filter(|path| !reached.contains(*path)).collect();
    assert!(unreachable.is_empty(), "{unreachable:?}");
}

#[test]
fn log_messages_quoted_for_operators_exist_in_the_source() {
    let mut source = String::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                source.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    let page = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let quoted = page.split("log: `").skip(1);
    let messages: Vec<&str> = quoted
        .map(|rest| rest.split('`').next().unwrap().trim_matches(['…', ' ']))
        .collect();
    assert!(messages.len() >= 5, "the page has lost its messages");
    for message in messages {
        assert!(source.contains(message), "{message}");
    }
}

#[test]
fn parser_reads_links_and_anchors_as_github_does() {
    let text = "\
# The index `by-type`, and more_names!

See [one](a.md), [`two`](b/c.md#d) and `[no](link.md)`.

```toml
# not a heading [x](y)
```

## Again
## Again
## With [a link](x.md)

[reference]: https://example.com/
";
    let document = Document::parse(text);
    assert_eq!(
        document.links,
        ["a.md", "b/c.md#d", "x.md", "https://example.com/"]
    );
    let anchors = [
        "the-index-by-type-and-more_names",
        "again",
        "again-1",
        "with-a-link",
    ];
    assert_eq!(
        document.anchors,
        anchors.into_iter().map(str::to_owned).collect()
    );
}
