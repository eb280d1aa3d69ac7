//! Whoever can buy a ticket, and the ways it fails.

use std::fmt;
use std::pin::Pin;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::identity::{TenantKey, Ticket};

/// Buys tickets: looks the system user token up, signs it and asks SuperID.
pub trait TicketSource: Send + Sync {
    /// Makes at most one exchange with SuperID. A source bounds its own time; after a minute it is
    /// given up.
    fn buy<'a>(
        &'a self,
        key: &'a TenantKey,
    ) -> Pin<Box<dyn Future<Output = Result<Bought, BuyFailed>> + Send + 'a>>;
}

/// A ticket as SuperID gave it.
#[derive(Clone, Debug)]
pub struct Bought {
    pub ticket: Ticket,
    /// When SuperID was asked.
    pub bought: Timestamp,
}

/// Why there is no ticket: a word to act by, and a sentence for the log. Neither holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {detail}")]
pub struct BuyFailed {
    pub kind: BuyFailure,
    pub detail: String,
}

/// At which step buying failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BuyFailure {
    /// SuperID does not take our signature (`superid.md` §5).
    BadSignature,
    /// SuperID does not take the time in the signed token: one of the two clocks is off.
    BadTime,
    /// The relying party has no system user.
    NotConfigured,
    /// Nobody has installed the app for this tenant: the vault has no entry.
    NotInstalled,
    /// SuperID was asked and gave no usable answer in time: an exchange may have taken place.
    Outage,
    /// SuperID refuses for another reason.
    Refused,
    /// The consent was taken back.
    Revoked,
    /// Nothing was sent: no connection to SuperID came about.
    Unreachable,
    /// SuperID does not know the tenant.
    UnknownTenant,
    /// The answer was not SuperID's, or not about this tenant.
    Untrusted,
    /// The vault could not be read.
    VaultFailed,
}

impl BuyFailure {
    /// What metrics, logs and JSON call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::BadSignature => "bad_signature",
            Self::BadTime => "bad_time",
            Self::NotConfigured => "not_configured",
            Self::NotInstalled => "not_installed",
            Self::Outage => "outage",
            Self::Refused => "refused",
            Self::Revoked => "revoked",
            Self::Unreachable => "unreachable",
            Self::UnknownTenant => "unknown_tenant",
            Self::Untrusted => "untrusted",
            Self::VaultFailed => "vault_failed",
        }
    }

    /// Whether a ticket that still lives serves nobody any more: the tenant or we ourselves took back
    /// what it was bought with. Any other failure leaves it its life.
    pub fn ends_tickets(self) -> bool {
        matches!(self, Self::NotConfigured | Self::NotInstalled | Self::Revoked)
    }

    /// Whether SuperID may have made a ticket before this went wrong. Such an attempt counts as
    /// one of the four an hour; when in doubt it does.
    pub fn may_have_exchanged(self) -> bool {
        match self {
            Self::NotConfigured | Self::NotInstalled | Self::Unreachable | Self::VaultFailed => {
                false
            }
            Self::BadSignature
            | Self::BadTime
            | Self::Outage
            | Self::Refused
            | Self::Revoked
            | Self::UnknownTenant
            | Self::Untrusted => true,
        }
    }
}

impl fmt::Display for BuyFailure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}
