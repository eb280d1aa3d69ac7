//! Faults that can be switched on, to see how a caller bears them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::journal::Kind;
use super::keys::Keys;

/// One thing going wrong. As JSON `{"fault":"status","endpoint":"tokens","code":503}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// Moves the times in tokens by this many seconds, forward or back.
    ClockSkew { seconds: i64 },
    /// Closes the connection instead of answering.
    DropConnection { endpoint: Kind },
    /// Answers 200 with a body that is not what it says it is.
    Garbage { endpoint: Kind },
    /// Renews the signing key at once; it does not stay in the list.
    RotateKey,
    /// Waits this long before it answers, at most 30 seconds.
    Slow { endpoint: Kind, milliseconds: u64 },
    /// Answers with this HTTP status and nothing else.
    Status { endpoint: Kind, code: u16 },
    /// Signs tokens with a key that the key set does not list.
    WrongKey,
}

/// The longest wait of [`Fault::Slow`].
pub const SLOWEST: Duration = Duration::from_secs(30);

const MOST_FAULTS: usize = 50;

/// The faults in force. Over HTTP: `PUT /emulator/faults` with `{"faults":[…]}` replaces them.
pub struct Faults {
    keys: Arc<Keys>,
    active: Mutex<Vec<Fault>>,
}

/// What to do with a request before anything else.
pub(super) enum Interference {
    Drop,
    Garbage,
    Status(u16),
}

impl Faults {
    pub(super) fn new(keys: Arc<Keys>) -> Self {
        Self { keys, active: Mutex::new(Vec::new()) }
    }

    /// Switches a fault on.
    pub fn set(&self, fault: Fault) {
        if fault == Fault::RotateKey {
            self.keys.rotate();
            return;
        }
        let mut active = self.held();
        if active.len() < MOST_FAULTS && !active.contains(&fault) {
            active.push(fault);
        }
    }

    /// Waits `delay` before every answer of `endpoint`.
    pub fn slow(&self, endpoint: Kind, delay: Duration) {
        let milliseconds = delay.min(SLOWEST).as_millis() as u64;
        self.set(Fault::Slow { endpoint, milliseconds });
    }

    /// Switches every fault off.
    pub fn clear(&self) {
        self.held().clear();
    }

    /// The faults in force.
    pub fn active(&self) -> Vec<Fault> {
        self.held().clone()
    }

    pub(super) fn delay(&self, kind: Kind) -> Duration {
        let waits = self
            .held()
            .iter()
            .map(|fault| match fault {
                Fault::Slow { endpoint, milliseconds } if *endpoint == kind => *milliseconds,
                _ => 0,
            })
            .max();
        Duration::from_millis(waits.unwrap_or(0)).min(SLOWEST)
    }

    pub(super) fn interference(&self, kind: Kind) -> Option<Interference> {
        self.held().iter().find_map(|fault| match fault {
            Fault::DropConnection { endpoint } if *endpoint == kind => Some(Interference::Drop),
            Fault::Garbage { endpoint } if *endpoint == kind => Some(Interference::Garbage),
            Fault::Status { endpoint, code } if *endpoint == kind => {
                Some(Interference::Status(*code))
            }
            _ => None,
        })
    }

    /// Seconds to add to the times in tokens.
    pub(super) fn skew(&self) -> i64 {
        let skews = self
            .held()
            .iter()
            .map(|fault| match fault {
                Fault::ClockSkew { seconds } => *seconds,
                _ => 0,
            })
            .fold(0, i64::saturating_add);
        skews.clamp(-1_000_000_000, 1_000_000_000)
    }

    pub(super) fn signs_with_wrong_key(&self) -> bool {
        self.held().contains(&Fault::WrongKey)
    }

    fn held(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
