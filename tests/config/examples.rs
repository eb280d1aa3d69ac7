//! Every file in `config/` loads as it stands, given the secrets it names.

use std::fs;
use std::path::Path;

use superid_gateway::config::{self, Loaded};

use crate::scratch::{Scratch, variables};

#[test]
fn every_example_loads() {
    let scratch = Scratch::with_secrets();
    let mut count = 0;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("config")).unwrap() {
        let path = entry.unwrap().path();
        load(&path, &scratch);
        count += 1;
    }
    assert!(count >= 6, "config/ holds {count} files");
}

#[test]
fn ten_lines_are_enough() {
    let text = fs::read_to_string(example("minimal.toml")).unwrap();
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    assert!(lines.count() <= 10);
}

#[test]
fn examples_warn_of_what_they_say_they_risk_and_of_nothing_else() {
    let scratch = Scratch::with_secrets();
    let warnings = |name| -> Vec<String> {
        load(&example(name), &scratch).warnings.into_iter().map(|warning| warning.key).collect()
    };
    assert_eq!(warnings("legacy.toml"), ["relying_party.panel.flow"]);
    assert_eq!(warnings("behind-a-proxy.toml"), ["admin.address"]);
    for quiet in [
        "minimal.toml",
        "adfs.toml",
        "google.toml",
        "entra.toml",
        "reference.toml",
        "several-tenants.toml",
        "emulator.toml",
        "background-jobs.toml",
        "grpc.toml",
        "forward-auth.toml",
    ] {
        assert!(warnings(quiet).is_empty(), "{quiet}");
    }
}

fn example(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)
}

fn load(path: &Path, scratch: &Scratch) -> Loaded {
    let text = fs::read_to_string(path).unwrap();
    let file = path.file_name().unwrap().to_str().unwrap();
    config::load_text(&text, file, scratch.folder(), &variables)
        .unwrap_or_else(|problems| panic!("{problems}"))
}
