//! Creating, opening and reopening the database file.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::path::Path;

use redb::{Builder, Database, DatabaseError};
use uuid::Uuid;

use super::data_file::{DataFile, DirectoryLock};
use super::format::{self, PrepareError};
use super::open_error::OpenError;

const FILE_NAME: &str = "readings.redb";

/// File name prefix of databases that are still being created.
const TEMP_PREFIX: &str = "readings.redb.temporary-";

/// Page cache. The engine's default of 1 GiB exceeds the memory of a small container.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// Page cache while all checksums are verified, in file order.
const CHECK_CACHE_BYTES: usize = 1024 * 1024;

/// An open database with its file and the lock on its directory.
pub(super) struct Opened {
    pub(super) database: Database,
    pub(super) file: DataFile,
    pub(super) lock: DirectoryLock,
}

/// Opens the database in `directory`, and creates both if missing.
pub(super) fn open(directory: &Path) -> Result<Opened, OpenError> {
    let path = directory.join(FILE_NAME);
    let io_error = |source| OpenError::directory(directory, source);
    let is_new = !directory.exists();
    create_private_directory(directory).map_err(io_error)?;
    let lock = DirectoryLock::acquire(directory, &path)?;
    if !path.exists() {
        create(directory, &path)?;
    }
    let file =
        DataFile::open(&path).map_err(|error| OpenError::from_engine(error.into(), &path))?;
    let database = prepare(open_checked(|builder| builder.open(&path)), &path)?;
    // The engine opens the file by its path.
    file.verify()?;
    remove_temporary(directory);
    sync_directory(directory, is_new).map_err(io_error)?;
    Ok(Opened {
        database,
        file,
        lock,
    })
}

/// Reopens the file after a disk failure, unless another file is at its path.
pub(super) fn reopen(file: &DataFile) -> Result<Database, OpenError> {
    let path = file.path();
    file.verify()?;
    let database = reopen_clean(
        path,
        || discard_dirty_pages(path),
        |builder| builder.open(path),
    )?;
    file.verify()?;
    Ok(database)
}

/// Reopens a failed database from what is on its disk.
///
/// After a failed sync the system may keep pages in its cache as if they had been
/// written. A later commit that builds on them would be acknowledged, and lost with the
/// power. The cached pages are therefore dropped first.
/// <https://www.usenix.org/conference/atc20/presentation/rebello>
pub(super) fn reopen_clean(
    path: &Path,
    discard_dirty_pages: impl FnOnce() -> io::Result<()>,
    open: impl Fn(&Builder) -> Result<Database, DatabaseError>,
) -> Result<Database, OpenError> {
    discard_dirty_pages().map_err(|error| OpenError::from_engine(error.into(), path))?;
    prepare(open_checked(open), path)
}

/// Drops the file's cached pages, so that they are read from the disk.
fn discard_dirty_pages(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    // Dirty pages that can still be written are written now, as they would not be
    // dropped.
    file.sync_all()?;
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed) {
        // Some file systems do not support this. Failing here would keep the database
        // closed for good.
        tracing::warn!(
            %error,
            "cannot drop cached pages: restart the machine once the disk works"
        );
    }
    Ok(())
}

/// Creates a directory, with its parents, that only its owner may enter.
fn create_private_directory(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Creates a database under a temporary name, and links it into place when it is
/// complete, so that a crash leaves no partial database.
fn create(directory: &Path, path: &Path) -> Result<(), OpenError> {
    let temporary = directory.join(format!("{TEMP_PREFIX}{}", Uuid::new_v4()));
    let made = create_private_file(&temporary)
        .map_err(|error| OpenError::from_engine(error.into(), path))
        .and_then(|()| prepare(builder(CACHE_BYTES).create(&temporary), path))
        .and_then(|database| {
            drop(database);
            link_into_place(&temporary, path)
                .map_err(|error| OpenError::from_engine(error.into(), path))
        });
    // Already gone if it was renamed.
    let _ = fs::remove_file(&temporary);
    made
}

/// Links a file to `path`, unless another process was faster.
fn link_into_place(file: &Path, path: &Path) -> io::Result<()> {
    // Unlike a rename, a link never replaces another process's database.
    match fs::hard_link(file, path) {
        Err(_) if path.exists() => Ok(()),
        // Some file systems have no hard links.
        Err(_) => fs::rename(file, path),
        Ok(()) => Ok(()),
    }
}

/// Opens a database twice: to verify all of its checksums, and for use.
///
/// The engine trusts a file that it closed itself, even if it was corrupted since. It
/// keeps verified pages in memory until it is closed, hence the second opening.
///
/// Between the two another process may open the file; then opening fails as in use. If
/// that process has closed the file again, the engine left it consistent, and
/// [`prepare`] checks its format.
pub(super) fn open_checked(
    open: impl Fn(&Builder) -> Result<Database, DatabaseError>,
) -> Result<Database, DatabaseError> {
    let mut checking = builder(CHECK_CACHE_BYTES);
    open(checking.set_check_integrity_on_open(true))?.close()?;
    open(&builder(CACHE_BYTES))
}

fn builder(cache_bytes: usize) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(cache_bytes);
    builder
}

/// Checks the format of an opened database, and creates its tables if missing.
pub(super) fn prepare(
    opened: Result<Database, DatabaseError>,
    path: &Path,
) -> Result<Database, OpenError> {
    let database = opened.map_err(|error| OpenError::from_engine(error, path))?;
    let path = path.to_owned();
    match format::prepare(&database) {
        Ok(()) => Ok(database),
        Err(PrepareError::Engine(source)) => Err(OpenError::Engine { path, source }),
        Err(PrepareError::Format(found)) => Err(OpenError::Format { path, found }),
    }
}

/// Removes temporary files that crashes left. Only the process that has the database
/// open may call this.
fn remove_temporary(directory: &Path) {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let id = name
            .to_str()
            .and_then(|name| name.strip_prefix(TEMP_PREFIX));
        if id.is_some_and(|id| Uuid::try_parse(id).is_ok()) {
            // A leftover that cannot be removed does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Creates an empty file that only its owner may read.
fn create_private_file(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Syncs the directory entries: without that, a new file or directory may vanish in a
/// power loss.
fn sync_directory(directory: &Path, is_new: bool) -> io::Result<()> {
    let directory = directory.canonicalize()?;
    File::open(&directory)?.sync_all()?;
    if is_new {
        for ancestor in directory.ancestors().skip(1) {
            // Some ancestors may be unreadable, or not on a disk.
            let _ = File::open(ancestor).and_then(|ancestor| ancestor.sync_all());
        }
    }
    Ok(())
}
