//! The vault's file: made for its owner alone, set to sync before it answers, and its format known.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::clock::Timestamp;

use super::failure::VaultFailed;

/// Opens the file, or makes it.
///
/// # Errors
/// [`VaultFailed`]: it cannot be read, is no vault, or is a later version's. It is left as it is.
pub(super) fn open(path: &Path) -> Result<Connection, VaultFailed> {
    make(path).map_err(|error| not_made(&error))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let followed = path.canonicalize().map_err(|error| not_made(&error))?;
    let mut db = Connection::open_with_flags(followed, flags)?;
    db.busy_timeout(BUSY)?;
    let ready = refuse_strangers(&db).and_then(|()| set(&db)).and_then(|()| prepare(&mut db));
    match ready {
        Ok(()) => Ok(db),
        // The file itself can be opened: what cannot be made is the log beside it.
        Err(VaultFailed::Unopened) if File::open(path).is_ok() => Err(VaultFailed::ReadOnly),
        Err(other) => Err(other),
    }
}

/// An empty file only its owner can read: what SQLite puts beside it has the same mode.
fn make(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(file) => file.sync_all().and_then(|()| sync_folder(path)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        // Where nothing can be made there may still be something to read.
        Err(_) if path.is_file() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes the new name itself last (POSIX: an entry is durable once its folder is).
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    #[cfg(unix)]
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    #[cfg(not(unix))]
    let _unused = folder;
    Ok(())
}

fn not_made(error: &io::Error) -> VaultFailed {
    match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            VaultFailed::ReadOnly
        }
        io::ErrorKind::StorageFull => VaultFailed::DiskFull,
        _ => VaultFailed::Io { reason: error.to_string(), source: None },
    }
}

/// Looks at the format before anything is changed, all of it at one moment: another process may be
/// making the vault meanwhile.
fn refuse_strangers(db: &Connection) -> Result<(), VaultFailed> {
    let db = db.unchecked_transaction()?;
    let id: i64 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (id, version) {
        (APPLICATION, OLDEST..=VERSION) => Ok(()),
        (APPLICATION, found) => Err(VaultFailed::Newer { found, known: VERSION }),
        (0, 0) if tables == 0 => Ok(()),
        _ => Err(VaultFailed::NotAVault),
    }
}

/// A commit is on the disk before it is answered (`synchronous`), and in the file itself soon
/// after it (`wal_autocheckpoint`): the log beside the file never holds more than a few writes.
/// Nothing is mapped, as a file that shrinks would end the process.
fn set(db: &Connection) -> Result<(), VaultFailed> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    log_ahead(db)?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "fullfsync", true)?;
    db.pragma_update_and_check(None, "wal_autocheckpoint", 1, |_| Ok(()))?;
    db.pragma_update_and_check(None, "mmap_size", 0, |_| Ok(()))?;
    db.pragma_update_and_check(None, "max_page_count", PAGES, |_| Ok(()))?;
    db.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    db.pragma_update(None, "cell_size_check", true)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(())
}

/// WAL mode is a property of the file. Two processes that make it at once do not wait for each
/// other inside SQLite, so it is tried until the time for being busy is over.
fn log_ahead(db: &Connection) -> Result<(), VaultFailed> {
    let until = Instant::now() + BUSY;
    loop {
        let mode: String = db.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        if mode == "wal" {
            return Ok(());
        }
        let set = db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()));
        match set {
            Err(error) if is_busy(&error) && Instant::now() < until => std::thread::yield_now(),
            other => other?,
        }
    }
}

fn prepare(db: &mut Connection) -> Result<(), VaultFailed> {
    if version(db)? == VERSION {
        return Ok(());
    }
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been faster.
    let found = version(&change)?;
    if found != VERSION {
        if found < OLDEST {
            change.execute_batch(ENTRIES)?;
        }
        change.execute_batch(LETTERS)?;
        change.pragma_update(None, "application_id", APPLICATION)?;
        change.pragma_update(None, "user_version", VERSION)?;
    }
    Ok(change.commit()?)
}

fn version(db: &Connection) -> Result<i64, VaultFailed> {
    Ok(db.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

fn is_busy(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

impl From<rusqlite::Error> for VaultFailed {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::CannotOpen) => Self::Unopened,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DatabaseCorrupt) => Self::Corrupt(error.to_string()),
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::NotADatabase) => Self::NotAVault,
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            _ => Self::Io { reason: error.to_string(), source: Some(error.into()) },
        }
    }
}

/// A moment as a column has it.
pub(super) fn seconds(time: Timestamp) -> i64 {
    time.0.try_into().unwrap_or(i64::MAX)
}

/// How long another process's write is waited for.
pub(super) const BUSY: Duration = Duration::from_secs(3);

/// 1 GiB in pages of 4 KiB.
const PAGES: i64 = 262_144;

/// `SGvt`, so that no other program's database is taken for a vault.
const APPLICATION: i64 = 0x5347_7674;
/// Formats there have been; what is older than ours is brought up when it is opened.
const OLDEST: i64 = 1;
const VERSION: i64 = 2;

/// One tree for the entries, without an index that could disagree with it, and their number, so
/// that a damaged tree cannot lose any unnoticed.
const ENTRIES: &str = "
CREATE TABLE entries (
    environment TEXT NOT NULL,
    client_id TEXT NOT NULL,
    tenant TEXT NOT NULL,
    dormant INTEGER,
    sealed TEXT NOT NULL,
    checksum TEXT NOT NULL,
    PRIMARY KEY (environment, client_id, tenant)
) STRICT, WITHOUT ROWID;
CREATE TABLE tally (entries INTEGER NOT NULL) STRICT;
INSERT INTO tally VALUES (0);
";

/// What came with format 2. A program that knows format 1 alone, and has the file open, goes on with
/// its entries.
const LETTERS: &str = "
CREATE TABLE letters (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    environment TEXT NOT NULL,
    client_id TEXT NOT NULL,
    tenant TEXT NOT NULL,
    written INTEGER NOT NULL,
    due INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    sealed TEXT NOT NULL
) STRICT;
ALTER TABLE tally ADD COLUMN letters INTEGER NOT NULL DEFAULT 0;
";
