//! What came of it, and what had to.

use std::fmt;
use std::time::Duration;

use crate::clients::Outcome;
use crate::{AT_ONCE, SERVICE};

pub struct Figures {
    served: Vec<Duration>,
    shed: Vec<Duration>,
    /// Neither 200 nor 503.
    lost: usize,
    checks: Vec<Duration>,
    peak: usize,
    duration: Duration,
}

impl Figures {
    pub fn new(
        outcomes: &[Outcome],
        mut checks: Vec<Duration>,
        peak: usize,
        duration: Duration,
    ) -> Self {
        let with = |status: u16| {
            let some = outcomes.iter().filter(|outcome| outcome.status == status);
            let mut took: Vec<Duration> = some.map(|outcome| outcome.took).collect();
            took.sort_unstable();
            took
        };
        let (served, shed) = (with(200), with(503));
        let lost = outcomes.len() - served.len() - shed.len();
        checks.sort_unstable();
        Self { served, shed, lost, checks, peak, duration }
    }

    /// What does not hold.
    pub fn broken(&self) -> Vec<&'static str> {
        [
            (self.share() < 0.8, "less than 80 % of the capacity was served"),
            (at(&self.shed, 99) >= Duration::from_millis(50), "p99 of 503 is not under 50 ms"),
            (at(&self.checks, 99) > Duration::from_millis(10), "a health check took over 10 ms"),
            (self.peak > AT_ONCE, "the app had more than it can do"),
            (self.lost > 0, "requests were answered otherwise, or not at all"),
        ]
        .into_iter()
        .filter_map(|(broken, what)| broken.then_some(what))
        .collect()
    }

    fn share(&self) -> f64 {
        let capacity = AT_ONCE as f64 / SERVICE.as_secs_f64() * self.duration.as_secs_f64();
        self.served.len() as f64 / capacity
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offered = self.served.len() + self.shed.len() + self.lost;
        let seconds = self.duration.as_secs_f64();
        writeln!(out, "offered   {offered} in {seconds} s")?;
        let line = |out: &mut fmt::Formatter<'_>, name, took: &[Duration]| {
            let of = |hundredth| at(took, hundredth);
            let (half, most, last) = (of(50), of(99), of(100));
            writeln!(out, "{name}{:>8}  p50 {half:.1?}, p99 {most:.1?}, max {last:.1?}", took.len())
        };
        line(out, "served    ", &self.served)?;
        writeln!(out, "          {:.1} % of the capacity", 100.0 * self.share())?;
        line(out, "503       ", &self.shed)?;
        line(out, "health    ", &self.checks)?;
        writeln!(out, "otherwise {:>8}", self.lost)?;
        write!(out, "the app had {} at once, at most", self.peak)
    }
}

fn at(sorted: &[Duration], hundredth: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get((sorted.len() * hundredth / 100).min(last)).copied().unwrap_or_default()
}
