//! Layering rules of the crate, checked against its source: which module may use
//! which module and which crate, and no import cycle between files.
#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Rule of a top-level module.
struct Module {
    name: &'static str,
    /// Modules of this crate that it may use.
    allowed: &'static [&'static str],
    /// Third-party crates that no other module may use.
    private_crates: &'static [&'static str],
}

const MODULES: [Module; 13] = [
    Module {
        name: "domain",
        allowed: &[],
        private_crates: &[],
    },
    Module {
        name: "statistics",
        allowed: &[],
        private_crates: &["statrs"],
    },
    Module {
        name: "auth",
        allowed: &["domain", "telemetry"],
        private_crates: &[
            "subtle",
            "getrandom",
            "aws_sdk_secretsmanager",
            "jsonwebtoken",
        ],
    },
    Module {
        name: "store",
        allowed: &["domain", "telemetry"],
        private_crates: &["redb", "aws_sdk_dynamodb", "aws_smithy_runtime_api"],
    },
    Module {
        name: "import",
        allowed: &["domain", "store", "telemetry"],
        private_crates: &[
            "crc32c",
            "flate2",
            "indicatif",
            "json_event_parser",
            "quick_xml",
            "toml",
            "zip",
        ],
    },
    Module {
        name: "insights",
        allowed: &["domain", "statistics", "telemetry"],
        private_crates: &["regex"],
    },
    Module {
        name: "summaries",
        allowed: &["domain", "statistics"],
        private_crates: &["sketches_ddsketch"],
    },
    Module {
        name: "http",
        allowed: &[
            "auth",
            "domain",
            "insights",
            "store",
            "summaries",
            "telemetry",
        ],
        private_crates: &[
            "governor",
            "hmac",
            "utoipa_axum",
            "utoipa_swagger_ui",
            "tower_http",
        ],
    },
    Module {
        name: "server",
        allowed: &["telemetry"],
        private_crates: &["hyper", "hyper_util", "socket2"],
    },
    Module {
        name: "app",
        allowed: &[
            "auth",
            "config",
            "domain",
            "http",
            "insights",
            "server",
            "store",
            "telemetry",
        ],
        private_crates: &[],
    },
    Module {
        name: "commands",
        allowed: &[
            "app",
            "auth",
            "config",
            "domain",
            "import",
            "store",
            "telemetry",
        ],
        private_crates: &["clap"],
    },
    Module {
        name: "config",
        // Besides `auth`, which parses key lists, only for their settings types: see
        // `config_names_only_settings_types`.
        allowed: &["auth", "http", "insights", "server", "store", "telemetry"],
        private_crates: &["dotenvy"],
    },
    Module {
        name: "telemetry",
        allowed: &[],
        private_crates: &[
            "metrics_exporter_prometheus",
            "metrics_util",
            "opentelemetry",
            "opentelemetry_http",
            "opentelemetry_otlp",
            "opentelemetry_sdk",
            "tracing_opentelemetry",
        ],
    },
];

/// Third-party crates that only the named modules may use.
const SHARED_CRATES: [(&str, &[&str]); 7] = [
    ("aws_config", &["auth", "store"]),
    ("axum", &["http", "app", "server"]),
    ("csv", &["domain", "http", "import"]),
    (
        "metrics",
        &["http", "insights", "server", "store", "telemetry"],
    ),
    ("moka", &["http", "insights"]),
    (
        "reqwest",
        &["auth", "commands", "import", "insights", "telemetry"],
    ),
    (
        "tokio",
        &[
            "auth",
            "http",
            "app",
            "commands",
            "import",
            "insights",
            "server",
            "store",
            "telemetry",
        ],
    ),
];

/// Implementations of traits, which only their own module and `app` may name.
const IMPLEMENTATIONS: [(&str, &str); 4] = [
    ("EmbeddedStore", "store"),
    ("DynamoDbStore", "store"),
    ("GeminiProvider", "insights"),
    ("StatisticalProvider", "insights"),
];

/// Source files as (top-level module, path, code), without comments and unit tests.
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    for (path, text) in imports::rust_files(&root) {
        if path.ends_with("tests.rs") {
            continue;
        }
        let first = path.iter().next().unwrap().to_str().unwrap();
        let module = first.trim_end_matches(".rs").to_owned();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let code: Vec<&str> = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        sources.push((module, path, code.join("\n")));
    }
    sources
}

/// Returns true if a path in the code starts with `krate`.
fn uses_crate(code: &str, krate: &str) -> bool {
    let path = format!("{krate}::");
    code.match_indices(&path).any(|(at, _)| {
        let before = code[..at].chars().next_back().unwrap_or(' ');
        !before.is_alphanumeric() && before != '_' && before != ':'
    })
}

#[test]
fn modules_use_only_allowed_modules_and_crates() {
    for (module, path, code) in sources() {
        if ["main", "lib"].contains(&&*module) {
            continue;
        }
        let rule = MODULES.iter().find(|rule| rule.name == module);
        let rule = rule.unwrap_or_else(|| panic!("{module} has no rule: {}", path.display()));
        assert!(
            !code.contains("use crate::{"),
            "{}: import each module by its own `use`, which this test can read",
            path.display()
        );
        for other in &MODULES {
            let named = code.contains(&format!("crate::{}", other.name));
            let allowed = other.name == module || rule.allowed.contains(&other.name);
            assert!(
                allowed || !named,
                "{} may not use {}",
                path.display(),
                other.name
            );
            for krate in other.private_crates {
                assert!(
                    other.name == module || !uses_crate(&code, krate),
                    "{} may not use the crate {krate}, which belongs to {}",
                    path.display(),
                    other.name
                );
            }
        }
        for (krate, users) in SHARED_CRATES {
            assert!(
                users.contains(&&*module) || !uses_crate(&code, krate),
                "{} may not use the crate {krate}",
                path.display()
            );
        }
    }
}

/// Types that `config` fills for the modules that own them.
const SETTINGS_TYPES: [&str; 11] = [
    "AllowedOrigins",
    "ConnectionLimits",
    "Deadlines",
    "DynamoDbSettings",
    "GeminiSettings",
    "PathSegment",
    "PathSegmentError",
    "RequestsPerMinute",
    "Timing",
    "TrustedProxies",
    "gemini",
];

#[test]
fn config_names_only_settings_types() {
    for (module, path, code) in sources() {
        if module != "config" {
            continue;
        }
        for owner in ["http", "insights", "server", "store"] {
            for (at, prefix) in code.match_indices(&format!("crate::{owner}::")) {
                let rest = &code[at + prefix.len()..];
                let names = rest.split(';').next().unwrap_or_default();
                let names = names.split(|part: char| !part.is_alphanumeric());
                for name in names.filter(|name| !name.is_empty()) {
                    assert!(
                        SETTINGS_TYPES.contains(&name),
                        "{} may not use {owner}::{name}",
                        path.display()
                    );
                }
            }
        }
    }
}

#[test]
fn only_app_names_implementations() {
    for (module, path, code) in sources() {
        for (name, home) in IMPLEMENTATIONS {
            assert!(
                module == "app" || module == home || !code.contains(name),
                "{} names {name}",
                path.display()
            );
        }
    }
}

#[test]
fn stores_use_only_their_own_engine() {
    for (_, path, code) in sources() {
        let path = path.display().to_string();
        assert!(
            path.contains("store/embedded") || !uses_crate(&code, "redb"),
            "{path}"
        );
        assert!(
            path.contains("store/dynamodb") || !uses_crate(&code, "aws_sdk_dynamodb"),
            "{path}"
        );
    }
}

/// Maximum number of source files directly in one folder.
const MAX_FILES_PER_FOLDER: usize = 15;

/// Maximum length of a source file in lines. `tests.rs` and data tables may be longer.
const MAX_LINES: usize = 400;

/// Files that are mostly tables of words.
const DATA_TABLES: [&str; 1] = ["insights/verification/phrases.rs"];

#[test]
fn folders_and_files_are_small() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files_by_folder: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for (path, text) in imports::rust_files(&root) {
        *files_by_folder
            .entry(path.parent().unwrap().to_owned())
            .or_default() += 1;
        let may_be_long =
            path.ends_with("tests.rs") || DATA_TABLES.iter().any(|table| path == Path::new(table));
        let lines = text.lines().count();
        assert!(
            may_be_long || lines <= MAX_LINES,
            "src/{} has {lines} lines; split it",
            path.display()
        );
    }
    for (folder, files) in files_by_folder {
        assert!(
            files <= MAX_FILES_PER_FOLDER,
            "src/{} has {files} files; group them by concern",
            folder.display()
        );
    }
}

#[test]
fn files_import_each_other_in_no_cycle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let sources = imports::Crate::parse(&root);
    let arrows = sources.arrows();
    assert!(
        arrows.values().map(BTreeSet::len).sum::<usize>() > arrows.len(),
        "the import graph is not read: {arrows:?}"
    );
    let cycles = imports::cycles(&arrows);
    let arrows_within = |cycle: &[&Path]| -> Vec<String> {
        let within = cycle.iter().flat_map(|from| {
            let targets = arrows[from].iter().filter(|to| cycle.contains(to));
            targets.map(move |to| format!("{} -> {}", from.display(), to.display()))
        });
        within.collect()
    };
    assert!(
        cycles.is_empty(),
        "import cycles between files: {:#?}",
        cycles
            .iter()
            .map(|cycle| arrows_within(cycle))
            .collect::<Vec<_>>()
    );
}
