//! Faults of the embedded store's directory, file and disk: the error at startup, and
//! recovery at runtime.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::service::{Service, command, error_output, run};

/// Conventional user id of `nobody`, which has no privileges.
const NOBODY: u32 = 65_534;

fn reading(value: usize, note: usize) -> Value {
    json!({
        "user_id": "user123",
        "data_type": "heart_rate",
        "value": value,
        "timestamp": "2024-01-15T10:30:00Z",
        "metadata": {"note": "x".repeat(note)}
    })
}

/// Runs the service without root privileges, so that file permissions apply.
fn run_unprivileged(directory: &Path, data: &Path) -> Output {
    let binary = directory.join("service");
    fs::copy(command(directory).get_program(), &binary).unwrap();
    fs::set_permissions(directory, Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(binary);
    command
        .env_clear()
        .envs([("PORT", "0"), ("CLARITY_DATA_DIR", data.to_str().unwrap())])
        .current_dir(directory)
        .stdin(Stdio::null());
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.output().unwrap()
}

#[track_caller]
fn assert_unwritable_is_reported(directory: &Path, data: &Path) {
    let error_output = error_output(&run_unprivileged(directory, data), 1);
    for part in [
        "readings.redb",
        "write access",
        "CLARITY_DATA_DIR",
        "denied",
    ] {
        assert!(error_output.contains(part), "{part} in {error_output}");
    }
}

#[test]
fn unwritable_data_directory_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, Permissions::from_mode(0o555)).unwrap();
    assert_unwritable_is_reported(directory.path(), &data);
}

#[test]
fn unwritable_store_file_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("clarity-data");
    drop(Service::start(directory.path(), &[]));
    fs::set_permissions(data.join("readings.redb"), Permissions::from_mode(0o444)).unwrap();
    fs::set_permissions(&data, Permissions::from_mode(0o555)).unwrap();
    assert_unwritable_is_reported(directory.path(), &data);
}

#[test]
fn full_disk_at_startup_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let plain = command(directory.path());
    let full = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\""])
        .arg(plain.get_program())
        .env_clear()
        .env("PORT", "0")
        .current_dir(directory.path())
        .output();
    let error_output = error_output(&full.unwrap(), 1);
    for part in ["readings.redb", "the disk is full", "CLARITY_DATA_DIR"] {
        assert!(error_output.contains(part), "{part} in {error_output}");
    }
}

/// Flips a bit of the header and of a page in the middle.
#[tokio::test]
async fn corrupt_store_file_is_reported_and_left_unchanged() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), &[]);
    for value in 0..20 {
        let (status, _) = service.post("/api/v1/data", &reading(value, 10_000)).await;
        assert_eq!(status, 200);
    }
    assert!(service.stop("TERM").0.success());
    let file = directory.path().join("clarity-data/readings.redb");
    let intact = fs::read(&file).unwrap();
    let content = intact.windows(100).position(|part| part == [b'x'; 100]);
    for offset in [0, content.unwrap()] {
        let mut corrupt = intact.clone();
        corrupt[offset] ^= 1;
        fs::write(&file, &corrupt).unwrap();
        let failed = run(directory.path(), &[], &[("PORT", "0")]);
        let error_output = error_output(&failed, 1);
        for part in ["readings.redb", "restore the file from a backup"] {
            assert!(error_output.contains(part), "{part} in {error_output}");
        }
        assert!(fs::read(&file).unwrap() == corrupt);
    }
    fs::write(&file, intact).unwrap();
    Service::start(directory.path(), &[]);
}

/// Writes until a write fails; returns the number of acknowledged writes.
async fn fill(service: &Service) -> usize {
    let mut acknowledged = 0;
    loop {
        let reading = reading(acknowledged, 16_000);
        let (status, response) = service.post("/api/v1/data", &reading).await;
        if status == 200 {
            acknowledged += 1;
            assert!(acknowledged < 2_000, "the limit is never reached");
            continue;
        }
        assert_eq!(
            (status.as_u16(), &response["code"]),
            (503, &json!("store_unavailable"))
        );
        return acknowledged;
    }
}

/// Checks that the first `count` readings of [`fill`] are stored.
async fn verify(service: &Service, count: usize) {
    let mut stored = Vec::new();
    let mut path = "/api/v1/data/user123?limit=100".to_owned();
    loop {
        let (_, page) = service.get(&path).await;
        let readings = page["data"].as_array().unwrap();
        stored.extend(readings.iter().map(|one| one["value"].as_f64().unwrap()));
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/data/user123?limit=100&cursor={cursor}"),
            None => break,
        }
    }
    for value in 0..count {
        assert!(
            stored.contains(&(value as f64)),
            "{value} was acknowledged but is not stored"
        );
    }
}

#[tokio::test]
async fn file_size_limit_is_reported_and_loses_no_acknowledged_reading() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start_with_file_limit(directory.path(), 4 * 1024);
    let acknowledged = fill(&service).await;
    assert_eq!(service.get("/health").await.0, 200);
    let (status, log) = service.stop("TERM");
    assert!(status.success());
    assert!(log.contains("check the disk"), "{log}");

    let service = Service::start(directory.path(), &[]);
    verify(&service, acknowledged).await;
    assert_eq!(service.post("/api/v1/data", &reading(72, 1)).await.0, 200);
}

#[tokio::test]
#[ignore = "mounts a file system of 8 MiB, which needs root"]
async fn full_file_system_is_recovered_from_without_restart() {
    let directory = tempfile::tempdir().unwrap();
    let mount = Mount::at(directory.path());
    let filler = directory.path().join("filler");
    fs::write(&filler, vec![1; 4 * 1024 * 1024]).unwrap();
    let service = Service::start(directory.path(), &[]);
    let acknowledged = fill(&service).await;
    assert_eq!(service.get("/health").await.0, 200);
    fs::remove_file(filler).unwrap();
    let space_freed = Instant::now();
    while service
        .post("/api/v1/data", &reading(5_000, 16_000))
        .await
        .0
        != 200
    {
        assert!(
            space_freed.elapsed() < Duration::from_secs(60),
            "the service does not recover"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!(
        "{acknowledged} acknowledged, recovered after {:?}",
        space_freed.elapsed()
    );
    assert_eq!(service.get("/health/ready").await.0, 200);
    verify(&service, acknowledged).await;
    let (_, log) = service.stop("TERM");
    assert!(log.contains("database reopened"), "{log}");
    drop(mount);
}

/// In-memory file system that is unmounted on drop.
struct Mount<'a>(&'a Path);

impl<'a> Mount<'a> {
    fn at(path: &'a Path) -> Self {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"])
            .arg(path)
            .status();
        assert!(
            mounted.unwrap().success(),
            "mounting a file system needs root"
        );
        Self(path)
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["--lazy"]).arg(self.0).status();
    }
}
