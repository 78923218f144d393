//! The service where the embedded store's directory, file or disk is not as it
//! should be: what it says at the start, and how it goes on.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::service::{Service, command, complaint, run};

/// Somebody without any rights.
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

/// Runs the service as a user who may not do everything, as root may.
fn run_without_rights(directory: &Path, data: &Path) -> Output {
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
fn expect_told_unwritable(directory: &Path, data: &Path) {
    let complaint = complaint(&run_without_rights(directory, data), 1);
    for part in [
        "readings.redb",
        "write access",
        "CLARITY_DATA_DIR",
        "denied",
    ] {
        assert!(complaint.contains(part), "{part} in {complaint}");
    }
}

#[test]
fn a_directory_that_may_not_be_written_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, Permissions::from_mode(0o555)).unwrap();
    expect_told_unwritable(directory.path(), &data);
}

#[test]
fn a_file_that_may_not_be_written_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("clarity-data");
    drop(Service::start(directory.path(), &[]));
    fs::set_permissions(data.join("readings.redb"), Permissions::from_mode(0o444)).unwrap();
    fs::set_permissions(&data, Permissions::from_mode(0o555)).unwrap();
    expect_told_unwritable(directory.path(), &data);
}

#[test]
fn a_disk_without_room_for_a_store_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let plain = command(directory.path());
    let full = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\""])
        .arg(plain.get_program())
        .env_clear()
        .env("PORT", "0")
        .current_dir(directory.path())
        .output();
    let complaint = complaint(&full.unwrap(), 1);
    for part in ["readings.redb", "the disk is full", "CLARITY_DATA_DIR"] {
        assert!(complaint.contains(part), "{part} in {complaint}");
    }
}

/// The header, and a page in the middle.
#[tokio::test]
async fn a_damaged_file_is_told_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), &[]);
    for value in 0..20 {
        let (status, _) = service.post("/api/v1/data", &reading(value, 10_000)).await;
        assert_eq!(status, 200);
    }
    assert!(service.stop("TERM").0.success());
    let file = directory.path().join("clarity-data/readings.redb");
    let whole = fs::read(&file).unwrap();
    let content = whole.windows(100).position(|part| part == [b'x'; 100]);
    for place in [0, content.unwrap()] {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;
        fs::write(&file, &damaged).unwrap();
        let refused = run(directory.path(), &[], &[("PORT", "0")]);
        let complaint = complaint(&refused, 1);
        for part in ["readings.redb", "restore it from a backup"] {
            assert!(complaint.contains(part), "{part} in {complaint}");
        }
        assert!(fs::read(&file).unwrap() == damaged);
    }
    fs::write(&file, whole).unwrap();
    Service::start(directory.path(), &[]);
}

/// Writes until that is refused; gives how many writes were acknowledged.
async fn fill(service: &Service) -> usize {
    let mut acknowledged = 0;
    loop {
        let reading = reading(acknowledged, 16_000);
        let (status, answer) = service.post("/api/v1/data", &reading).await;
        if status == 200 {
            acknowledged += 1;
            assert!(acknowledged < 2_000, "the limit is never met");
            continue;
        }
        assert_eq!(
            (status.as_u16(), &answer["code"]),
            (503, &json!("store_unavailable"))
        );
        return acknowledged;
    }
}

/// Looks that the first `count` of what [`fill`] wrote are there.
async fn verify(service: &Service, count: usize) {
    let mut held = Vec::new();
    let mut path = "/api/v1/data/user123?limit=100".to_owned();
    loop {
        let (_, page) = service.get(&path).await;
        let readings = page["data"].as_array().unwrap();
        held.extend(readings.iter().map(|one| one["value"].as_f64().unwrap()));
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/data/user123?limit=100&cursor={cursor}"),
            None => break,
        }
    }
    for value in 0..count {
        assert!(held.contains(&(value as f64)), "{value} was acknowledged");
    }
}

#[tokio::test]
async fn a_file_that_cannot_grow_is_told_and_loses_nothing_acknowledged() {
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
async fn a_full_file_system_is_recovered_from_without_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let mount = Mount::at(directory.path());
    let filler = directory.path().join("filler");
    fs::write(&filler, vec![1; 4 * 1024 * 1024]).unwrap();
    let service = Service::start(directory.path(), &[]);
    let acknowledged = fill(&service).await;
    assert_eq!(service.get("/health").await.0, 200);
    fs::remove_file(filler).unwrap();
    let room = Instant::now();
    while service
        .post("/api/v1/data", &reading(5_000, 16_000))
        .await
        .0
        != 200
    {
        assert!(
            room.elapsed() < Duration::from_secs(60),
            "it does not recover"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!(
        "{acknowledged} acknowledged, works again after {:?}",
        room.elapsed()
    );
    assert_eq!(service.get("/health/ready").await.0, 200);
    verify(&service, acknowledged).await;
    let (_, log) = service.stop("TERM");
    assert!(log.contains("database reopened"), "{log}");
    drop(mount);
}

/// A file system in memory that is gone when this is dropped.
struct Mount<'a>(&'a Path);

impl<'a> Mount<'a> {
    fn at(path: &'a Path) -> Self {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"])
            .arg(path)
            .status();
        assert!(mounted.unwrap().success(), "it needs root");
        Self(path)
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["--lazy"]).arg(self.0).status();
    }
}
