//! `vault forget`, `vault rewrap` and `vault verify`.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::Verdict;
use crate::identity::TenantKey;
use crate::vault::{Fault, Verified};

use super::list::{Form, counted, fault_in_json, fault_in_words};
use super::open::Opened;

/// Deletes an entry.
pub(super) async fn forget(
    opened: &Opened,
    key: &TenantKey,
    out: &mut dyn Write,
) -> io::Result<Verdict> {
    if opened.vault.forget(key).await.map_err(opened.failed())? {
        opened.audited.did("vault_forget", &key.to_string());
        writeln!(out, "{key}: forgotten")?;
        return Ok(Verdict::Fine);
    }
    writeln!(out, "{key}: there is no such entry")?;
    Ok(Verdict::Problems)
}

/// Seals everything with the first key. How far it has come goes to the standard error.
pub(super) async fn rewrap(opened: &Opened, out: &mut dyn Write) -> io::Result<Verdict> {
    let progress = |seen| eprintln!("{} looked at", counted(seen));
    let done = opened.vault.rewrap(progress).await.map_err(opened.failed())?;
    let detail = format!("{}: {}", opened.place, counted(done.anew));
    opened.audited.did("vault_rewrap", &detail);
    for fault in &done.left {
        writeln!(out, "{}; left as it is", fault_in_words(fault))?;
    }
    writeln!(
        out,
        "{}: {} sealed anew, {} had the first key already",
        opened.place,
        counted(done.anew),
        done.current
    )?;
    if done.letters > 0 {
        writeln!(out, "{} events that wait to be told sealed anew", done.letters)?;
    }
    Ok(if done.left.is_empty() { Verdict::Fine } else { Verdict::Problems })
}

/// Says what is wrong, with the entries and with the file.
pub(super) async fn verify(
    opened: &Opened,
    form: Form,
    out: &mut dyn Write,
) -> io::Result<Verdict> {
    let mut found = opened.vault.verify().await.map_err(opened.failed())?;
    found.faults.extend(opened.file.as_deref().and_then(open_to_others));
    match form {
        Form::Json => {
            let Verified { entries, opened, dormant, older_key, letters, aside, faults } = &found;
            let faults: Vec<Value> = faults.iter().map(fault_in_json).collect();
            let whole = json!({
                "entries": entries,
                "opened": opened,
                "dormant": dormant,
                "older_key": older_key,
                "events": letters,
                "events_set_aside": aside,
                "faults": faults,
            });
            writeln!(out, "{whole:#}")?;
        }
        Form::Text => print(opened, &found, out)?,
    }
    Ok(if found.faults.is_empty() { Verdict::Fine } else { Verdict::Problems })
}

fn print(opened: &Opened, found: &Verified, out: &mut dyn Write) -> io::Result<()> {
    for fault in &found.faults {
        writeln!(out, "{}", fault_in_words(fault))?;
    }
    let Verified { entries, opened: open, dormant, older_key, letters, aside, faults } = found;
    write!(out, "{}: {}, {open} open", opened.place, counted(*entries))?;
    if *dormant > 0 {
        write!(out, ", {dormant} dormant")?;
    }
    if *older_key > 0 {
        write!(out, ", {older_key} sealed with an older key (rewrap seals them anew)")?;
    }
    if *letters > 0 {
        write!(out, ", {letters} events wait to be told")?;
    }
    if *aside > 0 {
        write!(out, ", {aside} events are damaged and set aside")?;
    }
    match faults.len() {
        0 => writeln!(out, "; nothing is wrong"),
        1 => writeln!(out, "; 1 thing is wrong"),
        more => writeln!(out, "; {more} things are wrong"),
    }
}

/// Sealed or not, it tells strangers which tenants there are.
fn open_to_others(path: &Path) -> Option<Fault> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let mode = std::fs::metadata(path).ok()?.mode();
        if mode & 0o077 != 0 {
            let words = "other users of this machine may open it; chmod 600".to_owned();
            return Some(Fault { name: None, words });
        }
    }
    #[cfg(not(unix))]
    let _unused = path;
    None
}
