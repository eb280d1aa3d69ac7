//! Holds the shape of the house: floors, circles, homes of dependencies, sizes and manners.
//!
//! Each rule is a function over a [`tree::Tree`], tried on small snippets beside it and applied to
//! `src/` here. A rule that fails names file and line and says what to do.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod circles;
mod floors;
mod homes;
mod instructions;
mod references;
mod shape;
mod tree;

use std::fmt::Display;
use std::sync::LazyLock;

use tree::Tree;

static SRC: LazyLock<Tree> = LazyLock::new(Tree::of_this_crate);

#[test]
fn imports_lead_downwards() {
    none(floors::imports_lead_downwards(&SRC, floors::FLOORS));
}

#[test]
fn every_module_has_a_floor_and_every_floor_its_modules() {
    none(floors::table_is_the_house(&SRC, floors::FLOORS));
}

#[test]
fn no_file_uses_one_that_uses_it() {
    none(circles::circles(&SRC));
}

#[test]
fn dependencies_are_named_only_at_home() {
    none(homes::named_only_at_home(&SRC, homes::HOMES));
}

#[test]
fn every_dependency_has_a_home_and_a_use() {
    let manifest = include_str!("../../Cargo.toml");
    none(homes::table_is_the_manifest(&SRC, manifest, homes::HOMES));
}

#[test]
fn every_file_is_compiled() {
    none(shape::orphans(&SRC));
}

#[test]
fn every_file_opens_with_its_sentence() {
    none(shape::without_their_sentence(&SRC));
}

#[test]
fn files_and_functions_stay_within_their_caps() {
    println!("{}", shape::measures(&SRC));
    none(shape::too_long(&SRC));
}

#[test]
fn folders_declare_and_leaves_hold() {
    none(shape::folders_that_hold(&SRC));
}

#[test]
fn no_module_has_an_empty_name() {
    none(shape::empty_names(&SRC));
}

#[test]
fn nothing_unwraps_outside_tests() {
    none(shape::unwraps(&SRC));
}

#[test]
fn nothing_is_promised_instead_of_done() {
    none(shape::promises(&SRC));
}

#[test]
fn every_property_test_goes_the_same_way_each_time() {
    for folder in ["src", "tests"] {
        let found = shape::left_to_chance(&Tree::under(folder));
        none(found.iter().map(|one| format!("{folder}/{}:{}", one.path, one.line)).collect());
    }
}

#[track_caller]
fn none<P: Display>(problems: Vec<P>) {
    let lines: Vec<_> = problems.iter().map(|problem| format!("\n  {problem}")).collect();
    assert!(lines.is_empty(), "{} to mend:{}\n", lines.len(), lines.concat());
}
