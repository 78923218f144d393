//! Amazon's DynamoDB Local for tests: fetched once, started once per test
//! process, and gone when that process is gone.

mod package;
mod server;

use std::fs::{self, File};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use clarity_backend::store::DynamoDbTimeouts;
use uuid::Uuid;

use self::server::Server;

/// A DynamoDB in memory, shared by the tests of a process: each test uses a
/// table of its own.
pub struct DynamoDbLocal {
    server: Server,
}

impl DynamoDbLocal {
    /// The one of this process.
    ///
    /// # Panics
    /// When it cannot be fetched or started; the text says what to mend.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<DynamoDbLocal, String>> = OnceLock::new();
        match SHARED.get_or_init(Self::start) {
            Ok(shared) => shared,
            Err(reason) => panic!("{reason}"),
        }
    }

    /// Where it answers, as a URL.
    pub fn endpoint(&self) -> &str {
        self.server.endpoint()
    }

    /// How long to wait for it, as it may share a busy machine.
    pub fn timeouts() -> DynamoDbTimeouts {
        DynamoDbTimeouts {
            attempt: Duration::from_secs(20),
            operation: Duration::from_secs(60),
            batch: Duration::from_secs(60),
            ..DynamoDbTimeouts::default()
        }
    }

    /// The name of a table that no other test uses.
    pub fn new_table_name() -> String {
        format!("readings-{}", Uuid::new_v4())
    }

    fn start() -> Result<Self, String> {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
        // Held until the server answers: one process fetches the package, and
        // no two look for a free port at the same time.
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
