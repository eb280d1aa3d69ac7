//! `vault list` and `vault show`.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::Verdict;
use crate::clock::Timestamp;
use crate::crypto::SealedBy;
use crate::identity::TenantKey;
use crate::vault::{Fault, Listed, RESTORABLE, Summary, VaultFailed};

use super::open::Opened;

/// For people or for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Text,
}

/// Whether the token is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Hidden,
    Shown,
}

/// Prints every entry without its token.
pub(super) async fn list(opened: &Opened, form: Form, out: &mut dyn Write) -> io::Result<Verdict> {
    let mut unopened = opened.vault.check().await.map_err(opened.failed())?;
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = opened.vault.list(after).await.map_err(opened.failed())?;
        for Listed { name, found: listed } in page.items {
            match listed {
                Ok(summary) => found.push(summary),
                Err(why) => unopened.push(Fault { name: Some(name), words: why.to_string() }),
            }
        }
        after = page.after;
        if after.is_none() {
            break;
        }
    }
    match form {
        Form::Json => {
            let entries: Vec<Value> = found.iter().map(in_json).collect();
            let faults: Vec<Value> = unopened.iter().map(fault_in_json).collect();
            writeln!(out, "{:#}", json!({ "entries": entries, "faults": faults }))?;
        }
        Form::Text => print(&found, &unopened, out)?,
    }
    Ok(if unopened.is_empty() { Verdict::Fine } else { Verdict::Problems })
}

/// Prints one entry.
pub(super) async fn show(
    opened: &Opened,
    key: &TenantKey,
    (form, token): (Form, Token),
    out: &mut dyn Write,
) -> io::Result<Verdict> {
    let entry = match opened.vault.look(key).await {
        Ok(Some(entry)) => entry,
        Ok(None) => {
            writeln!(out, "{key}: there is no such entry")?;
            return Ok(Verdict::Problems);
        }
        Err(failed @ VaultFailed::Entry { .. }) => {
            writeln!(out, "{failed}")?;
            return Ok(Verdict::Problems);
        }
        Err(failed) => return Err(opened.failed()(failed)),
    };
    // One entry is not asked which of the keys it is sealed with: list and verify tell that.
    let mut fields = in_json(&entry.summary(SealedBy::First));
    fields.as_object_mut().map(|fields| fields.remove("sealed_by"));
    if token == Token::Shown {
        opened.audited.did("vault_show_token", &key.to_string());
        fields["token"] = entry.token.reveal().into();
    }
    match (form, fields) {
        (Form::Text, Value::Object(fields)) => print_fields(&fields, out)?,
        (_, fields) => writeln!(out, "{fields:#}")?,
    }
    Ok(Verdict::Fine)
}

/// One thing that is wrong, for programs.
pub(super) fn fault_in_json(fault: &Fault) -> Value {
    match &fault.name {
        Some(name) => json!({
            "environment": name.environment,
            "client_id": name.client_id,
            "tenant": name.tenant,
            "problem": fault.words,
        }),
        None => json!({ "problem": fault.words }),
    }
}

/// One thing that is wrong, for people.
pub(super) fn fault_in_words(fault: &Fault) -> String {
    match &fault.name {
        Some(name) => format!("{name}: {}", fault.words),
        None => format!("the vault: {}", visible(&fault.words)),
    }
}

fn print(found: &[Summary], unopened: &[Fault], out: &mut dyn Write) -> io::Result<()> {
    let name = |summary: &Summary| visible(&summary.key.to_string());
    let width = found.iter().map(|summary| name(summary).chars().count()).max().unwrap_or(0);
    for summary in found {
        let Summary { serial, consented_by, stored, .. } = summary;
        write!(
            out,
            "{:width$}  serial {}  by {}  since {}",
            name(summary),
            visible(serial),
            visible(consented_by),
            date(*stored)
        )?;
        if let Some(since) = summary.dormant {
            let until = date(since.plus(RESTORABLE));
            write!(out, "  dormant since {}, kept until {until}", date(since))?;
        }
        if summary.sealed_by != SealedBy::First {
            write!(out, "  sealed with an older key")?;
        }
        writeln!(out)?;
    }
    for fault in unopened {
        writeln!(out, "{}", fault_in_words(fault))?;
    }
    let closed = unopened.iter().filter(|fault| fault.name.is_some()).count();
    match (found.len() + closed, closed) {
        (entries, 0) => writeln!(out, "{}", counted(entries)),
        (entries, closed) => writeln!(out, "{}, {closed} of them not opened", counted(entries)),
    }
}

fn print_fields(fields: &Map<String, Value>, out: &mut dyn Write) -> io::Result<()> {
    for (name, value) in fields {
        let value = match value {
            Value::Null => "-".to_owned(),
            Value::String(text) => visible(text),
            other => other.to_string(),
        };
        writeln!(out, "{name:15} {value}")?;
    }
    Ok(())
}

fn in_json(summary: &Summary) -> Value {
    json!({
        "environment": &*summary.key.environment,
        "client_id": &*summary.key.client_id,
        "tenant": summary.key.tenant.as_str(),
        "serial": summary.serial,
        "web_api_url": summary.web_api_url,
        "consented_by": summary.consented_by,
        "stored": date(summary.stored),
        "dormant": summary.dormant.map(date),
        "sealed_by": match summary.sealed_by {
            SealedBy::First => "first key",
            SealedBy::Older | SealedBy::Stranger => "older key",
        },
    })
}

/// `1 entry`, `2 entries`.
pub(super) fn counted(entries: usize) -> String {
    match entries {
        1 => "1 entry".to_owned(),
        more => format!("{more} entries"),
    }
}

pub(super) fn date(time: Timestamp) -> String {
    let seconds = i64::try_from(time.0).unwrap_or(i64::MAX);
    let date = OffsetDateTime::from_unix_timestamp(seconds).ok();
    date.and_then(|date| date.format(&Rfc3339).ok()).unwrap_or_else(|| format!("{seconds} s"))
}

/// What claims said may hold anything; a terminal obeys control characters.
pub(super) fn visible(text: &str) -> String {
    let escaped = |letter: char| match letter.is_control() {
        true => letter.escape_default().to_string(),
        false => letter.to_string(),
    };
    text.chars().map(escaped).collect()
}
