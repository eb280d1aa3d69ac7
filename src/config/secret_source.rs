//! `{ file = … }`, `{ env = … }`, `{ credential = … }` or `{ value = … }`: where a secret comes from.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use toml::de::DeTable;

use crate::crypto::Secret;

use super::Key;
use super::reading::quoted;
use super::section::Section;
use super::value::Value;

/// The keys of a secret's inline table, exactly one of which is written.
const KEYS: &[Key] = &[
    Key::optional("credential", "\"name-of-a-credential\""),
    Key::optional("env", "\"NAME_OF_A_VARIABLE\""),
    Key::optional("file", "\"name-of-a-file\""),
    Key::optional("value", "\"the secret itself\""),
];

/// Reads the secret itself. `when_missing` is what to do about a file that is not there.
pub(super) fn secret(value: &Value, when_missing: &str) -> Option<Secret> {
    let section = source(value)?;
    let read = if section.has("file") {
        section.optional("file", |file| from_file(file, when_missing))
    } else if section.has("credential") {
        section.optional("credential", from_credential)
    } else if section.has("env") {
        section.optional("env", from_variable)
    } else {
        section.optional("value", |value| value.text().map(str::to_owned))
    };
    let text = read?;
    if text.is_empty() {
        return value.refuse("is an empty secret", "put the secret where this points");
    }
    Some(Secret::new(text))
}

/// Whether a table says where a secret comes from, rightly or not.
pub(super) fn is_secret(table: &DeTable) -> bool {
    let known = |name: &str| KEYS.iter().any(|key| key.name == name);
    !table.is_empty() && table.keys().all(|name| known(name.get_ref()))
}

/// The file a secret comes from; `Some(None)` when it comes from elsewhere.
pub(super) fn secret_file<T>(
    value: &Value,
    convert: impl FnOnce(&Value) -> Option<T>,
) -> Option<Option<T>> {
    let section = source(value)?;
    if !section.has("file") {
        return Some(None);
    }
    section.optional("file", convert).map(Some)
}

/// Warns when everybody on the machine can read a file that holds a secret.
pub(super) fn warn_when_open(value: &Value, path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let Ok(metadata) = fs::metadata(path) else { return };
        if metadata.mode() & 0o004 != 0 {
            value.reading.warn(
                &value.place,
                "everybody on this machine can read the file",
                "chmod o-r it, or better chmod 600",
            );
        }
    }
}

/// Why a file cannot be read, in words that are the same on every system.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "may not be read by this user".to_owned(),
        io::ErrorKind::InvalidData => "is not text".to_owned(),
        io::ErrorKind::IsADirectory => "is a folder".to_owned(),
        io::ErrorKind::FileTooLarge => "is larger than 1 MiB".to_owned(),
        _ => format!("cannot be read ({error})"),
    }
}

fn source<'v>(value: &Value<'v>) -> Option<Section<'v>> {
    let section = Section::inline(value, KEYS)?;
    let given = KEYS.iter().filter(|key| section.has(key.name)).count();
    let instead = "write one of { file = \"…\" }, { env = \"…\" }, { credential = \"…\" } and \
                   { value = \"…\" }";
    match given {
        1 => Some(section),
        0 => value.refuse("says nowhere where the secret comes from", instead),
        _ => value.refuse("says twice where the secret comes from", instead),
    }
}

fn from_file(value: &Value, when_missing: &str) -> Option<String> {
    let name = value.text()?;
    let path = value.reading.path(name);
    match read_small(&path) {
        Ok(mut text) => {
            warn_when_open(value, &path);
            trim(&mut text);
            Some(text)
        }
        Err(error) => value.refuse(format!("{} {}", quoted(name), reason(&error)), when_missing),
    }
}

/// One of those that systemd gives a unit (`LoadCredential=`, systemd.exec(5)).
fn from_credential(value: &Value) -> Option<String> {
    let name = value.text()?;
    if name.is_empty() || name.contains('/') || name == "." || name == ".." {
        return value.refuse(format!("{} is no credential's name", quoted(name)), value.key.hint());
    }
    let Some(folder) = value.reading.variable("CREDENTIALS_DIRECTORY") else {
        return value.refuse(
            format!("the credential {name} is asked for, and there are none"),
            format!(
                "write LoadCredential={name}:… in the systemd unit, or {{ file = \"…\" }} here"
            ),
        );
    };
    match read_small(&Path::new(&folder).join(name)) {
        Ok(mut text) => {
            trim(&mut text);
            Some(text)
        }
        Err(error) => value.refuse(
            format!("the credential {name} {}", reason(&error)),
            format!("write LoadCredential={name}:… in the systemd unit"),
        ),
    }
}

/// An editor ends a file with a line's end, which is no part of a secret.
fn trim(text: &mut String) {
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
}

/// Reads text of at most [`MOST`] bytes: whatever a path leads to, it is not read for ever.
pub(super) fn read_small(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?.take(MOST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(text)
}

fn from_variable(value: &Value) -> Option<String> {
    let name = value.text()?;
    let mut text = value.reading.variable(name).or_else(|| {
        value.refuse(format!("the environment variable {name} is not set"), format!("set {name}"))
    })?;
    trim(&mut text);
    Some(text)
}

/// Bytes of a file at most: a key or a certificate has a few thousand.
const MOST: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn what_never_ends_is_not_read_to_its_end() {
        let refused = read_small(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(reason(&refused), "is larger than 1 MiB");
    }
}
