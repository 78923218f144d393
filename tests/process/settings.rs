//! Valid and invalid settings.

use std::fs;

use crate::service::{PRODUCTION, Service, error_output, run};

#[tokio::test]
async fn service_without_settings_prints_a_banner() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), &[]);
    assert!(
        service.url.starts_with("http://127.0.0.1:"),
        "only reachable from this host"
    );
    for part in ["development-key", "/docs", "curl -X POST", "heart_rate"] {
        assert!(service.banner().contains(part), "{part}");
    }
    assert!(directory.path().join("clarity-data").is_dir());
}

#[test]
fn all_invalid_settings_are_reported_together_without_values() {
    let directory = tempfile::tempdir().unwrap();
    let failed = run(
        directory.path(),
        &[],
        &[
            ("ENVIRONMENT", "canary1"),
            ("HOST", "canary2"),
            ("PORT", "canary3"),
            ("CLARITY_STORE", "canary4"),
            ("DYNAMODB_ENDPOINT", "canary5"),
            ("CLARITY_API_KEY", "canary 6"),
        ],
    );
    let error_output = error_output(&failed, 2);
    for name in [
        "ENVIRONMENT",
        "HOST",
        "PORT",
        "CLARITY_STORE",
        "DYNAMODB_ENDPOINT",
        "CLARITY_API_KEY",
    ] {
        assert!(error_output.contains(name), "{name} in {error_output}");
    }
    assert!(!error_output.contains("canary"), "{error_output}");
    assert!(!directory.path().join("clarity-data").exists());
}

#[test]
fn production_rejects_the_development_key_and_a_custom_endpoint() {
    let directory = tempfile::tempdir().unwrap();
    let failed = run(
        directory.path(),
        &[],
        &[
            ("ENVIRONMENT", "production"),
            ("AWS_REGION", "eu-central-1"),
            ("CLARITY_API_KEY", "development-key"),
            ("DYNAMODB_ENDPOINT", "http://127.0.0.1:1"),
        ],
    );
    let error_output = error_output(&failed, 2);
    assert!(error_output.contains("CLARITY_API_KEY") && error_output.contains("DYNAMODB_ENDPOINT"));
    assert!(!error_output.contains("development-key"));
}

#[tokio::test]
async fn env_file_sets_only_variables_absent_from_the_environment() {
    let directory = tempfile::tempdir().unwrap();
    let file = "CLARITY_DATA_DIR=\"from the file\"\nPORT=1\n# a comment\n";
    fs::write(directory.path().join(".env"), file).unwrap();
    let service = Service::start(directory.path(), &[]);
    assert_eq!(
        service.get("/health").await.0,
        200,
        "PORT is taken from the environment"
    );
    assert!(directory.path().join("from the file").is_dir());
}

#[test]
fn ambiguous_env_file_is_rejected_without_quoting_its_content() {
    for file in [
        "CLARITY_API_KEY='canary\n",
        "CLARITY_API_KEY=canary\0key\n",
        "CLARITY_API_KEY=canary$key\n",
        "CLARITY_API_KEY=\"$canary\"\n",
        "CLARITY_API_KEY=\"it's$canary's\"\n",
        "CLARITY_API_KEY canary\n",
    ] {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(".env"), file).unwrap();
        let error_output = error_output(&run(directory.path(), &[], &[]), 2);
        assert!(
            error_output.contains(".env") && !error_output.contains("canary"),
            "{error_output}"
        );
    }
}

#[tokio::test]
async fn single_quoted_key_in_env_file_is_taken_literally() {
    let directory = tempfile::tempdir().unwrap();
    let file = "# costs $5\nCLARITY_API_KEY='a$key' # $5\nCLARITY_DATA_DIR=data\n";
    fs::write(directory.path().join(".env"), file).unwrap();
    let service = Service::start(directory.path(), &[("CLARITY_API_KEY", "development-key")]);
    assert_eq!(service.get("/api/v1/data/user123").await.0, 200);
    assert!(directory.path().join("data").is_dir());
}

#[test]
fn unusable_data_directory_is_named_in_the_error() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), "").unwrap();
    let failed = run(
        directory.path(),
        &[],
        &[("CLARITY_DATA_DIR", "file"), ("PORT", "0")],
    );
    let error_output = error_output(&failed, 1);
    assert!(
        error_output.contains("file") && error_output.contains("CLARITY_DATA_DIR"),
        "{error_output}"
    );
}

/// A missing or publicly known key fails at startup instead of leaving a production
/// service open.
#[test]
fn production_without_a_private_key_does_not_start() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("keys.json");
    // The digest of the development key.
    let public = r#"[{"id":"app","sha256":"DIGEST","scopes":["insights"],"users":["*"]}]"#.replace(
        "DIGEST",
        &clarity_backend::auth::KeyDigest::from_key(b"development-key").to_string(),
    );
    fs::write(&file, &public).unwrap();
    let file = file.to_str().unwrap();
    let secret = ("CLARITY_SERVICE_SECRET", "0123456789abcdef0123456789abcdef");
    for (variables, code, named) in [
        (vec![], 2, "CLARITY_API_KEY"),
        (
            vec![("CLARITY_API_KEY", "development-key")],
            2,
            "CLARITY_API_KEY",
        ),
        (
            vec![("CLARITY_API_KEY", "0123456789abcdef012")],
            2,
            "CLARITY_API_KEY",
        ),
        (
            vec![secret, ("CLARITY_API_KEYS", &public)],
            2,
            "CLARITY_API_KEYS",
        ),
        (
            vec![secret, ("CLARITY_API_KEYS", "[]")],
            2,
            "CLARITY_API_KEYS",
        ),
        (
            vec![secret, ("CLARITY_API_KEYS_FILE", file)],
            1,
            "development key",
        ),
        (
            vec![secret, ("CLARITY_API_KEYS_FILE", "/none")],
            1,
            "API keys",
        ),
    ] {
        let production = PRODUCTION
            .into_iter()
            .filter(|(name, _)| *name != "CLARITY_API_KEY");
        let variables: Vec<_> = production.chain(variables).collect();
        let failed = run(directory.path(), &[], &variables);
        let error_output = error_output(&failed, code);
        assert!(error_output.contains(named), "{named} in {error_output}");
    }
}
