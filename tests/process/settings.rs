//! Settings that work, and settings that do not.

use std::fs;

use crate::service::{PRODUCTION, Service, complaint, run};

#[tokio::test]
async fn without_settings_it_welcomes_whoever_started_it() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), &[]);
    assert!(
        service.url.starts_with("http://127.0.0.1:"),
        "only for this machine"
    );
    for part in ["development-key", "/docs", "curl -X POST", "heart_rate"] {
        assert!(service.welcome().contains(part), "{part}");
    }
    assert!(directory.path().join("clarity-data").is_dir());
}

#[test]
fn every_fault_is_told_at_once_and_no_value() {
    let directory = tempfile::tempdir().unwrap();
    let faulty = run(
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
    let complaint = complaint(&faulty, 2);
    for name in [
        "ENVIRONMENT",
        "HOST",
        "PORT",
        "CLARITY_STORE",
        "DYNAMODB_ENDPOINT",
        "CLARITY_API_KEY",
    ] {
        assert!(complaint.contains(name), "{name} in {complaint}");
    }
    assert!(!complaint.contains("canary"), "{complaint}");
    assert!(!directory.path().join("clarity-data").exists());
}

#[test]
fn production_refuses_the_development_key_and_another_endpoint() {
    let directory = tempfile::tempdir().unwrap();
    let refused = run(
        directory.path(),
        &[],
        &[
            ("ENVIRONMENT", "production"),
            ("AWS_REGION", "eu-central-1"),
            ("CLARITY_API_KEY", "development-key"),
            ("DYNAMODB_ENDPOINT", "http://127.0.0.1:1"),
        ],
    );
    let complaint = complaint(&refused, 2);
    assert!(complaint.contains("CLARITY_API_KEY") && complaint.contains("DYNAMODB_ENDPOINT"));
    assert!(!complaint.contains("development-key"));
}

#[tokio::test]
async fn a_file_sets_what_the_environment_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let file = "CLARITY_DATA_DIR=\"from the file\"\nPORT=1\n# a comment\n";
    fs::write(directory.path().join(".env"), file).unwrap();
    let service = Service::start(directory.path(), &[]);
    assert_eq!(
        service.get("/health").await.0,
        200,
        "PORT is the environment's"
    );
    assert!(directory.path().join("from the file").is_dir());
}

#[test]
fn a_file_that_would_set_something_else_is_refused_without_its_content() {
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
        let complaint = complaint(&run(directory.path(), &[], &[]), 2);
        assert!(
            complaint.contains(".env") && !complaint.contains("canary"),
            "{complaint}"
        );
    }
}

#[tokio::test]
async fn a_key_in_single_quotes_is_taken_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let file = "# costs $5\nCLARITY_API_KEY='a$key' # $5\nCLARITY_DATA_DIR=data\n";
    fs::write(directory.path().join(".env"), file).unwrap();
    let service = Service::start(directory.path(), &[("CLARITY_API_KEY", "development-key")]);
    assert_eq!(service.get("/api/v1/data/user123").await.0, 200);
    assert!(directory.path().join("data").is_dir());
}

#[test]
fn a_data_directory_that_cannot_be_one_is_named() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), "").unwrap();
    let refused = run(
        directory.path(),
        &[],
        &[("CLARITY_DATA_DIR", "file"), ("PORT", "0")],
    );
    let complaint = complaint(&refused, 1);
    assert!(
        complaint.contains("file") && complaint.contains("CLARITY_DATA_DIR"),
        "{complaint}"
    );
}

/// Nobody is to find out in production that no key, or one that everybody
/// knows, was asked for.
#[test]
fn production_refuses_to_start_without_a_key_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("keys.json");
    // The digest of the development key.
    let known = r#"[{"id":"app","sha256":"DIGEST","scopes":["insights"],"users":["*"]}]"#.replace(
        "DIGEST",
        &clarity_backend::auth::KeyDigest::from_key(b"development-key").to_string(),
    );
    fs::write(&file, &known).unwrap();
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
            vec![secret, ("CLARITY_API_KEYS", &known)],
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
        let refused = run(directory.path(), &[], &variables);
        let complaint = complaint(&refused, code);
        assert!(complaint.contains(named), "{named} in {complaint}");
    }
}
