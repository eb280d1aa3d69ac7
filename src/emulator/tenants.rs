//! The tenants as a test or a script turns them: state, home, tickets, consent, planned answers.

use std::sync::Arc;
use std::time::Duration;

use super::consents::Word;
use super::state::TenantState;
use super::tenancy::Situation;
use super::world::World;

/// A hold on every tenant of an emulator. Context identifiers are compared without case.
#[derive(Clone)]
pub struct Tenants {
    world: Arc<World>,
}

/// Nobody here has that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unheard;

impl std::fmt::Display for Unheard {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("there is no such tenant, app or host")
    }
}

impl std::error::Error for Unheard {}

impl Tenants {
    pub(super) fn new(world: Arc<World>) -> Self {
        Self { world }
    }

    /// Sets what the state API says and whether the web API answers.
    pub fn set_state(&self, ctx: &str, state: TenantState) -> Result<(), Unheard> {
        self.change(ctx, |at| at.state = state)
    }

    pub fn state(&self, ctx: &str) -> Option<TenantState> {
        Some(self.world.tenancies.find(ctx)?.situation().state)
    }

    /// Moves a tenant to the host with this number in [`super::Emulator::hosts`]. At its former
    /// ones it answers 421, and a caller who still comes there does no wrong.
    pub fn move_tenant(&self, ctx: &str, host: usize) -> Result<(), Unheard> {
        self.world.hosts.get(host).ok_or(Unheard)?;
        self.change(ctx, |at| at.move_to(host))
    }

    /// Where a tenant lives: `http://127.0.0.1:PORT/Cust12345`, without a slash at the end.
    pub fn root(&self, ctx: &str) -> Option<String> {
        Some(self.world.tenancies.find(ctx)?.root(&self.world.hosts))
    }

    /// How long each answer of the state API is good from when it is given; 15 minutes at first.
    pub fn set_valid_for(&self, ctx: &str, valid_for: Duration) -> Result<(), Unheard> {
        self.change(ctx, |at| at.valid_for = valid_for)
    }

    /// Beginnings of paths below the tenant's root, such as `/api/v1/Preference`, that answer 403.
    pub fn deny(&self, ctx: &str, beginnings: &[&str]) -> Result<(), Unheard> {
        self.change(ctx, |at| at.denied = beginnings.iter().map(ToString::to_string).collect())
    }

    /// Answers the next `times` calls with `status`, after what was planned before; no times at
    /// all takes every plan back. 421 and 401 have the bodies they have otherwise.
    pub fn answer_next(&self, ctx: &str, status: u16, times: u64) -> Result<(), Unheard> {
        self.change(ctx, |at| at.plan(status, times))
    }

    /// How many calls of its web API had a good credential and were answered.
    pub fn calls(&self, ctx: &str) -> u64 {
        self.world.tenancies.find(ctx).map_or(0, |tenancy| tenancy.calls())
    }

    /// Ends every ticket of a tenant, people's as well, as a restored backup does. Returns how
    /// many there were.
    pub fn kill_tickets(&self, ctx: &str) -> usize {
        self.world.grants.tickets.forget_where(|pass| pass.is_for(ctx))
    }

    /// The system token of an app in a tenant, as an administrator's sign-in would bring it now.
    /// `None` where app or tenant are unknown, or consent does not live.
    pub fn system_token(&self, client_id: &str, ctx: &str) -> Option<String> {
        let (app, tenant) = (self.world.apps.find(client_id)?, self.world.seed.tenant(ctx)?);
        let consents = &self.world.consents;
        consents.given(&app, &tenant.ctx).then(|| consents.system_token(&app, &tenant.ctx))
    }

    /// Withdraws a tenant's consent: the system token is refused as revoked, and tickets and
    /// tokens of the app in the tenant end.
    pub fn revoke_consent(&self, client_id: &str, ctx: &str) -> Result<(), Unheard> {
        let ctx = self.known(client_id, ctx)?;
        self.world.consents.set(client_id, &ctx, Word::Withdrawn);
        self.world.grants.end(client_id, &ctx);
        Ok(())
    }

    /// Undoes a withdrawal: the old system token is good again, the old tickets are not. An
    /// administrator who consents anew gets a new one instead.
    pub fn restore_consent(&self, client_id: &str, ctx: &str) -> Result<(), Unheard> {
        let ctx = self.known(client_id, ctx)?;
        self.world.consents.set(client_id, &ctx, Word::Given);
        Ok(())
    }

    /// The app wants more than was approved: until an administrator approves anew nobody of the
    /// tenant gets in, and the system token is refused.
    pub fn require_reapproval(&self, client_id: &str, ctx: &str) -> Result<(), Unheard> {
        let ctx = self.known(client_id, ctx)?;
        self.world.consents.set(client_id, &ctx, Word::NeedsReapproval);
        Ok(())
    }

    /// Says no for good, as SuperOffice's operations may.
    pub fn deny_consent(&self, client_id: &str, ctx: &str) -> Result<(), Unheard> {
        let ctx = self.known(client_id, ctx)?;
        self.world.consents.set(client_id, &ctx, Word::Denied);
        Ok(())
    }

    fn known(&self, client_id: &str, ctx: &str) -> Result<String, Unheard> {
        self.world.apps.find(client_id).ok_or(Unheard)?;
        self.world.seed.tenant(ctx).map(|tenant| tenant.ctx.clone()).ok_or(Unheard)
    }

    fn change(&self, ctx: &str, change: impl FnOnce(&mut Situation)) -> Result<(), Unheard> {
        let tenancy = self.world.tenancies.find(ctx).ok_or(Unheard)?;
        change(&mut tenancy.situation());
        Ok(())
    }
}
