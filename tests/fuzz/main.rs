//! Every target of the fuzzers with every file of its corpus: what was found once stays found.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod targets;

use std::collections::BTreeSet;
use std::fs;
use std::panic;
use std::path::{Path, PathBuf};

use targets::TARGETS;

#[test]
fn every_corpus_is_replayed() {
    let mut failed = Vec::new();
    for (name, target) in TARGETS {
        let (mut taken, mut refused) = (0, 0);
        for file in files(&root().join("corpus").join(name)) {
            let bytes = fs::read(&file).unwrap();
            match panic::catch_unwind(|| target(&bytes)) {
                Ok(true) => taken += 1,
                Ok(false) => refused += 1,
                Err(_) => failed.push(file),
            }
        }
        assert!(taken > 0 && refused > 0, "{name}: {taken} files taken, {refused} refused");
    }
    assert_eq!(failed, Vec::<PathBuf>::new());
}

/// What is sealed by the program of today, so that a change of it is met here and not by whoever fuzzes.
#[test]
fn the_corpus_of_sealed_states_is_read_as_it_is_sealed_today() {
    let (_, state) = TARGETS.iter().find(|(name, _)| *name == "state").unwrap();
    let corpus = root().join("corpus/state");
    for (file, is_taken) in [
        ("attempt-cookie", true),
        ("attempt-inline", true),
        ("attempt-short", false),
        ("binding", false),
        ("binding-cut-short", false),
        ("binding-of-a-loop", true),
        ("session-bearer", true),
        ("session-cut-short", false),
        ("session-long-ago", false),
        ("session-nothing", true),
        ("session-of-a-key", true),
        ("session-of-a-provider", true),
        ("session-refresh-lost", true),
        ("session-refreshed", true),
    ] {
        assert_eq!(state(&fs::read(corpus.join(file)).unwrap()), is_taken, "{file}");
    }
}

#[test]
fn every_target_has_a_program_a_corpus_and_its_place_in_the_manifest() {
    let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let stems = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(root().join(folder)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    };
    assert_eq!(stems("fuzz_targets"), names);
    assert_eq!(stems("corpus"), names);
    let manifest: toml::Table =
        fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let programs = manifest["bin"].as_array().unwrap().iter();
    let programs = programs.map(|program| program["name"].as_str().unwrap().to_owned());
    assert_eq!(programs.collect::<BTreeSet<_>>(), names);
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
