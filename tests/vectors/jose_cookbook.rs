//! RFC 7520's examples: the one RS256 signature is taken, nothing else is.

use std::path::{Path, PathBuf};

use serde_json::Value;
use superid_gateway::superid::{KeySet, verify_signature};

use crate::published::{folder, json, key_set};

const RS256: &str = "4_1.rsa_v15_signature.json";

#[test]
fn the_rs256_example_gives_its_payload() {
    let Some(folder) = folder() else { return };
    let example = json(&folder.join("attacks/jose-cookbook/jws").join(RS256));
    let token = example["output"]["compact"].as_str().unwrap();
    let payload = verify_signature(token, &frodos_key(&folder)).unwrap();
    assert_eq!(String::from_utf8(payload).ok().as_deref(), example["input"]["payload"].as_str());
}

#[test]
fn every_other_example_is_refused() {
    let Some(folder) = folder() else { return };
    let cookbook = folder.join("attacks/jose-cookbook");
    let keys = frodos_key(&folder);
    let mut ran = 0;
    for file in files(&cookbook) {
        let example = json(&file);
        for token in outputs(&example["output"]) {
            let taken = verify_signature(&token, &keys).is_ok();
            let expected = file.ends_with(RS256) && !token.starts_with('{');
            assert_eq!(taken, expected, "{}", file.display());
            ran += 1;
        }
    }
    println!("{ran} outputs of RFC 7520 and its kin");
    assert!(ran >= 30, "only {ran} ran");
}

/// The RSA key of §3.3, which also made the RSASSA-PSS example.
fn frodos_key(folder: &Path) -> KeySet {
    let example = json(&folder.join("attacks/jose-cookbook/jws").join(RS256));
    key_set(&[example["input"]["key"].clone()]).expect("the RFC's key is usable")
}

/// Every spelling of an example's result: compact, and the JSON serialisations as text.
fn outputs(output: &Value) -> Vec<String> {
    let spelled = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    output.as_object().map(|all| all.values().map(spelled).collect()).unwrap_or_default()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the cookbook is a folder") {
        let path = entry.expect("a folder can be read").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|kind| kind == "json") {
            found.push(path);
        }
    }
    found
}
