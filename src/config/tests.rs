use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;

use secrecy::ExposeSecret;

use super::*;
use crate::auth::KeyDigest;
use crate::telemetry::LogFormat;

fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    Config::read(|name| {
        variables
            .iter()
            .find(|(variable, _)| *variable == name)
            .map(|(_, value)| value.into())
    })
}

fn invalid_variables(variables: &[(&str, &str)]) -> Vec<&'static str> {
    read(variables).unwrap_err().variables().collect()
}

#[test]
fn exactly_the_listed_settings_are_read() {
    let read = RefCell::new(BTreeSet::new());
    for store in ["embedded", "dynamodb"] {
        let variable = |name: &str| {
            read.borrow_mut().insert(name.to_owned());
            (name == "CLARITY_STORE").then(|| store.into())
        };
        // Only the table's region is missing.
        let _ = Config::read(variable);
    }
    let listed = SETTINGS.iter().map(|setting| setting.name().to_owned());
    assert_eq!(read.into_inner(), listed.collect());
    assert_eq!(
        SETTINGS.len(),
        BTreeSet::from_iter(SETTINGS.iter().map(Setting::name)).len()
    );
}

#[test]
fn defaults_are_valid_values() {
    for environment in ["development", "production"] {
        let defaults = SETTINGS.iter().filter_map(|setting| {
            let environment = match environment {
                "production" => Environment::Production,
                _ => Environment::Development,
            };
            let default = setting.default_in(environment);
            (!default.is_empty()).then_some((setting.name(), default))
        });
        let mut variables: Vec<_> = defaults
            .filter(|(name, _)| *name != "ENVIRONMENT")
            .collect();
        variables.push(("ENVIRONMENT", environment));
        variables.push(("AWS_REGION", "eu-central-1"));
        if environment == "production" {
            variables.push(("CLARITY_API_KEY", "0123456789abcdef0123456789abcdef"));
        }
        read(&variables).unwrap();
    }
}

#[test]
fn example_file_lists_every_setting_and_no_secret() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/.env.aws");
    let example = fs::read_to_string(example).unwrap();
    let values: Vec<(&str, &str)> = example
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .collect();
    for setting in SETTINGS {
        // The SDK would look for a profile with an empty name.
        if *setting == settings::AWS_PROFILE {
            continue;
        }
        let value = values.iter().find(|(name, _)| *name == setting.name());
        let (_, value) = value.unwrap_or_else(|| panic!("{setting} is missing"));
        assert!(value.is_empty() || !setting.is_secret(), "{setting}");
    }
    let unknown = values.iter().filter(|(name, _)| {
        *name != "AWS_SECRET_ACCESS_KEY" && SETTINGS.iter().all(|setting| setting.name() != *name)
    });
    assert_eq!(unknown.count(), 0);
}

#[test]
fn secrets_are_absent_from_debug_output() {
    for setting in SETTINGS.iter().filter(|setting| setting.is_secret()) {
        let canary = "canary-0123456789abcdef";
        match read(&[(setting.name(), canary)]) {
            Ok(config) => assert!(!format!("{config:?}").contains(canary), "{setting}"),
            Err(error) => assert!(!error.to_string().contains(canary), "{setting}"),
        }
    }
}

#[test]
fn defaults_suit_a_local_service() {
    let config = read(&[]).unwrap();
    assert_eq!(config.environment, Environment::Development);
    assert_eq!(config.address.to_string(), "127.0.0.1:8000");
    assert!(
        matches!(&config.store, StoreConfig::Embedded { directory } if directory == "clarity-data")
    );
    assert!(config.uses_development_key());
}

#[test]
fn development_logs_text_and_exports_nothing() {
    let telemetry = |variables: &[(&str, &str)]| read(variables).unwrap().telemetry;
    let default = telemetry(&[]);
    assert_eq!(default.log_format, LogFormat::Text);
    assert_eq!(default.log_filter, "info");
    assert_eq!(default.metrics, MetricsSettings::default());
    assert_eq!(default.traces, None);
    let all = telemetry(&[
        ("LOG_FORMAT", "json"),
        ("METRICS_ADDR", "[::1]:9090"),
        ("METRICS_EMF", "true"),
    ]);
    assert_eq!(all.log_format, LogFormat::Json);
    assert_eq!(all.metrics.address.unwrap().to_string(), "[::1]:9090");
    assert!(all.metrics.emf);
}

#[test]
fn endpoint_or_production_selects_dynamodb() {
    let local = read(&[("DYNAMODB_ENDPOINT", "http://localhost:8001")]).unwrap();
    assert!(matches!(local.store, StoreConfig::DynamoDb(table) if table.region == "us-east-1"));
    let key = "0123456789abcdef0123456789abcdef";
    let production = read(&[
        ("ENVIRONMENT", "production"),
        ("AWS_REGION", "eu-central-1"),
        ("CLARITY_API_KEY", key),
    ])
    .unwrap();
    assert!(matches!(production.store, StoreConfig::DynamoDb(_)));
    assert_eq!(production.address.to_string(), "0.0.0.0:8000");
    assert_eq!(production.shutdown.grace.as_secs(), 5);
    assert!(!format!("{production:?}").contains(key));
    let embedded = read(&[
        ("DYNAMODB_ENDPOINT", "http://localhost:8001"),
        ("CLARITY_STORE", "embedded"),
    ]);
    assert!(matches!(
        embedded.unwrap().store,
        StoreConfig::Embedded { .. }
    ));
}

#[test]
fn all_errors_are_reported_without_values() {
    let variables = [
        ("ENVIRONMENT", "staging-secret"),
        ("HOST", "nowhere-secret"),
        ("PORT", "70000-secret"),
        ("CLARITY_STORE", "oracle-secret"),
        ("DYNAMODB_ENDPOINT", "secret"),
        ("CLARITY_API_KEY", "a key with spaces secret"),
        ("LOG_FORMAT", "xml-secret"),
        ("RUST_LOG", "secret"),
        ("SHUTDOWN_GRACE", "5 secret"),
        ("METRICS_ADDR", "9090-secret"),
        ("METRICS_EMF", "secret"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://user:secret@localhost:4318",
        ),
        ("CLARITY_REVISION", "secret revision"),
    ];
    assert_eq!(
        invalid_variables(&variables),
        [
            "ENVIRONMENT",
            "HOST",
            "PORT",
            "DYNAMODB_ENDPOINT",
            "CLARITY_STORE",
            "CLARITY_API_KEY",
            "SHUTDOWN_GRACE",
            "LOG_FORMAT",
            "RUST_LOG",
            "METRICS_ADDR",
            "METRICS_EMF",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "CLARITY_REVISION"
        ]
    );
    assert!(!read(&variables).unwrap_err().to_string().contains("secret"));
}

#[test]
fn invalid_number_causes_no_further_error() {
    for grace in ["0", "5"] {
        let variables = [("SHUTDOWN_GRACE", grace), ("SHUTDOWN_DEADLINE", "0")];
        assert_eq!(invalid_variables(&variables), ["SHUTDOWN_DEADLINE"]);
    }
}

#[test]
fn gemini_requires_a_key() {
    let insights = read(&[]).unwrap().insights;
    assert!(insights.gemini.is_none());
    assert_eq!(insights.deadline.as_secs(), 25);
    assert_eq!(insights.cache_ttl.as_secs(), 600);
    let config = read(&[("GEMINI_API_KEY", "any-prefix"), ("INSIGHT_CACHE_TTL", "0")]).unwrap();
    let gemini = config.insights.gemini.as_ref().unwrap();
    assert_eq!(gemini.model.as_str(), "gemini-3.5-flash-lite");
    assert_eq!(gemini.api_version.as_str(), "v1beta");
    assert_eq!(
        gemini.base_url.as_str(),
        "https://generativelanguage.googleapis.com/"
    );
    assert!(!format!("{config:?}").contains("any-prefix"));
}

#[test]
fn gemini_url_is_https_or_local() {
    let errors = |url, environment| {
        invalid_variables(&[
            ("GEMINI_BASE_URL", url),
            ("ENVIRONMENT", environment),
            ("AWS_REGION", "eu-central-1"),
            ("CLARITY_API_KEY", "0123456789abcdef0123456789abcdef"),
            ("GEMINI_API_KEY", "x"),
            ("INSIGHT_DEADLINE", "0"),
        ])
    };
    let deadline = ["INSIGHT_DEADLINE"];
    let both = ["GEMINI_BASE_URL", "INSIGHT_DEADLINE"];
    assert_eq!(
        errors("https://proxy.example/gemini", "production"),
        deadline
    );
    assert_eq!(errors("http://127.0.0.1:9", "development"), deadline);
    assert_eq!(errors("http://127.0.0.1:9", "production"), both);
    for url in [
        "http://example.com",
        "https://u:p@x.example",
        "ftp://x",
        "x",
        "https://x?key=1",
    ] {
        assert_eq!(errors(url, "development"), both, "{url}");
    }
    assert_eq!(
        invalid_variables(&[
            ("GEMINI_MODEL", "../x"),
            ("GEMINI_API_KEY", "a b"),
            ("GEMINI_API_VERSION", "v1/x")
        ]),
        ["GEMINI_MODEL", "GEMINI_API_VERSION", "GEMINI_API_KEY"]
    );
}

#[test]
fn keys_are_separated_by_commas() {
    let keys = |list: &str| {
        let config = read(&[("CLARITY_API_KEY", list)])?;
        let keys = config.keys.with_full_access.iter();
        let keys = keys.map(|key| key.expose_secret().to_owned());
        Ok::<Vec<String>, ConfigErrors>(keys.collect())
    };
    assert_eq!(keys("new").unwrap(), ["new"]);
    assert_eq!(keys("new, old").unwrap(), ["new", "old"]);
    for invalid in [",", "new,", "new,,old", "a key,old"] {
        let errors = keys(invalid).unwrap_err();
        assert_eq!(errors.variables().collect::<Vec<_>>(), ["CLARITY_API_KEY"]);
    }
}

#[test]
fn production_warns_of_risky_defaults() {
    assert!(read(&[]).unwrap().warnings().is_empty());
    let key = "0123456789abcdef0123456789abcdef";
    let mut variables = vec![
        ("ENVIRONMENT", "production"),
        ("AWS_REGION", "eu-central-1"),
        ("CLARITY_API_KEY", key),
    ];
    for (left, (name, value)) in [
        (3, ("RATE_LIMIT_READS", "off")),
        (2, ("TRUSTED_PROXIES", "10.0.0.0/16")),
        // A previous secret may be a short API key.
        (
            1,
            (
                "CLARITY_SERVICE_SECRET",
                "fedcba9876543210fedcba9876543210, 01234567890123456789",
            ),
        ),
    ] {
        assert_eq!(read(&variables).unwrap().warnings().len(), left, "{name}");
        variables.push((name, value));
    }
    assert!(read(&variables).unwrap().warnings().is_empty());
    variables.pop();
    variables.push(("CLARITY_SERVICE_SECRET", "too-short"));
    assert_eq!(invalid_variables(&variables), ["CLARITY_SERVICE_SECRET"]);
}

#[test]
fn key_cannot_have_full_access_and_be_listed() {
    let key = "0123456789abcdef0123456789abcdef";
    let digest = KeyDigest::from_key(key.as_bytes());
    let list =
        format!(r#"[{{"id":"app","sha256":"{digest}","scopes":["insights"],"users":["*"]}}]"#);
    let variables = [
        ("CLARITY_API_KEY", key),
        ("CLARITY_API_KEYS", list.as_str()),
    ];
    assert_eq!(invalid_variables(&variables), ["CLARITY_API_KEYS"]);
}

#[test]
fn production_rejects_development_settings() {
    let with_key = |key| {
        [
            ("ENVIRONMENT", "production"),
            ("AWS_REGION", "eu-central-1"),
            ("CLARITY_API_KEY", key),
        ]
    };
    assert_eq!(
        invalid_variables(&with_key("")),
        ["CLARITY_API_KEY", "CLARITY_SERVICE_SECRET"]
    );
    assert_eq!(
        invalid_variables(&with_key(DEVELOPMENT_KEY)),
        ["CLARITY_API_KEY"]
    );
    assert_eq!(invalid_variables(&with_key("short")), ["CLARITY_API_KEY"]);
    let one_is_short = "0123456789abcdef0123456789abcdef,short";
    assert_eq!(
        invalid_variables(&with_key(one_is_short)),
        ["CLARITY_API_KEY"]
    );
    assert_eq!(
        invalid_variables(&[
            ("ENVIRONMENT", "production"),
            ("DYNAMODB_ENDPOINT", "http://localhost:8001"),
            ("DYNAMODB_TABLE", "a b"),
        ]),
        [
            "DYNAMODB_ENDPOINT",
            "DYNAMODB_TABLE",
            "AWS_REGION",
            "CLARITY_API_KEY",
            "CLARITY_SERVICE_SECRET"
        ]
    );
}

#[test]
fn tokens_require_one_complete_issuer() {
    let pool = [
        ("AWS_REGION", "eu-central-1"),
        ("COGNITO_USER_POOL_ID", "eu-central-1_AbC"),
        ("COGNITO_CLIENT_IDS", "ios, web"),
    ];
    let tokens = read(&pool).unwrap().tokens.unwrap();
    let url = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC";
    assert_eq!(tokens.issuer.url, url);
    assert_eq!(tokens.key_set_url, format!("{url}/.well-known/jwks.json"));
    let other = [
        ("JWT_ISSUER", "https://login.example.com/"),
        ("JWT_AUDIENCE", "clarity"),
    ];
    let tokens = read(&other).unwrap().tokens.unwrap();
    assert_eq!(
        tokens.key_set_url,
        "https://login.example.com/.well-known/jwks.json"
    );
    assert_eq!(invalid_variables(&pool[..2]), ["COGNITO_CLIENT_IDS"]);
    assert_eq!(invalid_variables(&pool[1..]), ["AWS_REGION"]);
    assert_eq!(invalid_variables(&other[..1]), ["JWT_AUDIENCE"]);
    assert_eq!(invalid_variables(&other[1..]), ["JWT_ISSUER"]);
    assert_eq!(
        invalid_variables(&[pool, [other[0], other[1], ("PORT", "1")]].concat()),
        ["JWT_ISSUER"]
    );
    assert_eq!(
        invalid_variables(&[("JWKS_URL", "http://localhost:1")]),
        ["JWKS_URL"]
    );

    let production = |issuer| {
        let result = read(&[
            ("ENVIRONMENT", "production"),
            ("AWS_REGION", "eu-central-1"),
            ("JWT_ISSUER", issuer),
            ("JWT_AUDIENCE", "clarity"),
            ("CLARITY_SERVICE_SECRET", "0123456789abcdef0123456789abcdef"),
        ]);
        result.map_or_else(
            |errors| errors.variables().collect::<Vec<_>>(),
            |_| Vec::new(),
        )
    };
    assert!(
        production("https://login.example.com").is_empty(),
        "tokens suffice"
    );
    assert_eq!(production("http://login.example.com"), ["JWT_ISSUER"]);
}

#[test]
fn rate_limits_are_off_in_development_by_default() {
    let development = read(&[("RATE_LIMIT_READS", "7")]).unwrap().rate_limits;
    assert_eq!(development.reads.unwrap().get(), 7);
    assert_eq!(development.failed_authentications, None);
    let production = read(&[
        ("ENVIRONMENT", "production"),
        ("AWS_REGION", "eu-central-1"),
        ("CLARITY_API_KEY", "0123456789abcdef0123456789abcdef"),
        ("RATE_LIMIT_WRITES", "off"),
        ("TRUSTED_PROXIES", "10.0.0.0/16, 192.0.2.1"),
    ]);
    let production = production.unwrap();
    let limits = production.rate_limits;
    let limits = [
        limits.reads,
        limits.writes,
        limits.insights,
        limits.failed_authentications,
    ];
    let limits = limits.map(|limit| limit.map_or(0, |limit| limit.get()));
    assert_eq!(limits, [600, 0, 30, 20]);
    let proxies = ["10.0.0.0/16", "192.0.2.1/32"].map(|network| network.parse().unwrap());
    assert_eq!(
        production.trusted_proxies,
        TrustedProxies::from_iter(proxies)
    );
    for bad in ["0", "-1", "many", "1000001"] {
        assert_eq!(
            invalid_variables(&[("RATE_LIMIT_READS", bad)]),
            ["RATE_LIMIT_READS"]
        );
    }
    assert_eq!(
        invalid_variables(&[("TRUSTED_PROXIES", "10.0.0.0/33")]),
        ["TRUSTED_PROXIES"]
    );
}

#[test]
fn origins_must_be_serialized_as_browsers_do() {
    let cors = |list: &str| {
        let result = read(&[("CORS_ALLOWED_ORIGINS", list)]);
        result.map(|config| config.allowed_origins).ok()
    };
    assert_eq!(cors(""), Some(AllowedOrigins::Localhost));
    assert_eq!(cors("localhost"), Some(AllowedOrigins::Localhost));
    assert_eq!(cors("*"), Some(AllowedOrigins::Any));
    let two = "https://app.example.com, http://localhost:3000";
    let expected = ["https://app.example.com", "http://localhost:3000"];
    let expected = expected.map(|origin| origin.parse().unwrap()).to_vec();
    assert_eq!(cors(two), Some(AllowedOrigins::Only(expected)));
    for bad in [
        "app.example.com",
        "https://app.example.com/",
        "https://App.example.com",
        "https://app.example.com:443",
        "https://*.example.com",
        "https://app.example.com,",
        "https://app.example.com,*",
        "null",
        "file:///tmp",
    ] {
        assert_eq!(cors(bad), None, "{bad}");
    }
    let production = read(&[
        ("ENVIRONMENT", "production"),
        ("AWS_REGION", "eu-central-1"),
        ("CLARITY_API_KEY", "0123456789abcdef0123456789abcdef"),
    ]);
    assert_eq!(
        production.unwrap().allowed_origins,
        AllowedOrigins::Only(Vec::new())
    );
}

#[test]
fn key_list_has_one_source() {
    let list = |key: &str| {
        let digest = KeyDigest::from_key(key.as_bytes());
        format!(r#"[{{"id":"app","sha256":"{digest}","scopes":["insights"],"users":["*"]}}]"#)
    };
    let good = list("0123456789abcdef0123");
    let config = read(&[("CLARITY_API_KEYS", &good)]).unwrap();
    assert!(matches!(&config.keys.listed, KeyList::Inline(keys) if keys.count() == 1));
    assert!(!config.uses_development_key(), "another key is set");
    assert!(matches!(
        read(&[("CLARITY_API_KEYS_FILE", "keys.json")])
            .unwrap()
            .keys
            .listed,
        KeyList::File(_)
    ));
    let secret = [
        ("CLARITY_API_KEYS_SECRET", "clarity/api-keys"),
        ("AWS_REGION", "eu-central-1"),
    ];
    let config = read(&secret).unwrap();
    assert!(
        matches!(config.keys.listed, KeyList::Secret { region, .. } if region == "eu-central-1")
    );
    assert_eq!(invalid_variables(&secret[..1]), ["AWS_REGION"]);
    assert_eq!(
        invalid_variables(&[
            ("CLARITY_API_KEYS", &good),
            ("CLARITY_API_KEYS_FILE", "keys.json")
        ]),
        ["CLARITY_API_KEYS"]
    );
    let error = read(&[("CLARITY_API_KEYS", "[canary")]).unwrap_err();
    assert!(!error.to_string().contains("canary"));

    let production = |keys: &str, secret: &str| {
        let result = read(&[
            ("ENVIRONMENT", "production"),
            ("AWS_REGION", "eu-central-1"),
            ("CLARITY_API_KEYS", keys),
            ("CLARITY_SERVICE_SECRET", secret),
        ]);
        result.map_or_else(
            |errors| errors.variables().collect::<Vec<_>>(),
            |_| Vec::new(),
        )
    };
    let secret = "0123456789abcdef0123456789abcdef";
    assert!(production(&good, secret).is_empty());
    assert_eq!(production("[]", secret), ["CLARITY_API_KEYS"]);
    assert_eq!(
        production(&list(DEVELOPMENT_KEY), secret),
        ["CLARITY_API_KEYS"]
    );
    assert_eq!(production(&good, ""), ["CLARITY_SERVICE_SECRET"]);
    assert_eq!(production(&good, "short"), ["CLARITY_SERVICE_SECRET"]);
}
