//! The configuration in force as TOML, each line with where it comes from, and no secret in it.

use std::fmt::Write as _;

use toml::de::{DeTable, DeValue};

use super::reading::Reading;
use super::secret_source::is_secret;
use super::{Key, KeyKind, Table};

/// Writes every table that is written somewhere, and those that hold unwritten.
pub(super) fn effective(reading: &Reading, document: &DeTable, tables: &[Table]) -> String {
    let mut out = String::new();
    for table in tables {
        let steps: Vec<&str> = table.header.split('.').collect();
        each(document, &steps, &mut Vec::new(), &mut |path, found| {
            let written = found.is_some();
            if written || UNWRITTEN.contains(&table.header) {
                section(reading, &mut out, path, (table, tables), found);
            }
        });
    }
    out
}

/// Calls with every table of a kind: its names, and what is written of it.
fn each<'d>(
    within: &'d DeTable<'d>,
    steps: &[&str],
    path: &mut Vec<String>,
    call: &mut dyn FnMut(&[String], Option<&'d DeTable<'d>>),
) {
    let [step, rest @ ..] = steps else { return call(path, Some(within)) };
    let names: Vec<&str> = match *step {
        "NAME" => within.keys().map(|name| name.get_ref().as_ref()).collect(),
        step => vec![step],
    };
    for name in names {
        path.push(name.to_owned());
        match within.get(name).and_then(|value| value.get_ref().as_table()) {
            Some(inner) => each(inner, rest, path, call),
            None if rest.is_empty() => call(path, None),
            None => {}
        }
        path.pop();
    }
}

fn section(
    reading: &Reading,
    out: &mut String,
    path: &[String],
    (table, tables): (&Table, &[Table]),
    found: Option<&DeTable>,
) {
    let inner = |key: &&Key| {
        let header = format!("{}.{}", table.header, key.name);
        tables.iter().any(|table| table.header == header)
    };
    let begun = out.len();
    let gap = if begun == 0 { "" } else { "\n" };
    let _infallible = writeln!(out, "{gap}[{}]", path.join("."));
    let header = out.len();
    for key in table.keys.iter().filter(|key| !inner(key)) {
        let written = found.and_then(|found| found.get(key.name));
        let _infallible = match written {
            Some(value) => {
                let from = reading.told(value.span().start);
                let variable = reading.is_variable(value.span().start);
                let spelling = if variable { Secrets::AsText } else { Secrets::AsTables };
                let shown = shown(value.get_ref(), spelling);
                writeln!(out, "{} = {shown}  # {from}", key.name)
            }
            None if key.kind == KeyKind::Defaulted => {
                writeln!(out, "{} = {}  # default", key.name, key.text)
            }
            None => Ok(()),
        };
    }
    if out.len() == header && found.is_none() {
        out.truncate(begun);
    }
}

/// How whoever wrote a secret spelled it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Secrets {
    /// As an inline table, in a file.
    AsTables,
    /// As it is, in a variable.
    AsText,
}

/// A value on one line. Where a secret comes from is shown, and what is no secret.
fn shown(value: &DeValue, secrets: Secrets) -> String {
    match value {
        DeValue::Table(table)
            if secrets == Secrets::AsText && is_secret(table) && table.contains_key("value") =>
        {
            MASK.to_owned()
        }
        DeValue::Table(table) => {
            let pairs: Vec<String> = table
                .iter()
                .map(|(name, inner)| {
                    let name: &str = name.get_ref();
                    let inner = match name == "value" && is_secret(table) {
                        true => MASK.to_owned(),
                        false => shown(inner.get_ref(), secrets),
                    };
                    format!("{} = {inner}", bare(name))
                })
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        DeValue::Array(items) => {
            let items: Vec<String> =
                items.iter().map(|item| shown(item.get_ref(), secrets)).collect();
            format!("[{}]", items.join(", "))
        }
        DeValue::String(text) => toml::Value::String(without_query(text)).to_string(),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(date) => date.to_string(),
    }
}

/// A URL may carry a secret in its query, as receivers of webhooks like it.
fn without_query(text: &str) -> String {
    match text.split_once('?') {
        Some((address, _)) if address.contains("://") => format!("{address}?(secret)"),
        _ => text.to_owned(),
    }
}

/// A key as TOML has it.
fn bare(name: &str) -> String {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    match !name.is_empty() && name.bytes().all(fits) {
        true => name.to_owned(),
        false => toml::Value::String(name.to_owned()).to_string(),
    }
}

const MASK: &str = "\"(secret)\"";
/// Tables whose defaults hold where nobody wrote them.
const UNWRITTEN: [&str; 5] = ["route.NAME.headers", "forwarded", "admin", "log", "limits"];
