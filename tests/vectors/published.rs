//! Where the published vectors are; without them a test says that it was skipped.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use superid_gateway::superid::{KeySet, KeySetRefused};

/// The folder of vectors: `SUPERID_VECTORS`, or `shared/vectors` beside the project. Where it is
/// missing the test is skipped, aloud; with `CI=true` it fails.
pub fn folder() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    let folder = std::env::var_os("SUPERID_VECTORS").map_or_else(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    let must = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!must, "no published vectors at {}", folder.display());
    // Not println!, which the test harness swallows.
    let test = std::thread::current();
    let name = test.name().unwrap_or("a test").to_owned();
    let place = folder.display();
    let _said = writeln!(std::io::stderr(), "SKIPPED {name}: no published vectors at {place}");
    None
}

pub fn text(path: &Path) -> String {
    let read = std::fs::read_to_string(path);
    read.unwrap_or_else(|error| panic!("{}: {error}", path.display())).trim().to_owned()
}

pub fn json(path: &Path) -> Value {
    serde_json::from_str(&text(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A key set of these keys.
pub fn key_set(keys: &[Value]) -> Result<KeySet, KeySetRefused> {
    KeySet::parse(json!({"keys": keys}).to_string().as_bytes())
}
