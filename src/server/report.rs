//! How the latest change of the running gateway went, for whoever asked for it.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

/// The latest change; cheap to clone, and every clone shows the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Report(Arc<Mutex<Latest>>);

#[derive(Clone, Debug, Default, Serialize)]
struct Latest {
    /// Counts changes, so that a new one can be told from the one before.
    number: u64,
    outcome: Changed,
    reasons: Vec<String>,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// That a new configuration is in force.
    Configuration,
    /// That a new process takes over.
    Upgrade,
}

impl Wanted {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Upgrade => "upgrade",
        }
    }
}

/// What became of a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Changed {
    /// There was none yet.
    #[default]
    Never,
    /// Everything is as before.
    Refused,
    Taken,
}

impl Report {
    pub(super) fn write(&self, outcome: Changed, reasons: Vec<String>) {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = latest.number + 1;
        *latest = Latest { number, outcome, reasons };
    }

    /// As JSON, with the process it is about.
    pub(super) fn json(&self) -> String {
        let latest = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let body = serde_json::json!({
            "process": std::process::id(),
            "number": latest.number,
            "outcome": latest.outcome,
            "reasons": latest.reasons,
        });
        body.to_string()
    }
}
