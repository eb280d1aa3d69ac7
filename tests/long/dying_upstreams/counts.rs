//! What came of it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::judge::{Kind, Verdict};
use crate::load::{Asking, Method};

/// Requests by what they were and came to.
#[derive(Default)]
pub struct Counts(Mutex<Known>);

/// The same, when nothing more comes.
#[derive(Clone, Default)]
pub struct Known {
    /// By kind, then GET and POST.
    asked: [[u64; 2]; KINDS.len()],
    verdicts: [[u64; 2]; VERDICTS.len()],
    slowest: Duration,
}

impl Counts {
    pub fn count(&self, asking: &Asking, verdict: Verdict, took: Duration) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let method = asking.method as usize;
        known.asked[asking.kind as usize][method] += 1;
        known.verdicts[verdict as usize][method] += 1;
        if verdict == Verdict::Answered && asking.method == Method::Get {
            known.slowest = known.slowest.max(took);
        }
    }

    pub fn known(&self) -> Known {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Known {
    pub fn all(&self) -> u64 {
        self.asked.as_flattened().iter().sum()
    }

    pub fn of(&self, verdict: Verdict) -> u64 {
        self.verdicts[verdict as usize].iter().sum()
    }

    /// The slowest GET that was answered.
    pub fn slowest(&self) -> Duration {
        self.slowest
    }

    /// A line for each kind and each end.
    pub fn told(&self) -> String {
        let rows = KINDS.iter().map(|(_, name)| name).zip(&self.asked);
        let ends = VERDICTS.iter().map(|(_, name)| name).zip(&self.verdicts);
        let line = |(name, [get, post]): (&&str, &[u64; 2])| format!("{name:62}{get:8}{post:8}\n");
        let head = format!("{:62}{:>8}{:>8}\n", "", "GET", "POST");
        head + &rows.chain(ends).map(line).collect::<String>()
    }

    /// Whether each kind was asked both ways, and some of each end that has to be there.
    pub fn is_mixed(&self) -> bool {
        self.asked.as_flattened().iter().all(|count| *count > 0)
    }
}

const KINDS: [(Kind, &str); 3] = [
    (Kind::Short, "a connection for each"),
    (Kind::Kept, "kept connections"),
    (Kind::Http2, "HTTP/2"),
];
const VERDICTS: [(Verdict, &str); 8] = [
    (Verdict::Answered, "answered"),
    (Verdict::AnsweredIll, "answered with a server's own 500 or 503"),
    (Verdict::NoneWell, "failed, and no server was well"),
    (Verdict::NotSafe, "not safe to retry: a server had taken it"),
    (Verdict::NotRead, "not safe to retry: written as the connection was closed"),
    (Verdict::HadBegun, "cut, and said so: the answer had begun"),
    (Verdict::HadBegunUnseen, "closed: the answer had begun, none of it was passed on yet"),
    (Verdict::Failed, "FAILED WITH A SERVER THAT WAS WELL"),
];
