//! Who may use what: the rule of the crate's front page, held against the
//! source.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// A module, the modules of this crate that it may use, and the crates that
/// only it may use.
struct Room {
    module: &'static str,
    may_use: &'static [&'static str],
    keeps: &'static [&'static str],
}

const ROOMS: [Room; 13] = [
    Room {
        module: "domain",
        may_use: &[],
        keeps: &[],
    },
    Room {
        module: "statistics",
        may_use: &[],
        keeps: &["statrs"],
    },
    Room {
        module: "auth",
        may_use: &["domain", "telemetry"],
        keeps: &[
            "subtle",
            "getrandom",
            "aws_sdk_secretsmanager",
            "jsonwebtoken",
        ],
    },
    Room {
        module: "store",
        may_use: &["domain", "telemetry"],
        keeps: &["redb", "aws_sdk_dynamodb", "aws_smithy_runtime_api"],
    },
    Room {
        module: "import",
        may_use: &["domain", "store", "telemetry"],
        keeps: &[
            "crc32c",
            "flate2",
            "indicatif",
            "json_event_parser",
            "quick_xml",
            "toml",
            "zip",
        ],
    },
    Room {
        module: "insights",
        may_use: &["domain", "statistics", "telemetry"],
        keeps: &["regex"],
    },
    Room {
        module: "summaries",
        may_use: &["domain", "statistics"],
        keeps: &["sketches_ddsketch"],
    },
    Room {
        module: "http",
        may_use: &[
            "auth",
            "domain",
            "insights",
            "store",
            "summaries",
            "telemetry",
        ],
        keeps: &[
            "governor",
            "hmac",
            "utoipa_axum",
            "utoipa_swagger_ui",
            "tower_http",
        ],
    },
    Room {
        module: "server",
        may_use: &["telemetry"],
        keeps: &["hyper", "hyper_util", "tokio_io_timeout"],
    },
    Room {
        module: "app",
        may_use: &[
            "auth",
            "config",
            "domain",
            "http",
            "insights",
            "server",
            "store",
            "telemetry",
        ],
        keeps: &[],
    },
    Room {
        module: "commands",
        may_use: &[
            "app",
            "auth",
            "config",
            "domain",
            "import",
            "store",
            "telemetry",
        ],
        keeps: &["clap"],
    },
    Room {
        module: "config",
        // Besides `auth`, which parses key lists, only for their settings types: see
        // `config_names_only_settings_types`.
        may_use: &["auth", "http", "insights", "server", "store", "telemetry"],
        keeps: &["dotenvy"],
    },
    Room {
        module: "telemetry",
        may_use: &[],
        keeps: &[
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

/// Crates that only these modules may use.
const SHARED: [(&str, &[&str]); 7] = [
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

/// What implements a trait is named where it is, and in `app`.
const CONCRETE: [(&str, &str); 4] = [
    ("EmbeddedStore", "store"),
    ("DynamoDbStore", "store"),
    ("GeminiProvider", "insights"),
    ("StatisticalProvider", "insights"),
];

/// Each source file with the module it belongs to, its tests left out.
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let inside = path.strip_prefix(&root).unwrap();
            let first = inside
                .components()
                .next()
                .unwrap()
                .as_os_str()
                .to_str()
                .unwrap();
            let module = first.trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            let code: Vec<&str> = code
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect();
            sources.push((module, path, code.join("\n")));
        }
    }
    sources
}

/// Whether the code names `krate` as a path's first part.
fn uses_crate(code: &str, krate: &str) -> bool {
    let path = format!("{krate}::");
    code.match_indices(&path).any(|(at, _)| {
        let before = code[..at].chars().next_back().unwrap_or(' ');
        !before.is_alphanumeric() && before != '_' && before != ':'
    })
}

#[test]
fn modules_use_only_what_they_may() {
    for (module, path, code) in sources() {
        if ["main", "lib"].contains(&&*module) {
            continue;
        }
        let room = ROOMS.iter().find(|room| room.module == module);
        let room = room.unwrap_or_else(|| panic!("{module} is in no rule: {}", path.display()));
        assert!(
            !code.contains("use crate::{"),
            "{}: name each module by itself, so that this test sees it",
            path.display()
        );
        for other in &ROOMS {
            let named = code.contains(&format!("crate::{}", other.module));
            let allowed = other.module == module || room.may_use.contains(&other.module);
            assert!(
                allowed || !named,
                "{} may not use {}",
                path.display(),
                other.module
            );
            for krate in other.keeps {
                assert!(
                    other.module == module || !uses_crate(&code, krate),
                    "{} may not use the crate {krate}, which belongs to {}",
                    path.display(),
                    other.module
                );
            }
        }
        for (krate, users) in SHARED {
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
fn only_app_names_what_implements_a_trait() {
    for (module, path, code) in sources() {
        for (name, home) in CONCRETE {
            assert!(
                module == "app" || module == home || !code.contains(name),
                "{} names {name}",
                path.display()
            );
        }
    }
}

#[test]
fn neither_store_knows_the_others_engine() {
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
