//! What a metric is: its name, kind, unit, labels, and the sentence that explains it.

/// One metric. Every one there is stands in `catalogue.rs`.
#[derive(Debug, PartialEq, Eq)]
pub struct Family {
    /// Without what its kind appends: `_total`, `_bucket`, `_info`.
    pub name: &'static str,
    pub kind: Kind,
    pub labels: &'static [&'static str],
    /// One sentence, without quotes, backslashes and line breaks.
    pub help: &'static str,
}

/// What its values do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// They go up, until the process ends.
    Counter,
    /// They stand where they stand.
    Gauge,
    /// Times, counted by how long they were: the upper bounds in microseconds, ascending.
    Histogram(&'static [u64]),
    /// Its labels say it all; the value is 1.
    Info,
}

impl Family {
    /// The name as it stands in documentation, rules and dashboards; of a histogram the name its
    /// `_bucket`, `_sum` and `_count` begin with.
    pub fn full_name(&self) -> String {
        match self.kind {
            Kind::Counter => format!("{}_total", self.name),
            Kind::Info => format!("{}_info", self.name),
            Kind::Gauge | Kind::Histogram(_) => self.name.to_owned(),
        }
    }

    /// The unit its name ends with, as OpenMetrics wants it said; none where things are counted.
    pub fn unit(&self) -> Option<&'static str> {
        UNITS
            .into_iter()
            .find(|unit| self.name.strip_suffix(unit).is_some_and(|before| before.ends_with('_')))
    }
}

/// Base units alone (Prometheus' own advice on names).
const UNITS: [&str; 3] = ["seconds", "bytes", "ratio"];
