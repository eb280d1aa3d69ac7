//! Why a tenant cannot be called now, and when to try again.

use crate::superid::{StateFailed, Unusable};

/// A tenant that cannot be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Away {
    pub reason: AwayReason,
    /// Seconds after which somebody may ask again, at least 1: for `Retry-After`.
    pub retry_after: u64,
}

impl Away {
    /// What is asked about is in no environment with a state API.
    pub fn nowhere() -> Self {
        Self { reason: AwayReason::NotConfigured, retry_after: 60 * 60 }
    }
}

/// Why a tenant cannot be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AwayReason {
    /// SuperOffice has deleted it, or is about to.
    Deleted,
    /// It is being looked after, and back soon.
    Maintenance,
    /// It is on its way into another environment: days or weeks.
    Migrating,
    /// The environment has no state API.
    NotConfigured,
    /// It does not run, for a reason SuperOffice does not give.
    NotRunning,
    /// SuperID could not be asked, and nothing is known from before.
    Outage,
    /// It is being set up.
    Provisioning,
    /// SuperOffice has suspended it.
    Suspended,
    /// SuperOffice knows no such tenant.
    Unknown,
    /// What SuperID answered is about another tenant, or leads where this environment may not.
    Untrusted,
}

impl AwayReason {
    /// One word for logs, metrics and answers.
    pub fn word(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Maintenance => "maintenance",
            Self::Migrating => "migrating",
            Self::NotConfigured => "not_configured",
            Self::NotRunning => "not_running",
            Self::Outage => "outage",
            Self::Provisioning => "provisioning",
            Self::Suspended => "suspended",
            Self::Unknown => "unknown",
            Self::Untrusted => "untrusted",
        }
    }
}

impl From<Unusable> for AwayReason {
    fn from(why: Unusable) -> Self {
        match why {
            Unusable::Deleted => Self::Deleted,
            Unusable::Maintenance => Self::Maintenance,
            Unusable::Migrating => Self::Migrating,
            Unusable::Other => Self::NotRunning,
            Unusable::Provisioning => Self::Provisioning,
            Unusable::Suspended => Self::Suspended,
            Unusable::Unknown => Self::Unknown,
        }
    }
}

impl From<&StateFailed> for AwayReason {
    fn from(failed: &StateFailed) -> Self {
        match failed {
            StateFailed::NotConfigured => Self::NotConfigured,
            StateFailed::Outage(_) => Self::Outage,
            StateFailed::OtherTenant | StateFailed::Unbelieved => Self::Untrusted,
        }
    }
}
