//! What came of it, and what had to.

use std::fmt;
use std::time::Duration;

/// One body.
pub struct Transfer {
    pub way: String,
    pub direction: &'static str,
    pub bytes: usize,
    pub took: Duration,
    /// The gateway's memory before and at its peak, in kB.
    pub before: u64,
    pub peak: u64,
}

/// How long events took, from the app's hand to the client's.
pub struct Events {
    way: String,
    sorted: Vec<Duration>,
}

#[derive(Default)]
pub struct Figures {
    pub transfers: Vec<Transfer>,
    pub events: Vec<Events>,
}

impl Transfer {
    fn growth(&self) -> u64 {
        self.peak.saturating_sub(self.before)
    }
}

impl Events {
    pub fn new(way: String, latencies: Vec<Duration>) -> Self {
        let mut sorted = latencies;
        sorted.sort_unstable();
        Self { way, sorted }
    }

    fn at(&self, percent: usize) -> Duration {
        self.sorted[(self.sorted.len() * percent / 100).min(self.sorted.len() - 1)]
    }
}

impl Figures {
    /// What does not hold.
    pub fn broken(&self) -> Vec<String> {
        let grown = self.transfers.iter().filter(|one| one.growth() >= GROWTH);
        let late = self.events.iter().filter(|one| one.at(100) >= LATE);
        grown
            .map(|one| format!("{} {}: memory grew by {} kB", one.way, one.direction, one.growth()))
            .chain(late.map(|one| format!("{}: an event took {:?}", one.way, one.at(100))))
            .collect()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for one in &self.transfers {
            let megabytes = one.bytes >> 20;
            writeln!(
                out,
                "{:32} {:4} {megabytes:5} MiB in {:5.1} s ({:6.0} MiB/s), memory {:6} kB + {:5} kB",
                one.way,
                one.direction,
                one.took.as_secs_f64(),
                megabytes as f64 / one.took.as_secs_f64(),
                one.before,
                one.growth(),
            )?;
        }
        for one in &self.events {
            writeln!(
                out,
                "{:32} {:5} events: p50 {:?}, p99 {:?}, slowest {:?}",
                one.way,
                one.sorted.len(),
                one.at(50),
                one.at(99),
                one.at(100),
            )?;
        }
        Ok(())
    }
}

/// In kB.
const GROWTH: u64 = 8 << 10;
const LATE: Duration = Duration::from_millis(50);
