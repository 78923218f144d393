//! NDJSON and CSV files of readings.

use std::fs;
use std::path::Path;

use serde_json::json;
use tempfile::tempdir;

use super::run::{export_of, exported, import, imported, readings, report};
use crate::service::Service;

const NDJSON: &str = "application/x-ndjson";
const CSV: &str = "text/csv";

/// Stores readings that are hard to serialize: every optional member, texts that
/// spreadsheets take for formulas, and numbers with many digits.
async fn fill(directory: &Path) -> Service {
    let service = Service::start(directory, &[]);
    let batch = json!({"readings": [
        {"user_id": "jane", "data_type": "heart_rate", "value": 72, "timestamp": "2024-01-15T10:30:00Z"},
        {"user_id": "jane", "data_type": "weight", "value": 0.1, "timestamp": "2024-01-15T10:30:00.123456789+05:30",
         "unit": "kg", "metadata": {"note": "a \"quoted\", line\nbreak", "é": [1, 2.5, null, {"deep": true}], "n": 1e-9}},
        {"user_id": "jane", "data_type": "steps", "value": -1.2345678901234567e-100, "timestamp": "1970-01-01T00:00:00Z",
         "client_record_id": "=cmd|'/c'!A1", "client_record_version": 9007199254740991_u64},
        {"user_id": "jane", "data_type": "steps", "value": 9.9e125, "timestamp": "2024-01-15T10:30:00.5-00:30",
         "client_record_id": "'=1", "unit": "+"},
        {"user_id": "jane", "data_type": "mood", "value": 0, "timestamp": "2024-01-15T10:30:00Z", "unit": "''-"},
    ]});
    let (status, answer) = service.post("/api/v1/data/batch", &batch).await;
    assert_eq!((status.as_u16(), &answer["stored"]), (200, &json!(5)));
    service
}

/// Ids and `created_at` survive an export and import.
#[tokio::test]
async fn reimported_exports_are_byte_identical() {
    let old = tempdir().unwrap();
    let service = fill(old.path()).await;
    for (format, name) in [(NDJSON, "e.ndjson"), (CSV, "e.csv")] {
        let before = export_of(&service, "jane", format).await;
        let new = tempdir().unwrap();
        fs::write(new.path().join(name), &before).unwrap();
        let ran = imported(new.path(), &[name, "--verify"]);
        ran.assert_counts(5, 0, 0);
        assert!(
            ran.summary.contains("The store matches the source"),
            "{}",
            ran.summary
        );
        assert_eq!(exported(new.path(), "jane", format).await, before);
        // Idempotent.
        imported(new.path(), &[name]).assert_counts(0, 5, 0);
        assert_eq!(exported(new.path(), "jane", format).await, before);
    }
    service.stop("TERM");
}

#[tokio::test]
async fn report_has_every_line_with_its_offset() {
    let directory = tempdir().unwrap();
    let good = r#"{"user_id":"jane","data_type":"heart_rate","value":72,"timestamp":"2024-01-15T10:30:00Z"}"#;
    let lines = [
        good.to_owned(),
        good.replace("72", "\"72\""),
        good.replace("72", "900"),
        String::new(),
        good.replace("2024", "1924"),
        "{\"user_id\":\"secret".to_owned(),
        good.replace("value", "valu"),
        good.to_owned(),
        good.replace("\"jane\"", "\"j ane\""),
        good.replacen("\"user_id\":\"jane\",", "", 1),
        good.replace(
            "72,",
            "72,\"data_id\":\"018d0cab-c440-85d0-a3ae-7ec39b0fdb2e\",",
        ),
    ];
    fs::write(directory.path().join("in"), lines.join("\n")).unwrap();
    let ran = imported(directory.path(), &["in", "--report", "out"]);
    ran.assert_counts(2, 1, 7);
    assert_eq!(ran.count("implausible", "implausible"), 1);
    let records = ["records", "stored", "duplicate", "rejected"];
    let records = records.map(|name| ran.count("records", name));
    assert_eq!(records, [10, 2, 1, 7]);
    let reported = report(&directory.path().join("out"));
    assert_eq!(reported.len(), 10);
    let mut offset = 0;
    let mut in_order = reported.iter();
    for line in &lines {
        if !line.is_empty() {
            assert_eq!(in_order.next().unwrap()["offset"], offset, "{line}");
        }
        offset += line.len() + 1;
    }
    let reason = |index: usize| reported[index]["readings"][0]["reason"].as_str().unwrap();
    assert_eq!(reason(1), "value must be a JSON number");
    assert!(reason(3).starts_with("timestamp must not be before 1970"));
    assert_eq!(reason(4), "the line is incomplete JSON");
    assert!(reason(5).contains("members of a reading"));
    assert!(reason(7).starts_with("user_id must be"));
    assert!(reason(8).contains("--user"));
    assert!(reason(9).starts_with("data_id does not match this reading"));
    assert_eq!(reported[2]["readings"][0]["implausible"], true);
    let report = fs::read_to_string(directory.path().join("out")).unwrap();
    for secret in ["secret", "900", "j ane"] {
        assert!(!report.contains(secret), "{secret}");
    }

    let ran = imported(directory.path(), &["in", "--user", "john"]);
    ran.assert_counts(1, 3, 6);
    assert_eq!(readings(directory.path(), "john").await.len(), 1);
}

#[test]
fn truncated_ndjson_export_is_detected() {
    let directory = tempdir().unwrap();
    let line = |second| {
        format!(
            r#"{{"user_id":"jane","data_type":"steps","value":1,"timestamp":"2024-01-15T10:30:{second}Z"}}"#
        )
    };
    let whole = format!(
        "{}\n{}\n{{\"complete\":true,\"count\":2}}\n",
        line("01"),
        line("02")
    );
    let cut = format!("{}\n{{\"complete\":true,\"count\":2}}\n", line("01"));
    fs::write(directory.path().join("whole"), whole).unwrap();
    fs::write(directory.path().join("cut"), cut).unwrap();
    let ran = import(directory.path(), &["cut"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.complaints
            .contains("cut at byte 84: the export declares 2 readings but contains 1"),
        "{}",
        ran.complaints
    );
    ran.assert_counts(1, 0, 0);
    imported(directory.path(), &["whole"]).assert_counts(1, 1, 0);
}

#[test]
fn overlong_lines_and_rows_are_rejected() {
    let directory = tempdir().unwrap();
    let good =
        r#"{"user_id":"jane","data_type":"steps","value":1,"timestamp":"2024-01-15T10:30:01Z"}"#;
    let long = "x".repeat(3 << 20);
    let text = format!("{good}\n{{\"a\":\"{long}\"}}\n{}\n", good.replace('1', "2"));
    fs::write(directory.path().join("long.ndjson"), text).unwrap();
    let ran = imported(directory.path(), &["long.ndjson"]);
    ran.assert_counts(2, 0, 1);
    let header = "user_id,data_type,value,timestamp";
    let row = "jane,steps,1,2024-01-15T10:30:02Z";
    let text = format!("{header}\n{row}\n\"{long}\n{row}\n");
    fs::write(directory.path().join("long.csv"), text).unwrap();
    let ran = import(directory.path(), &["long.csv"]);
    assert_eq!(ran.code, 1);
    assert!(ran.complaints.contains("missing closing quotation mark"));
    ran.assert_counts(1, 0, 0);
}

#[test]
fn csv_columns_may_have_any_order() {
    let directory = tempdir().unwrap();
    let text = "\u{feff}timestamp,value,data_type,user_id,unit\n\
        2024-01-15T10:30:00Z,72,heart_rate,jane,\n\
        2024-01-15T10:31:00Z,7x,heart_rate,jane,/min\n\
        2024-01-15T10:32:00Z,72\n";
    fs::write(directory.path().join("in.csv"), text).unwrap();
    let ran = imported(directory.path(), &["in.csv", "--report", "out"]);
    ran.assert_counts(1, 0, 2);
    let reported = report(&directory.path().join("out"));
    assert_eq!(
        reported[1]["offset"],
        text.find("2024-01-15T10:31").unwrap()
    );
    fs::write(
        directory.path().join("odd.csv"),
        "data_type,colour\nsteps,red\n",
    )
    .unwrap();
    let ran = import(directory.path(), &["odd.csv"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.complaints.contains("column 2 is not one of data_id"),
        "{}",
        ran.complaints
    );
}

#[tokio::test]
async fn dry_run_stores_nothing() {
    let directory = tempdir().unwrap();
    let line =
        r#"{"user_id":"jane","data_type":"steps","value":1,"timestamp":"2024-01-15T10:30:01Z"}"#;
    fs::write(directory.path().join("in"), line).unwrap();
    let ran = imported(directory.path(), &["in", "--dry-run"]);
    assert!(ran.summary.starts_with("Dry run"));
    ran.assert_counts(1, 0, 0);
    assert!(!directory.path().join("clarity-data").exists());
}

/// An import needs no API keys, even in production.
#[test]
fn invalid_invocations_fail_with_a_reason() {
    let directory = tempdir().unwrap();
    fs::write(directory.path().join("in"), "hello\n").unwrap();
    fs::write(directory.path().join("a.xml"), "<HealthData></HealthData>").unwrap();
    for (arguments, code, expected) in [
        (&["in"][..], 1, "no recognized format"),
        (&["none"], 1, "cannot read none"),
        (&["."], 1, "no recognized format"),
        (&[], 2, "required arguments"),
        (&["a.xml"], 1, "pass --user ID"),
        (&["in", "--from-dynamodb", "x"], 2, "cannot be used with"),
        (&["in", "--delete-migrated"], 2, "cannot be used with"),
        (&["in", "--max-rcu", "1"], 2, "cannot be used with"),
        (&["--firestore-project", "p"], 1, "GOOGLE_OAUTH_TOKEN"),
        (
            &["in", "--format", "ndjson", "--map", "none"],
            1,
            "cannot read the mapping file",
        ),
    ] {
        let ran = import(directory.path(), arguments);
        assert_eq!(ran.code, code, "{}", ran.complaints);
        assert!(ran.complaints.contains(expected), "{}", ran.complaints);
    }
    let production = [("ENVIRONMENT", "production")];
    let ran = super::run::import_with(
        directory.path(),
        &["a.xml", "--user", "jane", "--store", "embedded"],
        &production,
    );
    assert_eq!(ran.code, 0, "{}", ran.complaints);
}
