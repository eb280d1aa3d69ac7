//! What the documentation says is there: links, files, commands, configurations, tests, facts.

#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod metrics;
mod pages;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use superid_gateway::config;
use superid_gateway::telemetry::Limit;

use pages::{Page, code_files, every_page, exists};

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let pages = every_page();
    let mut broken = Vec::new();
    for page in &pages {
        for link in page.links().filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { page.path.clone() } else { page.beside(file) };
            let there = pages.iter().find(|other| other.path == target);
            let heading_there = || there.is_some_and(|other| other.anchors().contains(heading));
            if !exists(&target) || (!heading.is_empty() && !heading_there()) {
                broken.push(format!("{}: {link}", page.path));
            }
        }
    }
    assert_eq!(broken, [""; 0]);
}

#[test]
fn every_file_that_is_named_is_there() {
    let folders = ["src/", "tests/", "docs/", "config/", "certs/", "vendor/", "deploy/", ".ci/"];
    let mut missing = Vec::new();
    for page in every_page() {
        for name in page.spans().filter(|span| folders.iter().any(|one| span.starts_with(one))) {
            if !name.contains([' ', '*', '…']) && !exists(&name) {
                missing.push(format!("{}: {name}", page.path));
            }
        }
    }
    assert_eq!(missing, [""; 0]);
}

#[test]
fn every_command_and_option_is_in_the_help() {
    let known = help(&["--help"]);
    let mut asked = 0;
    for page in every_page() {
        for line in page.code_lines() {
            let Some((_, call)) = line.split_once("superid-gateway ") else { continue };
            let call = call.split(['#', ';', '`']).next().unwrap();
            let mut words = call.split_whitespace();
            let Some(command) = words.next().filter(|word| is_command(word)) else { continue };
            assert!(known.contains(&format!("\n  {command} ")), "{}: {line}", page.path);
            // Some have commands of their own.
            let below = words.clone().next().filter(|word| is_command(word));
            let whole = help(&[command, "--help"]);
            let below = below.filter(|word| whole.contains(&format!("\n  {word} ")));
            let help = below.map_or(whole, |word| help(&[command, word, "--help"]));
            for option in words.filter(|word| word.starts_with("--")) {
                assert!(help.contains(&format!("{option} ")), "{}: {line}", page.path);
            }
            asked += 1;
        }
    }
    assert!(asked > 10, "only {asked} commands were found");
}

#[test]
fn every_configuration_holds() {
    let minimal: toml::Table = toml::from_str(MINIMAL).unwrap();
    let jobs: toml::Table = toml::from_str(JOBS).unwrap();
    let mut tried = 0;
    for page in every_page() {
        for block in page.blocks("toml") {
            let mut table: toml::Table =
                toml::from_str(&block).unwrap_or_else(|error| panic!("{}: {error}", page.path));
            // A fragment shows what it is about; the rest is the smallest configuration.
            let calls = table.contains_key("job_listener");
            for (name, rest) in jobs.iter().filter(|_| calls).chain(&minimal) {
                table.entry(name).or_insert_with(|| rest.clone());
            }
            let text = toml::to_string(&table).unwrap();
            if let Err(problems) = with_secrets(&text) {
                panic!("{}:\n{block}\n{problems}", page.path);
            }
            tried += 1;
        }
    }
    assert!(tried >= 3, "only {tried} configurations were found");
}

/// What job listeners need besides.
const JOBS: &str = r#"
[relying_party.main]
environment = "sod"
client_id = "0123456789abcdef0123456789abcdef"
client_secret = { env = "SUPERID_CLIENT_SECRET" }
system_user = { key = { file = "partner-key.xml" } }

[vault]
keys = [{ file = "vault.key" }]
"#;

#[test]
fn the_readme_shows_the_smallest_configuration_letter_by_letter() {
    let readme = Page::read("README.md");
    assert!(readme.blocks("toml").contains(&MINIMAL.to_owned()));
}

#[test]
fn every_test_that_is_named_is_there() {
    let code: String = code_files().into_iter().map(|(_, text)| text).collect();
    let mut named = 0;
    for page in every_page() {
        for name in page.spans().filter(|span| is_sentence(span)) {
            assert!(code.contains(&format!("fn {name}(")), "{}: {name}", page.path);
            named += 1;
        }
    }
    assert!(named > 30, "only {named} tests were found");
}

#[test]
fn every_known_hole_names_a_test_or_says_why_not() {
    let page = Page::read("docs/known-holes.md").text;
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.ends_with("| here |"));
    let mut told = 0;
    for row in rows {
        let here = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let named = here.split('`').skip(1).step_by(2).any(is_sentence);
        let reason = ["not ours: ", "not built yet: ", "`.ci/run`"];
        assert!(named || reason.iter().any(|words| here.contains(words)), "{row}");
        told += 1;
    }
    assert!(told > 100, "only {told} rows were found");
}

#[test]
fn every_limit_is_in_the_table_and_names_its_key_and_its_test() {
    let page = Page::read("docs/operations.md").text;
    let table = page.split("## Limits").nth(1).unwrap().split("\n## ").next().unwrap();
    let keys: Vec<String> = config::tables()
        .into_iter()
        .flat_map(|table| table.keys.iter().map(|key| key.name.to_owned()))
        .collect();
    for limit in Limit::EVERY {
        let begin = format!("| `{}` |", limit.name());
        let row = table.lines().find(|line| line.starts_with(&begin));
        let row = row.unwrap_or_else(|| panic!("{limit:?}"));
        // The machine's own limit has neither.
        if limit != Limit::Descriptors {
            let key = limit.name().rsplit('.').next().unwrap();
            assert!(keys.iter().any(|known| known == key), "{limit:?}: no key {key}");
            assert!(row.split('`').any(is_sentence), "{limit:?}: {row}");
        }
    }
}

#[test]
fn every_fact_that_code_points_to_is_written_down() {
    let facts = Page::read("docs/superid-facts.md").text;
    let mut missing = BTreeSet::new();
    let mut found = 0;
    for (path, text) in code_files() {
        // A reference may be broken over two lines of a comment.
        let text = text.replace("\n///", " ").replace("\n//!", " ").replace("\n    ///", " ");
        for rest in text.split(concat!("superid.md", "` §")).skip(1) {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap();
            let section = rest[..end].trim_end_matches('.');
            if !facts.contains(&format!("# §{section} ")) {
                missing.insert(format!("{path}: §{section}"));
            }
            found += 1;
        }
    }
    assert_eq!(missing, BTreeSet::new());
    assert!(found > 30, "only {found} references were found");
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest: toml::Table = toml::from_str(include_str!("../../Cargo.toml")).unwrap();
    let real: BTreeSet<&str> =
        manifest["dependencies"].as_table().unwrap().keys().map(String::as_str).collect();
    let decisions = Page::read("docs/decisions.md").text;
    let table = decisions.split("## Dependencies").nth(1).unwrap();
    let told: BTreeSet<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split('`').next())
        .collect();
    assert_eq!(told, real);
}

fn help(arguments: &[&str]) -> String {
    let program = env!("CARGO_BIN_EXE_superid-gateway");
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn is_command(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Tests are sentences: four words or more. So are some keys, and metrics.
fn is_sentence(span: &str) -> bool {
    let keys = || config::tables().into_iter().flat_map(|table| table.keys);
    if span.starts_with(METRIC)
        || span.starts_with("process_")
        || keys().any(|key| key.name == span)
    {
        return false;
    }
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    span.bytes().all(letters) && span.matches('_').count() >= 3
}

fn with_secrets(text: &str) -> Result<(), String> {
    let base = folder_of_secrets();
    let variables = |name: &str| match name {
        "PARTNER_KEY_PASSPHRASE" => Some("hello".to_owned()),
        "SUPERID_CLIENT_SECRET" => Some("secret".to_owned()),
        "WEBHOOK_SECRET" => Some("AAECAwQFBgcICQoLDA0ODxAREhMUFRYX".to_owned()),
        "NIGHTLY_PASSWORD" => Some("nightly-0123456789abcdef".to_owned()),
        "REPORT_TOKEN" => Some("report-0123456789abcdef".to_owned()),
        _ => None,
    };
    let loaded = config::load_text(text, "page.toml", &base, &variables);
    loaded.map(drop).map_err(|problems| problems.to_string())
}

/// The files the pages' configurations name.
fn folder_of_secrets() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("docs");
    fs::create_dir_all(folder.join("certs")).unwrap();
    let assertion = include_str!("../config/assertion_keys/p256.pem");
    fs::write(folder.join("assertion.key"), assertion).unwrap();
    for (name, byte) in [
        ("session.key", 1),
        ("session-1.key", 2),
        ("session-2.key", 3),
        ("vault.key", 4),
        ("vault-2.key", 5),
        ("admin.token", 6),
    ] {
        fs::write(folder.join(name), STANDARD.encode([byte; 32])).unwrap();
    }
    fs::write(folder.join("redis-password.txt"), "password").unwrap();
    fs::write(folder.join("nightly.password"), "nightly-0123456789abcdef").unwrap();
    for name in ["certs/localhost.pem", "certs/localhost-key.pem"] {
        fs::write(folder.join(name), "read when the listener opens").unwrap();
    }
    for (name, text) in [
        ("partner-key.xml", include_str!("../config/partner_keys/2048.xml")),
        ("partner-key.pem", include_str!("../config/partner_keys/2048-encrypted.pem")),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
    folder
}

const METRIC: &str = "superid_gateway_";
const MINIMAL: &str = include_str!("../../config/minimal.toml");
