//! Commands of the binary, and its response to signals.

use std::net::TcpListener;
use std::time::Duration;

use clarity_backend::config::SETTINGS;

use crate::service::{Service, client, error_output, run};

#[test]
fn help_lists_every_variable_and_version_prints_the_version() {
    let directory = tempfile::tempdir().unwrap();
    let help = run(directory.path(), &["--help"], &[]);
    assert!(help.status.success());
    let help = String::from_utf8(help.stdout).unwrap();
    for name in [
        "ENVIRONMENT",
        "HOST",
        "PORT",
        "CLARITY_API_KEY",
        "CLARITY_API_KEYS",
        "CLARITY_API_KEYS_FILE",
        "CLARITY_API_KEYS_SECRET",
        "CLARITY_SERVICE_SECRET",
        "SECRETS_MANAGER_ENDPOINT",
        "CLARITY_STORE",
        "CORS_ALLOWED_ORIGINS",
        "COGNITO_USER_POOL_ID",
        "COGNITO_CLIENT_IDS",
        "JWT_ISSUER",
        "JWT_AUDIENCE",
        "JWKS_URL",
        "RATE_LIMIT_READS",
        "RATE_LIMIT_WRITES",
        "RATE_LIMIT_INSIGHTS",
        "RATE_LIMIT_FAILED_AUTHENTICATIONS",
        "TRUSTED_PROXIES",
        "CLARITY_DATA_DIR",
        "AWS_REGION",
        "DYNAMODB_TABLE",
        "DYNAMODB_ENDPOINT",
        "GEMINI_API_KEY",
        "GEMINI_MODEL",
        "GEMINI_FALLBACK_MODEL",
        "GEMINI_BASE_URL",
        "GEMINI_API_VERSION",
        "INSIGHT_DEADLINE",
        "INSIGHT_CACHE_TTL",
        "MAX_CONNECTIONS",
        "IDLE_TIMEOUT",
        "WRITE_TIMEOUT",
        "DATA_DEADLINE",
        "BULK_DEADLINE",
        "SHUTDOWN_GRACE",
        "SHUTDOWN_DEADLINE",
        "RUST_LOG",
        "LOG_FORMAT",
        "METRICS_ADDR",
        "METRICS_EMF",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "CLARITY_REVISION",
        "healthcheck",
        "serve",
    ] {
        assert!(help.contains(name), "{name}");
    }
    for setting in SETTINGS {
        let entry = format!("\n  {setting}\n");
        assert!(help.contains(&entry), "{setting}");
    }
    let version = run(directory.path(), &["--version"], &[]);
    let expected = format!("clarity-backend {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(String::from_utf8(version.stdout).unwrap(), expected);
    assert_eq!(
        run(directory.path(), &["no-such-command"], &[])
            .status
            .code(),
        Some(2)
    );
}

#[tokio::test]
async fn healthcheck_exit_code_reports_liveness() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), &[]);
    let port = service.url.rsplit(':').next().unwrap().to_owned();
    let check = |host| {
        run(
            directory.path(),
            &["healthcheck"],
            &[("PORT", &port), ("HOST", host)],
        )
    };
    assert_eq!(check("127.0.0.1").status.code(), Some(0));
    assert_eq!(check("0.0.0.0").status.code(), Some(0));
    service.kill();
    let stopped = check("127.0.0.1");
    assert!(error_output(&stopped, 1).contains("clarity-backend: "));
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let other_port = other.local_addr().unwrap().port().to_string();
    std::thread::spawn(move || {
        let (mut connection, _) = other.accept().unwrap();
        let response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        std::io::Read::read(&mut connection, &mut [0; 1_024]).unwrap();
        std::io::Write::write_all(&mut connection, response.as_bytes()).unwrap();
    });
    let foreign = run(directory.path(), &["healthcheck"], &[("PORT", &other_port)]);
    assert!(error_output(&foreign, 1).contains("another service"));
    let invalid = run(directory.path(), &["healthcheck"], &[("PORT", "x")]);
    assert!(error_output(&invalid, 2).contains("PORT"));
}

#[tokio::test]
async fn generated_key_is_accepted_by_a_service_with_its_entry() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = [
        "keys",
        "new",
        "--id",
        "ios-app",
        "--scope",
        "data:read",
        "--scope",
        "insights",
        "--user",
        "demo-*",
        "--not-after",
        "2100-01-01T00:00:00Z",
    ];
    let created = run(directory.path(), &arguments, &[]);
    assert!(created.status.success());
    let printed = String::from_utf8(created.stdout).unwrap();
    let (key, entry) = printed.trim_end().split_once('\n').unwrap();
    assert!(key.starts_with("clk_") && key.len() == 52, "{key}");
    assert!(!entry.contains(key), "only the digest is stored");
    let entry: serde_json::Value = serde_json::from_str(entry).unwrap();
    assert_eq!(entry["id"], "ios-app");
    assert_eq!(
        entry["scopes"],
        serde_json::json!(["data:read", "insights"])
    );
    assert_eq!(entry["users"], serde_json::json!(["demo-*"]));
    assert_eq!(entry["not_after"], "2100-01-01T00:00:00Z");

    // With the development key the service prints its address.
    let keys = format!("[{entry}]");
    let variables = [
        ("CLARITY_API_KEYS", &*keys),
        ("CLARITY_API_KEY", "development-key"),
    ];
    let service = Service::start(directory.path(), &variables);
    let status = async |user_id: &str, key: &str| {
        let url = format!("{}/api/v1/data/{user_id}", service.url);
        let response = client().get(url).header("X-API-Key", key).send().await;
        response.unwrap().status().as_u16()
    };
    assert_eq!(status("demo-1", key).await, 200);
    assert_eq!(status("jane", key).await, 403);
    assert_eq!(status("demo-1", &key[..51]).await, 401);

    let another = run(directory.path(), &arguments, &[]);
    assert_ne!(String::from_utf8(another.stdout).unwrap(), printed);
    for invalid in [
        &["keys", "new", "--id", "ios-app"][..],
        &["keys", "new", "--id", "an app", "--scope", "insights"],
        &["keys", "new", "--id", "app", "--scope", "data:all"],
        &[
            "keys", "new", "--id", "app", "--scope", "insights", "--user", "a*b",
        ],
    ] {
        assert_eq!(
            run(directory.path(), invalid, &[]).status.code(),
            Some(2),
            "{invalid:?}"
        );
    }
}

#[test]
fn port_in_use_is_named_in_the_error() {
    let directory = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let failed = run(directory.path(), &[], &[("PORT", &port)]);
    let error_output = error_output(&failed, 1);
    assert!(
        error_output.contains(&port) && error_output.contains("PORT"),
        "{error_output}"
    );
}

#[tokio::test]
async fn second_service_on_the_same_data_directory_fails() {
    let directory = tempfile::tempdir().unwrap();
    let first = Service::start(directory.path(), &[]);
    let second = run(directory.path(), &[], &[("PORT", "0")]);
    let error_output = error_output(&second, 1);
    assert!(
        error_output.contains("in use") && error_output.contains("CLARITY_DATA_DIR"),
        "{error_output}"
    );
    assert_eq!(first.get("/health").await.0, 200);
}

#[tokio::test]
async fn sigterm_and_sigint_stop_the_service_and_are_logged() {
    for signal in ["TERM", "INT"] {
        let directory = tempfile::tempdir().unwrap();
        let service = Service::start(directory.path(), &[]);
        assert_eq!(service.get("/health/ready").await.0, 200);
        let (status, log) = service.stop(signal);
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(log.contains("stopping"), "{log}");
    }
}

#[tokio::test]
async fn service_is_unready_but_serves_during_shutdown_grace() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), &[("SHUTDOWN_GRACE", "10")]);
    assert_eq!(service.get("/health/ready").await.0, 200);
    service.signal("TERM");
    let became_unready = async { while service.get("/health/ready").await.0 == 200 {} };
    tokio::time::timeout(Duration::from_secs(8), became_unready)
        .await
        .expect("the service stays ready");
    assert_eq!(service.get("/health/ready").await.0, 503);
    assert_eq!(service.get("/api/v1/data/user123").await.0, 200);
    let (status, log) = service.wait();
    assert!(status.success(), "{log}");
}
