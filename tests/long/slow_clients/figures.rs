//! What came of it, and what had to.

use std::fmt;
use std::time::Duration;

use crate::crowd::End;
use crate::kinds::{Kind, Place};

/// The gateway's memory, in kB.
pub struct Memory {
    pub before: u64,
    pub peak: u64,
    pub after: u64,
}

/// What clients that behave saw.
pub struct Service {
    pub before: Vec<Duration>,
    pub meanwhile: Vec<Duration>,
    pub after: Vec<Duration>,
    pub lost: usize,
    /// Whether `meanwhile` is held against the others: a tenth of the clients is over too soon for
    /// what else the machine does to even out.
    pub judged: bool,
}

/// Many connections from one address.
pub struct OneAddress {
    pub offered: usize,
    pub held: usize,
    pub most: usize,
    pub others_served: bool,
}

pub struct Figures {
    pub rows: Vec<Row>,
    pub open_at_peak: usize,
    pub memory: Memory,
    pub service: Service,
    pub one_address: OneAddress,
    pub processor: f64,
    /// How often each limit was met, as metrics have it.
    pub met: [(&'static str, u64); 5],
}

pub struct Row {
    kind: Kind,
    count: usize,
    deadline: Duration,
    closed: Vec<Duration>,
}

impl Row {
    /// A row for each kind there is among them.
    pub fn of(ends: &[End], place: &Place) -> Vec<Self> {
        let row = |kind: Kind| {
            let some = ends.iter().filter(|end| end.kind == kind);
            let mut closed: Vec<Duration> = some.clone().filter_map(|end| end.after).collect();
            closed.sort_unstable();
            Self { kind, count: some.count(), deadline: kind.deadline(place), closed }
        };
        Kind::EVERY.into_iter().map(row).filter(|row| row.count > 0).collect()
    }

    fn holds(&self) -> bool {
        self.closed.len() == self.count && at(&self.closed, 100) <= self.deadline + LATE
    }
}

impl Figures {
    /// What does not hold.
    pub fn broken(&self) -> Vec<&'static str> {
        let Memory { before, peak, after } = self.memory;
        let service = &self.service;
        let quiet = at(&service.before, 99).max(at(&service.after, 99));
        let slow = service.judged && at(&service.meanwhile, 99) > 2 * quiet;
        let one = &self.one_address;
        [
            (!self.rows.iter().all(Row::holds), "not all were closed by their deadline"),
            (peak - before > 200_000, "memory grew by more than 200 MB"),
            (after.saturating_sub(before) > 50_000, "memory did not come back to within 50 MB"),
            (slow, "p99 of good requests is over twice the quiet one"),
            (service.lost > 0, "good requests were not served"),
            (one.held != one.most, "one address did not get exactly what it may have"),
            (!one.others_served, "others were not served beside a full address"),
        ]
        .into_iter()
        .filter_map(|(broken, what)| broken.then_some(what))
        .collect()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{:<24}{:>6}{:>7}{:>9}{:>9}  key", "", "many", "closed", "deadline", "last")?;
        for row in &self.rows {
            let (deadline, last) = (row.deadline.as_secs_f64(), at(&row.closed, 100).as_secs_f64());
            let (name, count, closed) = (row.kind.name(), row.count, row.closed.len());
            write!(out, "{name:<24}{count:>6}{closed:>7}{deadline:>7.1} s{last:>7.1} s")?;
            writeln!(out, "  {}", row.kind.key())?;
        }
        let Memory { before, peak, after } = self.memory;
        let (grown, open) = (peak - before, self.open_at_peak);
        writeln!(out, "memory    {before} kB before, {peak} at the peak, {after} afterwards")?;
        let each = grown as f64 / open.max(1) as f64;
        writeln!(out, "          +{grown} kB with {open} open: {each:.1} kB each")?;
        writeln!(out, "processor {:.1} s of the gateway's meanwhile", self.processor)?;
        let Service { before, meanwhile, after, .. } = &self.service;
        for (name, took) in [("before", before), ("meanwhile", meanwhile), ("after", after)] {
            let (half, most, last) = (at(took, 50), at(took, 99), at(took, 100));
            let count = took.len();
            writeln!(
                out,
                "{name:<10}{count} good, p50 {half:.2?}, p99 {most:.2?}, max {last:.1?}"
            )?;
        }
        writeln!(out, "not served {}", self.service.lost)?;
        let met = self.met.map(|(name, count)| format!("{name} {count}"));
        writeln!(out, "met       {}", met.join(", "))?;
        let one = &self.one_address;
        let others = if one.others_served { "served" } else { "not served" };
        let (held, offered, most) = (one.held, one.offered, one.most);
        write!(out, "one address holds {held} of {offered}, may {most}; another one is {others}")
    }
}

fn at(sorted: &[Duration], hundredth: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get((sorted.len() * hundredth / 100).min(last)).copied().unwrap_or_default()
}

/// What a busy machine and the looking take.
const LATE: Duration = Duration::from_millis(2_500);
