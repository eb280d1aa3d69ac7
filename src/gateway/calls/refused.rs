//! From why a tenant cannot be called to what the caller hears.

use crate::credentials::{BuyFailure, NoTicket};
use crate::tenants::{Away, AwayReason};

use super::super::respond::Refused;
use super::trouble::CallTrouble;

impl Refused {
    /// For a tenant that cannot be called now.
    pub(in crate::gateway) fn away(away: &Away) -> Self {
        let trouble = match away.reason {
            AwayReason::Deleted => CallTrouble::TenantDeleted,
            AwayReason::Maintenance
            | AwayReason::Migrating
            | AwayReason::NotRunning
            | AwayReason::Provisioning => CallTrouble::TenantMaintenance,
            AwayReason::NotConfigured => CallTrouble::SystemUserRefused,
            AwayReason::Outage | AwayReason::Untrusted => CallTrouble::SuperIdUnreachable,
            AwayReason::Suspended => CallTrouble::TenantSuspended,
            AwayReason::Unknown => CallTrouble::TenantUnknown,
        };
        let detail = format!("the tenant is away: {}", away.reason.word());
        Self::call(trouble, detail).retry_after(away.retry_after)
    }

    /// For a ticket that cannot be had.
    pub(in crate::gateway) fn no_ticket(none: &NoTicket) -> Self {
        let trouble = match none {
            NoTicket::Failed { kind, .. } => of_failure(*kind),
            NoTicket::Stopped => CallTrouble::SuperIdUnreachable,
            NoTicket::TooManyExchanges { .. } | NoTicket::TooManyTenants { .. } => {
                CallTrouble::TooManyExchanges
            }
        };
        Self::call(trouble, none.to_string()).retry_after(none.retry_after())
    }
}

fn of_failure(kind: BuyFailure) -> CallTrouble {
    match kind {
        BuyFailure::BadSignature
        | BuyFailure::BadTime
        | BuyFailure::NotConfigured
        | BuyFailure::Refused
        | BuyFailure::Untrusted => CallTrouble::SystemUserRefused,
        BuyFailure::NotInstalled => CallTrouble::NotInstalled,
        BuyFailure::Outage | BuyFailure::Unreachable => CallTrouble::SuperIdUnreachable,
        BuyFailure::Revoked => CallTrouble::ConsentRevoked,
        BuyFailure::UnknownTenant => CallTrouble::TenantUnknown,
        BuyFailure::VaultFailed => CallTrouble::VaultUnavailable,
    }
}
