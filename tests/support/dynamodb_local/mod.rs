//! Amazon's DynamoDB Local for tests: downloaded once, started once per test process,
//! and terminated with it.

mod package;
mod server;

use std::fs::{self, File};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use clarity_backend::store::DynamoDbTimeouts;
use uuid::Uuid;

use self::server::Server;

/// In-memory DynamoDB shared by the tests of a process. Each test uses its own table.
pub struct DynamoDbLocal {
    server: Server,
}

impl DynamoDbLocal {
    /// Returns the instance of this process, and starts it on first use.
    ///
    /// # Panics
    /// If it cannot be downloaded or started. The message names the remedy.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<DynamoDbLocal, String>> = OnceLock::new();
        match SHARED.get_or_init(Self::start) {
            Ok(shared) => shared,
            Err(reason) => panic!("{reason}"),
        }
    }

    /// Returns its URL.
    pub fn endpoint(&self) -> &str {
        self.server.endpoint()
    }

    /// Returns generous timeouts, since the machine may be busy.
    pub fn timeouts() -> DynamoDbTimeouts {
        DynamoDbTimeouts {
            attempt: Duration::from_secs(20),
            operation: Duration::from_secs(60),
            batch: Duration::from_secs(60),
            ..DynamoDbTimeouts::default()
        }
    }

    /// Returns a table name that no other test uses.
    pub fn new_table_name() -> String {
        format!("readings-{}", Uuid::new_v4())
    }

    fn start() -> Result<Self, String> {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
        // Locked until the server responds: a single process downloads the package, and
        // no two choose a free port at the same time.
        let _lock = lock(directory)?;
        let package = package::unpacked_in(directory)?;
        let log = directory.join(concat!("dynamodb-local-", env!("CARGO_CRATE_NAME"), ".log"));
        Server::start(&package, &log).map(|server| Self { server })
    }
}

fn lock(directory: &Path) -> Result<File, String> {
    let path = directory.join("dynamodb-local.lock");
    fs::create_dir_all(directory)
        .and_then(|()| File::create(&path))
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|error| format!("cannot lock {}: {error}", path.display()))
}
