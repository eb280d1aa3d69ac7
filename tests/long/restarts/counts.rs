//! What came of it.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

#[derive(Default)]
pub struct Counts {
    /// Whether answers count now; what is lost always does.
    pub counts: AtomicBool,
    /// Whether clients are to come to an end.
    pub over: AtomicBool,
    answered: [AtomicU64; 7],
    lost: [AtomicU64; 5],
    connections: AtomicU64,
}

/// What a client does.
#[derive(Clone, Copy)]
pub enum Kind {
    Short,
    Kept,
    Post,
    Http2,
    Message,
    Download,
    /// A WebSocket that was closed with 1001, at the end of an old process.
    Closed,
}

/// How a request is lost.
#[derive(Clone, Copy, Debug)]
pub enum Loss {
    Refused,
    Reset,
    Unanswered,
    Cut,
    Otherwise,
}

impl Counts {
    pub fn answered(&self, kind: Kind) {
        if self.counts.load(Ordering::Relaxed) {
            self.answered[kind as usize].fetch_add(1, Ordering::Relaxed);
        }
    }

    pub fn lost(&self, loss: Loss, what: &str) {
        println!("lost: {loss:?}, {what}");
        self.lost[loss as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    pub fn told(&self, took: Duration) -> String {
        let of = |kind: Kind| self.answered[kind as usize].load(Ordering::Relaxed);
        let lost = |loss: Loss| self.lost[loss as usize].load(Ordering::Relaxed);
        format!(
            "{} requests, {:.0} a second, over {} connections\n\
             short {}, kept {}, post {}, http2 {}, websocket messages {}, downloads {}\n\
             websockets closed with 1001: {}\n\
             refused {}, reset {}, unanswered {}, cut {}, answered otherwise {}",
            self.requests(),
            self.rate(took),
            self.connections.load(Ordering::Relaxed),
            of(Kind::Short),
            of(Kind::Kept),
            of(Kind::Post),
            of(Kind::Http2),
            of(Kind::Message),
            of(Kind::Download),
            of(Kind::Closed),
            lost(Loss::Refused),
            lost(Loss::Reset),
            lost(Loss::Unanswered),
            lost(Loss::Cut),
            lost(Loss::Otherwise),
        )
    }

    /// What does not hold.
    pub fn broken(&self, took: Duration, least: f64) -> Vec<&'static str> {
        let lost: u64 = self.lost.iter().map(|count| count.load(Ordering::Relaxed)).sum();
        let idle = self.answered[..6].iter().any(|count| count.load(Ordering::Relaxed) == 0);
        [
            (lost > 0, "requests were lost"),
            (idle, "some clients did nothing"),
            (self.rate(took) < least, "there was less load than there should be"),
        ]
        .into_iter()
        .filter_map(|(broken, what)| broken.then_some(what))
        .collect()
    }

    fn rate(&self, took: Duration) -> f64 {
        self.requests() as f64 / took.as_secs_f64()
    }

    fn requests(&self) -> u64 {
        self.answered[..6].iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

impl Loss {
    /// By an error, before or after the answer had begun.
    pub fn of(error: &io::Error, begun: Begun) -> Self {
        match (error.kind(), begun) {
            (io::ErrorKind::ConnectionRefused, _) => Self::Refused,
            (io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe, _) => Self::Reset,
            (_, Begun::Not) => Self::Unanswered,
            (_, Begun::Yes) => Self::Cut,
        }
    }
}

/// Whether a byte of an answer has come.
#[derive(Clone, Copy)]
pub enum Begun {
    Not,
    Yes,
}
