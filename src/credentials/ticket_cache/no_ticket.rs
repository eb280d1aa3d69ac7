//! What a caller is told when there is no ticket.

use std::sync::Arc;

use super::source::BuyFailure;

/// Why there is no ticket, and after how many seconds asking again makes sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTicket {
    /// Buying failed, just now or within its back-off.
    #[error("no ticket: {kind}: {detail}")]
    Failed { kind: BuyFailure, detail: Arc<str>, retry_after: u64 },
    /// Whoever was buying was stopped, several times over.
    #[error("no ticket: whoever asked SuperID was stopped")]
    Stopped,
    /// The key has had its four exchanges within the last hour.
    #[error("no ticket: this tenant has had all its exchanges of this hour")]
    TooManyExchanges { retry_after: u64 },
    /// Every place is taken by a tenant that needs it.
    #[error("no ticket: there is no room for one more tenant")]
    TooManyTenants { retry_after: u64 },
}

impl NoTicket {
    /// Seconds, at least one.
    pub fn retry_after(&self) -> u64 {
        match self {
            Self::Failed { retry_after, .. }
            | Self::TooManyExchanges { retry_after }
            | Self::TooManyTenants { retry_after } => (*retry_after).max(1),
            Self::Stopped => 1,
        }
    }

    /// What metrics, logs and JSON call it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Failed { kind, .. } => kind.name(),
            Self::Stopped => "stopped",
            Self::TooManyExchanges { .. } => "too_many_exchanges",
            Self::TooManyTenants { .. } => "too_many_tenants",
        }
    }
}
