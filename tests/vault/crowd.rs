//! Processes that write to one vault, killed, side by side, and one after another.

use std::collections::BTreeMap;
use std::time::Duration;

use superid_gateway::vault::Vault;

use crate::crashes::Crashes;
use crate::world::{Folder, key, token, wait};
use crate::writer::{Kept, Orders, Writer, write_if_asked};

/// What leads a test program to the writing process.
pub const ARGUMENTS: &[&str] =
    &["--exact", "crowd::this_is_the_writing_process_when_it_is_started_as_one", "--nocapture"];

#[test]
fn this_is_the_writing_process_when_it_is_started_as_one() {
    write_if_asked();
}

#[test]
fn no_acknowledged_write_is_lost_when_its_process_is_killed() {
    let mut crashes = Crashes::new(ARGUMENTS);
    for _ in 0..50 {
        crashes.round();
    }
    println!("{crashes}");
    assert_eq!((crashes.lost, crashes.unreadable), (0, 0));
    assert!(crashes.acknowledged > 500);
    assert!(crashes.slowest_start < Duration::from_secs(1), "{crashes}");
}

#[test]
fn several_processes_write_at_once_and_all_of_it_is_there() {
    let folder = Folder::new();
    let start = |first| {
        let orders = Orders { first, version: 1, writes: 60 };
        Writer::start(ARGUMENTS, &folder.file(), orders)
    };
    // The first two write to the same tenants.
    let writers = [0, 0, 100, 200].map(start);
    let kept = writers.each_ref().map(|writer| all(writer.rest()));
    assert_eq!(kept.each_ref().map(Vec::len), [60; 4]);
    assert_eq!(wait(folder.vault().verify()).unwrap().entries, 30);
    assert_at_least(&folder.vault(), &kept.concat());
}

#[test]
fn twenty_processes_take_over_from_each_other_while_the_vault_is_written() {
    let folder = Folder::new();
    let mut kept = Vec::new();
    let mut before: Option<Writer> = None;
    for generation in 1..=20 {
        let orders = Orders { first: generation * 10, version: 1, writes: 1_000 };
        let writer = Writer::start(ARGUMENTS, &folder.file(), orders);
        // Both write for a while, as during an upgrade.
        let first: Vec<Kept> = (0..5).map(|_| writer.next().unwrap().unwrap()).collect();
        if let Some(mut old) = before.replace(writer) {
            old.stop();
            kept.extend(all(old.rest()));
        }
        kept.extend(first);
    }
    let mut last = before.unwrap();
    last.stop();
    kept.extend(all(last.rest()));
    println!("20 processes: {} writes acknowledged", kept.len());
    let vault = folder.vault();
    assert_eq!(wait(vault.verify()).unwrap().faults, []);
    assert_at_least(&vault, &kept);
}

fn all(words: Vec<Result<Kept, String>>) -> Vec<Kept> {
    words.into_iter().map(|word| word.unwrap()).collect()
}

/// A write that was not heard of any more may have happened too.
fn assert_at_least(vault: &Vault, kept: &[Kept]) {
    let mut last = BTreeMap::new();
    for Kept { tenant, version } in kept {
        let latest = last.entry(*tenant).or_insert(0);
        *latest = (*version).max(*latest);
    }
    for (tenant, version) in last {
        let found = token(wait(vault.get(&key(tenant))).unwrap());
        let kept: u32 = found.rsplit('-').next().unwrap().parse().unwrap();
        assert!(kept >= version, "{tenant}: {version} was acknowledged, {found} is there");
    }
}
