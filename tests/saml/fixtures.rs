//! What five libraries keep as fixtures, each with the verdict here and a word why.
//!
//! `fixtures.txt` has a line for each file: `accepted` or the refusal, the file, and why. The rules
//! are as generous as can be: issuer, addresses, audience and time agree with whatever the document
//! says, SHA-1 is taken, and even the certificate in the document is believed. What is refused is
//! refused for its form or its signature, and would be whatever the configuration.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use superid_gateway::crypto::RsaPublic;

use crate::generous::{files, keys_under, verdict};

const LIBRARIES: [&str; 5] = ["node-saml", "python3-saml", "ruby-saml", "samael", "xml-crypto"];

#[test]
fn every_fixture_of_five_libraries_has_its_verdict_and_a_word_why() {
    let Some(root) = root() else { return };
    let expected: BTreeMap<&str, &str> = include_str!("fixtures.txt")
        .lines()
        .map(|line| {
            let mut parts = line.splitn(3, '\t');
            let (verdict, file) = (parts.next().unwrap(), parts.next().unwrap());
            assert!(parts.next().is_some_and(|why| !why.is_empty()), "no word why: {line}");
            (file, verdict)
        })
        .collect();
    let mut found = BTreeMap::new();
    for library in LIBRARIES {
        let keys = keys_under(&root.join(library));
        for file in files(&root.join(library)) {
            let name = file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            found.insert(name, said(&std::fs::read(&file).unwrap(), &keys));
        }
    }
    let mut wrong = Vec::new();
    for (file, verdict) in &found {
        if expected.get(file.as_str()) != Some(&verdict.as_str()) {
            wrong.push(format!("{verdict}\t{file}"));
        }
    }
    assert!(wrong.is_empty(), "not so in fixtures.txt:\n{}", wrong.join("\n"));
    assert_eq!(found.len(), expected.len(), "fixtures.txt has files that are not there");
}

/// The verdict on a file that may hold a document or its base64.
fn said(bytes: &[u8], keys: &[RsaPublic]) -> String {
    let plain: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let document = STANDARD.decode(&plain).unwrap_or_else(|_| bytes.to_vec());
    match verdict(&document, keys) {
        Ok(()) => "accepted".to_owned(),
        Err(refused) => format!("{refused:?}"),
    }
}

/// Where the fixtures are; without them the test is skipped, aloud, and with `CI=true` it fails.
fn root() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    let folder = std::env::var_os("SUPERID_VECTORS").map_or_else(beside, PathBuf::from);
    let folder = folder.join("attacks/saml");
    if folder.is_dir() {
        return Some(folder);
    }
    let must = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!must, "no published vectors at {}", folder.display());
    let place = folder.display();
    let _said = writeln!(std::io::stderr(), "SKIPPED: no published fixtures at {place}");
    None
}
