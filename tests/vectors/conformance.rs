//! Every module of the OpenID Foundation's tests of relying parties is a test here, or stands in the
//! table of those that are not, with why.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::published;

#[test]
fn every_module_is_a_test_or_stands_in_the_table_and_never_both() {
    let Some(folder) = published::folder() else { return };
    let names = published::json(&folder.join("attacks/oidc-rp-modules.json"));
    let known: BTreeSet<String> = names["all_modules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap().to_owned())
        .collect();
    assert!(known.len() > 50, "{}", known.len());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let tests: BTreeSet<String> = read("tests/gateway/conformance.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("async fn oidcc_")?.split('(').next())
        .map(|name| format!("oidcc-{}", name.replace('_', "-")))
        .collect();
    let table: BTreeSet<String> = read("docs/conformance.md")
        .lines()
        .filter_map(|line| {
            let (name, why) = line.strip_prefix("| `")?.split_once("` | ")?;
            assert!(why.len() > 15, "{name} says why");
            Some(name.to_owned())
        })
        .collect();
    let both: Vec<_> = tests.intersection(&table).collect();
    assert!(both.is_empty(), "a test and in the table: {both:?}");
    let told: BTreeSet<String> = tests.union(&table).cloned().collect();
    let missing: Vec<_> = known.difference(&told).collect();
    let unknown: Vec<_> = told.difference(&known).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "missing {missing:?}, unknown {unknown:?}");
}
