//! `vault export` and `vault import`.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use zeroize::Zeroizing;

use crate::cli::Verdict;
use crate::identity::TenantKey;
use crate::vault::{Entry, VaultFailed, plain_line, sealed_line};

use super::list::{counted, fault_in_words};
use super::open::Opened;

/// How tokens are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tokens {
    Plain,
    Sealed,
}

/// What becomes of entries that are there and in the file too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Present {
    /// Then nothing is taken.
    Kept,
    Replaced,
}

/// Writes every entry that opens to a new file, a line each.
pub(super) async fn export(
    opened: &Opened,
    to: &Path,
    tokens: Tokens,
    out: &mut dyn Write,
) -> io::Result<Verdict> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let named = |error: io::Error| io::Error::other(format!("{}: {error}", to.display()));
    let file = options.open(to).map_err(named)?;
    let written = write_lines(opened, file, tokens, out).await.inspect_err(|_| {
        // Half an export would be taken for a whole one.
        let _gone = fs::remove_file(to);
    });
    let (entries, verdict) = written?;
    let how = match tokens {
        Tokens::Plain => "with tokens unsealed",
        Tokens::Sealed => "sealed",
    };
    let detail = format!("{}: {}, {how}", to.display(), counted(entries));
    opened.audited.did("vault_export", &detail);
    writeln!(out, "{}: {}", to.display(), counted(entries))?;
    Ok(verdict)
}

/// Takes every entry of a file, or none when one of its lines is wrong.
pub(super) async fn import(
    opened: &Opened,
    from: &Path,
    present: Present,
    out: &mut dyn Write,
) -> io::Result<Verdict> {
    let named = |error: io::Error| io::Error::other(format!("{}: {error}", from.display()));
    let bytes = Zeroizing::new(fs::read(from).map_err(named)?);
    let (mut entries, mut first): (Vec<Entry>, BTreeMap<TenantKey, usize>) = Default::default();
    let mut wrong = 0;
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let read = read(opened, line, present).await?;
        let twice = read.as_ref().ok().and_then(|entry| first.get(&entry.key));
        match (read, twice) {
            (Ok(entry), None) => {
                first.insert(entry.key.clone(), number + 1);
                entries.push(entry);
                continue;
            }
            (Ok(entry), Some(line)) => {
                complain(from, number, &format!("{} is in line {line} too", entry.key), out)?;
            }
            (Err(words), _) => complain(from, number, &words, out)?,
        }
        wrong += 1;
    }
    if wrong > 0 {
        writeln!(out, "{}: {wrong} of its lines are wrong; nothing was taken", from.display())?;
        return Ok(Verdict::Problems);
    }
    opened.vault.put_all(&entries).await.map_err(opened.failed())?;
    let detail = format!("{}: {}", from.display(), counted(entries.len()));
    opened.audited.did("vault_import", &detail);
    writeln!(out, "{}: {} imported", opened.place, counted(entries.len()))?;
    Ok(Verdict::Fine)
}

async fn write_lines(
    opened: &Opened,
    file: File,
    tokens: Tokens,
    out: &mut dyn Write,
) -> io::Result<(usize, Verdict)> {
    let mut file = BufWriter::new(file);
    let (mut written, mut verdict, mut after) = (0, Verdict::Fine, None);
    for fault in opened.vault.check().await.map_err(opened.failed())? {
        writeln!(out, "{}; entries may be missing", fault_in_words(&fault))?;
        verdict = Verdict::Problems;
    }
    loop {
        let page = opened.vault.entries(after).await.map_err(opened.failed())?;
        for (record, entry) in page.items {
            match (entry, tokens) {
                (Ok(_), Tokens::Sealed) => writeln!(file, "{}", sealed_line(&record))?,
                (Ok(entry), Tokens::Plain) => writeln!(file, "{}", *plain_line(&entry))?,
                (Err(why), _) => {
                    writeln!(out, "{}: {why}; not exported", record.name)?;
                    verdict = Verdict::Problems;
                    continue;
                }
            }
            written += 1;
        }
        after = page.after;
        if after.is_none() {
            break;
        }
    }
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok((written, verdict))
}

/// The line's entry, or what is wrong with it.
async fn read(opened: &Opened, line: &[u8], present: Present) -> io::Result<Result<Entry, String>> {
    let Ok(line) = std::str::from_utf8(line) else { return Ok(Err("it is not text".to_owned())) };
    let entry = match opened.vault.read_line(line) {
        Ok(entry) => entry,
        Err(refused) => return Ok(Err(refused.to_string())),
    };
    if present == Present::Replaced {
        return Ok(Ok(entry));
    }
    match opened.vault.look(&entry.key).await {
        Ok(None) => Ok(Ok(entry)),
        Ok(Some(_)) | Err(VaultFailed::Entry { .. }) => {
            Ok(Err(format!("{} is in the vault already; --replace takes this one", entry.key)))
        }
        Err(failed) => Err(opened.failed()(failed)),
    }
}

fn complain(from: &Path, number: usize, words: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}:{}: {words}", from.display(), number + 1)
}
