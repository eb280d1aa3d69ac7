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

use crate::crashes::Crashes;

fn main() {
    writer::write_if_asked();
    let rounds = match std::env::args().any(|text| text == "short") {
        true => 20,
        false => 1_000,
    };
    let mut crashes = Crashes::new(&[]);
    crashes.fill(ENTRIES);
    for round in 1..=rounds {
        crashes.round();
        if round % 50 == 0 {
            println!("{crashes}");
        }
    }
    println!("beside {ENTRIES} entries: {crashes}");
    match crashes.holds() {
        true => println!("holds"),
        false => {
            println!("does not hold");
            std::process::exit(1);
        }
    }
}

/// More tenants than SuperOffice's largest partners have.
const ENTRIES: u32 = 5_000;
