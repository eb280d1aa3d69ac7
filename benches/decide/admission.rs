//! The admission step alone, so many times and nothing else, for callgrind to count.

use std::hint::black_box;

use superid_gateway::config::Settings;
use superid_gateway::gateway::Wire;
use superid_gateway::server::{HeadScan, Terms};
use superid_gateway::web::{Inbound, Spoofable};

use crate::setting;

/// A part of the step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Spoofable headers looked for, and an `Inbound` made of what pingora parsed.
    Inbound,
    /// The guard's reading of the raw header.
    Scan,
}

/// What the command line asks for: parts, and how often.
pub fn asked() -> Option<(Vec<Part>, u32)> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let parts = match arguments.first()?.as_str() {
        "admission" => vec![Part::Scan, Part::Inbound],
        "inbound" => vec![Part::Inbound],
        "scan" => vec![Part::Scan],
        _ => return None,
    };
    Some((parts, arguments.get(1)?.parse().ok()?))
}

/// Takes these parts of the step, `times` times, on the request of all benches.
pub fn run(settings: &Settings, parts: &[Part], times: u32) {
    let terms = Terms::of(&settings.limits);
    let bytes = setting::request();
    let (mut head, bounds) = (crate::head(), crate::bounds(settings));
    let spoofable = Spoofable::new(&[]);
    for _ in 0..times {
        if parts.contains(&Part::Scan) {
            let scanned = HeadScan::new(black_box(&terms)).advance(black_box(&bytes));
            assert!(black_box(scanned).is_ok_and(|head| head.is_some()));
        }
        if parts.contains(&Part::Inbound) {
            let proof = spoofable.clean(&mut Wire(black_box(&mut head)));
            let raw = setting::TARGET.as_bytes();
            assert!(black_box(Inbound::admit(&head, raw, bounds, proof)).is_ok());
        }
    }
}
