//! From why a tenant cannot be called to what the caller hears.

use crate::credentials::NoTicket;
use crate::tenants::Away;

use super::super::respond::Refused;
use super::trouble::CallTrouble;

impl Refused {
    /// For a tenant that cannot be called now.
    pub(in crate::gateway) fn away(away: &Away) -> Self {
        let refused = Self::call(CallTrouble::TenantMaintenance, "away");
        refused.retry_after(away.retry_after)
    }

    /// For a ticket that cannot be had.
    pub(in crate::gateway) fn no_ticket(_: &NoTicket) -> Self {
        Self::call(CallTrouble::NotInstalled, "no ticket")
    }
}
