//! Whether a request ended as it should, with the servers there were.

use std::time::{Duration, Instant};

use crate::World;
use crate::fates::Fate;
use crate::load::{Asking, Method};
use crate::mode::Pool;

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Short,
    Kept,
    Http2,
}

/// What a client saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saw {
    /// No head of an answer.
    Nothing,
    /// A head, and not all of the body.
    Cut,
    /// All of an answer, a server's or ours.
    Whole { status: u16, server: Option<usize>, length: usize },
}

/// What that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Answered,
    /// A server's own 500 or 503: the app's answer.
    AnsweredIll,
    /// Ours, where none was well for all of the time.
    NoneWell,
    /// A POST that a server took before it died: nobody knows what it has done (RFC 9110 §9.2.2).
    NotSafe,
    /// A POST that was written to a connection while its server closed it: the gateway cannot know
    /// that nobody read it.
    NotRead,
    /// The client had a part of the answer when its server died.
    HadBegun,
    /// The same, and what there was of it still waited with the gateway: a client of HTTP/1.1 saw its
    /// connection closed.
    HadBegunUnseen,
    /// It should not be.
    Failed,
}

/// What a request came to.
pub fn verdict(asking: &Asking, saw: Saw, pool: &Pool, fate: Option<Fate>) -> Verdict {
    let (from, to) = (asking.since, Instant::now());
    match saw {
        Saw::Whole { status: 200, server: Some(_), length } => {
            match length as u64 == asking.number % 97 * 200 {
                true => Verdict::Answered,
                false => Verdict::Failed,
            }
        }
        Saw::Whole { status: 500 | 503, server: Some(_), .. } => Verdict::AnsweredIll,
        // Whatever else is there, an answer that began at a server that died cannot be taken back.
        Saw::Cut => match fate >= Some(Fate::Begun) && pool.had_one_ill(from, to) {
            true => Verdict::HadBegun,
            false => Verdict::Failed,
        },
        Saw::Whole { status: 502..=504, server: None, .. } => {
            if !pool.had_one_well(from, to) {
                return Verdict::NoneWell;
            }
            match (asking.method, fate) {
                (Method::Post, Some(_)) if pool.had_one_ill(from, to) => Verdict::NotSafe,
                (Method::Post, None) if pool.had_one_turning(from, to) => Verdict::NotRead,
                _ => Verdict::Failed,
            }
        }
        Saw::Nothing if fate == Some(Fate::Stalled) && asking.kind != Kind::Http2 => {
            Verdict::HadBegunUnseen
        }
        Saw::Nothing | Saw::Whole { .. } => Verdict::Failed,
    }
}

impl World {
    pub fn judge(&self, asking: Asking, saw: Saw) {
        let pool = self.pool(asking.pool);
        let fate = self.fates.take(asking.number);
        let verdict = verdict(&asking, saw, pool, fate);
        let took = asking.since.elapsed();
        if verdict == Verdict::Failed {
            println!(
                "failed: {} to {:?} by {:?}, {saw:?} after {} ms, at the servers {fate:?}; milliseconds since: {:?}",
                asking.method.as_str(),
                asking.pool,
                asking.kind,
                took.as_millis(),
                pool.servers.iter().map(crate::mode::Server::since).collect::<Vec<_>>(),
            );
        }
        self.counts.count(&asking, verdict, took);
    }
}

/// Longer than all tries of a request take together.
pub const PATIENCE: Duration = Duration::from_secs(12);
