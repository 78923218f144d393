//! The file: how it comes to be, is opened, and is opened anew.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::path::{Path, PathBuf};

use redb::{Builder, Database, DatabaseError};
use uuid::Uuid;

use super::OpenError;
use super::format::{self, PrepareError};

const FILE_NAME: &str = "readings.redb";

/// How the names of stores begin that are being made.
const TEMP_PREFIX: &str = "readings.redb.temporary-";

/// Pages kept in memory. The engine's own default, 1 GiB, is more than a small
/// container has.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// The same while all are looked at, one after the other.
const CHECK_CACHE_BYTES: usize = 1024 * 1024;

/// Where the store in `directory` lies.
pub(super) fn path_in(directory: &Path) -> PathBuf {
    directory.join(FILE_NAME)
}

/// Opens the store in `directory`, which is made if it is not there.
pub(super) fn open(directory: &Path) -> Result<Database, OpenError> {
    let path = path_in(directory);
    let io_error = |source| OpenError::directory(directory, source);
    let is_new = !directory.exists();
    create_private_directory(directory).map_err(io_error)?;
    if !path.exists() {
        create(directory, &path)?;
    }
    let database = prepare(open_checked(|builder| builder.open(&path)), &path)?;
    remove_temporary(directory);
    sync_directory(directory, is_new).map_err(io_error)?;
    Ok(database)
}

/// Opens the file anew after the disk failed.
pub(super) fn reopen(path: &Path) -> Result<Database, OpenError> {
    reopen_clean(
        path,
        || discard_dirty_pages(path),
        |builder| builder.open(path),
    )
}

/// Opens a database that failed, with nothing in it that is not on its disk.
///
/// After a sync that failed a system may show pages as if they were written
/// that never were: a later commit that rests on them would be acknowledged,
/// and lost in a power failure. So they are forgotten first.
/// <https://www.usenix.org/conference/atc20/presentation/rebello>
pub(super) fn reopen_clean(
    path: &Path,
    discard_dirty_pages: impl FnOnce() -> io::Result<()>,
    open: impl Fn(&Builder) -> Result<Database, DatabaseError>,
) -> Result<Database, OpenError> {
    discard_dirty_pages().map_err(|error| OpenError::from_engine(error.into(), path))?;
    prepare(open_checked(open), path)
}

/// Has the system read the file from the disk from now on.
fn discard_dirty_pages(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    // What can still be written is, as it would not be forgotten.
    file.sync_all()?;
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed) {
        // Not every file system has it, and none would ever open again.
        tracing::warn!(
            %error,
            "what the disk did not write may still be read: restart the machine once the disk works"
        );
    }
    Ok(())
}

/// Makes a directory that only its owner may enter, and its parents.
fn create_private_directory(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Makes a new store under a name of its own, and gives it the right name once
/// it is whole: a crash meanwhile leaves no half store behind.
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
    // Gone already where it was renamed.
    let _ = fs::remove_file(&temporary);
    made
}

/// Gives a file the name `path` too, unless another process was quicker.
fn link_into_place(file: &Path, path: &Path) -> io::Result<()> {
    // Unlike a renaming, a link never takes the place of another's store.
    match fs::hard_link(file, path) {
        Err(_) if path.exists() => Ok(()),
        // Not every file system has links.
        Err(_) => fs::rename(file, path),
        Ok(()) => Ok(()),
    }
}

/// Opens a database twice: for a look at all of its checksums, and for use.
///
/// The engine would trust a file that it closed itself, however damaged. What it
/// has looked at it keeps in memory, until it is closed.
///
/// Between the two another process may open the file, as if it had been there
/// first: then it is in use. If it has closed it again by then, the engine has
/// left it whole, and [`prepare`] sees whether it is still of this version.
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

/// The database at `path`, with its tables, if it is one of ours.
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

/// Removes what crashes have left of stores that never came to be. To be called
/// by the process that has the store open.
fn remove_temporary(directory: &Path) {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let id = name
            .to_str()
            .and_then(|name| name.strip_prefix(TEMP_PREFIX));
        if id.is_some_and(|id| Uuid::try_parse(id).is_ok()) {
            // What cannot be removed does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Makes an empty file that only its owner may read.
fn create_private_file(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// A new file is safe only once its name is on the disk too; so is a new
/// directory.
fn sync_directory(directory: &Path, is_new: bool) -> io::Result<()> {
    let directory = directory.canonicalize()?;
    File::open(&directory)?.sync_all()?;
    if is_new {
        for ancestor in directory.ancestors().skip(1) {
            // Not every one may be read, or is on a disk.
            let _ = File::open(ancestor).and_then(|ancestor| ancestor.sync_all());
        }
    }
    Ok(())
}
