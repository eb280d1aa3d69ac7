//! `config/reference.toml` has every key with the default the code has, and no other.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use superid_gateway::config::{self, KeyKind, Table};

use crate::scratch::{Scratch, variables};

/// Tables that cannot stand beside the defaults, and so stand in comments.
const WHOLE_TABLES: [&str; 14] = [
    "listener.NAME.forward_auth",
    "assertion",
    "acme.NAME",
    "certificate.NAME",
    "host.NAME.hsts",
    "host.NAME.app_pages",
    "relying_party.NAME.legacy",
    "relying_party.NAME.legacy.saml",
    "relying_party.NAME.people",
    "relying_party.NAME.system_user",
    "relying_party.NAME.webhook",
    "job_listener.NAME",
    "job_caller.NAME",
    "upstream.NAME",
];

/// A caller proves itself in one way, and its password is the one that is looked at; jobs listen on
/// the network or in the file system; a certificate comes from files or is ordered; people sign in at
/// SuperID or at a provider, which speaks one protocol; a listener has pages or answers proxies; Redis is one
/// server, its Sentinels' or a cluster.
const OTHER_WAYS: [&str; 32] = [
    "# [listener.web.forward_auth]",
    "# proxies =",
    "# described_by =",
    "# sign_in =",
    "# keep_post =",
    "# response_mode =",
    "# token = {",
    "# certificate_name =",
    "# loopback =",
    "# unix_",
    "# socket_",
    "# named_certificate =",
    "# acme =",
    "# hosts = [\"app.example.com\"]",
    "# challenge =",
    "# provider =",
    "# client_key",
    "# client_certificate =",
    "# [relying_party.main.people]",
    "# directories =",
    "# hosted_domains =",
    "# email_domains =",
    "# mapping =",
    "# sign_in_url =",
    "# sign_out_url =",
    "# certificates =",
    "# subject_claim =",
    "# emails =",
    "# sentinels =",
    "# service =",
    "# sentinel_",
    "# cluster =",
];

/// What a line says, and whether it does so in a comment.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    value: String,
    commented: bool,
    explained: bool,
}

#[test]
fn no_table_or_key_is_missing_or_stale() {
    let found = keys(&reference());
    let known: Vec<(String, String)> = config::tables()
        .iter()
        .flat_map(|table| table.keys.iter().map(|key| (table.header, key.name)))
        .filter(|(header, name)| !is_table(&format!("{header}.{name}")))
        .map(|(header, name)| (header.to_owned(), name.to_owned()))
        .collect();
    for key in &known {
        assert!(found.contains_key(key), "{key:?} is missing");
    }
    for key in found.keys() {
        assert!(known.contains(key), "{key:?} is stale");
    }
    assert!(known.len() > 70, "{} keys", known.len());
}

#[test]
fn every_default_is_the_code_s() {
    let found = keys(&reference());
    for Table { header, keys } in config::tables() {
        for key in keys {
            let Some(line) = found.get(&(header.to_owned(), key.name.to_owned())) else { continue };
            assert_eq!(line.value, key.text, "{header}.{}", key.name);
        }
    }
}

#[test]
fn keys_without_a_default_are_comments_and_required_ones_say_so() {
    let text = reference();
    let found = keys(&text);
    for Table { header, keys } in config::tables() {
        for key in keys {
            let Some(line) = found.get(&(header.to_owned(), key.name.to_owned())) else { continue };
            let whole_table = WHOLE_TABLES.contains(&header);
            let commented = key.kind == KeyKind::Optional || whole_table;
            assert_eq!(line.commented, commented, "{header}.{}", key.name);
            assert!(line.explained, "{header}.{} has no sentence above it", key.name);
        }
    }
    assert_eq!(text.matches("# Required: ").count(), required());
}

#[test]
fn every_example_in_a_comment_would_be_accepted() {
    let scratch = Scratch::with_secrets();
    let text: String = reference()
        .lines()
        .filter(|line| !OTHER_WAYS.iter().any(|way| line.starts_with(way)))
        .map(|line| match key_line(line).is_some() || header_line(line).is_some() {
            true => format!("{}\n", line.strip_prefix("# ").unwrap_or(line)),
            false => format!("{line}\n"),
        })
        .collect::<String>()
        .replace("flow = \"code\"", "flow = \"legacy\"")
        .replace("token = \"jwt\"", "token = \"either\"");
    config::load_text(&text, "reference.toml", scratch.folder(), &variables)
        .unwrap_or_else(|problems| panic!("{problems}"));
}

#[test]
fn the_guide_names_every_table_and_key() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    let guide = fs::read_to_string(guide).unwrap();
    for Table { header, keys } in config::tables() {
        let section = guide
            .split("\n## ")
            .find(|section| section.starts_with(&format!("`[{header}]`")))
            .unwrap_or_else(|| panic!("[{header}] has no section"));
        for key in keys {
            let row = section.lines().find(|line| line.starts_with(&format!("| `{}` |", key.name)));
            let row = row.unwrap_or_else(|| panic!("[{header}] has no row for {}", key.name));
            let default = match key.kind {
                KeyKind::Defaulted => format!("| `{}` |", key.text),
                KeyKind::Optional => continue,
                KeyKind::Required => "| required |".to_owned(),
            };
            assert!(row.contains(&default), "[{header}] {}: {default} not in {row}", key.name);
        }
    }
}

fn reference() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/reference.toml");
    fs::read_to_string(path).unwrap()
}

/// Every key line, in a comment or not, under its table with `NAME` for the chosen name.
fn keys(text: &str) -> BTreeMap<(String, String), Line> {
    let (mut table, mut found, mut above) = (String::new(), BTreeMap::new(), "");
    for line in text.lines() {
        if let Some(header) = header_line(line) {
            table = generic(header);
        } else if let Some((name, value)) = key_line(line) {
            let commented = line.starts_with('#');
            let explained = above.starts_with("# ") && key_line(above).is_none();
            let line = Line { value: value.to_owned(), commented, explained };
            let twice = found.insert((table.clone(), name.to_owned()), line);
            assert!(twice.is_none(), "{table}.{name} stands twice");
        }
        above = line;
    }
    found
}

fn header_line(line: &str) -> Option<&str> {
    let line = line.strip_prefix("# ").unwrap_or(line);
    line.strip_prefix('[')?.strip_suffix(']')
}

fn key_line(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.strip_prefix("# ").unwrap_or(line).split_once(" = ")?;
    let fits =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    name.chars().all(fits).then_some((name, value))
}

/// `route.app.headers` as `route.NAME.headers`.
fn generic(header: &str) -> String {
    let mut parts: Vec<&str> = header.split('.').collect();
    if parts.len() > 1 {
        parts[1] = "NAME";
    }
    parts.join(".")
}

fn is_table(header: &str) -> bool {
    config::tables().iter().any(|table| table.header == header)
}

fn required() -> usize {
    let keys = config::tables().into_iter().flat_map(|table| table.keys);
    keys.filter(|key| key.kind == KeyKind::Required).count()
}
