//! Four times as many clients as may be connected, each with a connection it would keep: what the
//! gateway still does, and whether everybody has a turn.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "it is run to be read")]

#[path = "../slow_clients/app.rs"]
mod app;
mod clients;
#[path = "../setting/mod.rs"]
mod setting;

use std::time::Duration;

use crate::clients::{Door, Tally, run};
use crate::setting::{Gateway, client_tls};

fn main() {
    let seconds = std::env::args().find_map(|text| text.parse().ok()).unwrap_or(30);
    let limits = format!("max_connections = {CAP}\nmax_connections_per_address = 100000\n");
    let gateway = Gateway::start(app::start(), &limits);
    let tls = client_tls(gateway.certificate(), &["http/1.1"]);
    let doors = [
        ("http", Door { address: gateway.plain, tls: None }),
        ("https", Door { address: gateway.tls, tls: Some(tls) }),
    ];
    let mut broken = Vec::new();
    for (name, door) in doors {
        let third = Duration::from_secs(seconds) / 3;
        let _warm = run(&door, CAP, Duration::from_secs(1));
        let full = run(&door, CAP, third);
        let crowded = run(&door, MANY, 2 * third);
        let again = run(&door, CAP, third);
        let each = |tally: Tally, time: Duration| tally.served as f64 / time.as_secs_f64();
        let peak = each(full, third).max(each(again, third));
        let share = each(crowded, 2 * third) / peak;
        println!("{name:<6}{CAP} clients, as many as may be: {peak:.0} requests/s");
        println!("      {MANY} clients: {:.0}, {:.1} %", each(crowded, 2 * third), 100.0 * share);
        println!("      {crowded:?}");
        if share < 0.8 {
            broken.push(format!("{name}: less than 80 % of the goodput is left"));
        }
        if crowded.starved > 0 {
            broken.push(format!("{name}: {} clients never had a turn", crowded.starved));
        }
        if crowded.lost > 0 {
            broken.push(format!("{name}: {} requests were lost", crowded.lost));
        }
    }
    let (memory, processor) = (gateway.resident(), gateway.processor());
    println!("the gateway has {memory} kB, and used its processor for {processor:.1} s");
    for name in
        ["connections_refused_total{limit=\"max_connections\"}", "connections_yielded_total"]
    {
        println!("{name} {}", gateway.metric(name));
    }
    match broken.is_empty() {
        true => println!("holds"),
        false => {
            println!("does not hold: {}", broken.join("; "));
            drop(gateway);
            std::process::exit(1);
        }
    }
}

/// `max_connections`.
const CAP: usize = 64;
const MANY: usize = 4 * CAP;
