//! Kills processes that write to a vault, a thousand times: no write they acknowledged may be lost.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "it is run to be read")]

#[path = "../../vault/crashes.rs"]
mod crashes;
#[path = "../../vault/world.rs"]
#[allow(dead_code, reason = "the short tests need more of it")]
mod world;
#[path = "../../vault/writer.rs"]
#[allow(dead_code, reason = "the short tests need more of it")]
mod writer;

use std::time::Duration;

use crate::crashes::Crashes;
use crate::world::{entry, wait};

fn main() {
    writer::write_if_asked();
    let rounds = match std::env::args().any(|text| text == "short") {
        true => 20,
        false => 1_000,
    };
    let mut crashes = Crashes::new(&[]);
    // Nobody writes to these: a vault is not empty when it is opened.
    let others: Vec<_> = (0..ENTRIES).map(|number| entry(100_000 + number, 1)).collect();
    wait(crashes.folder.vault().put_all(&others)).unwrap();
    for round in 1..=rounds {
        crashes.round();
        if round % 50 == 0 {
            println!("{crashes}");
        }
    }
    println!("beside {ENTRIES} entries: {crashes}");
    let nothing_lost = (crashes.lost, crashes.unreadable) == (0, 0);
    match nothing_lost && crashes.slowest_start < Duration::from_secs(1) {
        true => println!("holds"),
        false => {
            println!("does not hold");
            std::process::exit(1);
        }
    }
}

/// More tenants than SuperOffice's largest partners have.
const ENTRIES: u32 = 5_000;
