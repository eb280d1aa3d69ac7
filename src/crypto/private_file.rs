//! Files with secrets in them: for their owner alone, whole or not there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Makes a file that is not there yet. One that exists is whole: a failed write leaves none behind.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when it is there, and whatever keeps it from being written.
pub fn create(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.and_then(|()| sync_folder(path)).inspect_err(|_| {
        let _gone = fs::remove_file(path);
    })
}

/// Puts a file in the place of whatever file is there, in one step.
///
/// # Errors
/// Whatever keeps it from being written; then what was there is left as it was.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    create(&new, text)?;
    fs::rename(&new, path).and_then(|()| sync_folder(path)).inspect_err(|_| {
        let _gone = fs::remove_file(&new);
    })
}

/// The same, for whoever had the file before: one that runs as another user may still read it.
///
/// # Errors
/// Whatever keeps it from being written; then what was there is left as it was.
pub fn rewrite(path: &Path, text: &str) -> io::Result<()> {
    let before = fs::metadata(path)?;
    replace(path, text)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, chown};
        let now = fs::metadata(path)?;
        if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
            chown(path, Some(before.uid()), Some(before.gid()))?;
        }
    }
    fs::set_permissions(path, before.permissions())
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
