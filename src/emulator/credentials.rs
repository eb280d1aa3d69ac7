//! Who calls a tenant's web API, and whether the credential may be there at all.

use std::sync::Arc;

use super::call::Call;
use super::grants::{Holder, Pass, TICKET_IDLE, tenant_named_in};
use super::violations::Offence;
use super::world::World;

/// The credentials of one call, from headers or from a SOAP header.
#[derive(Clone, Copy, Default)]
pub(super) struct Presented<'a> {
    pub(super) bearer: Option<&'a str>,
    pub(super) ticket: Option<&'a str>,
    pub(super) app_token: Option<&'a str>,
}

/// Why a call is not let in.
#[derive(Debug)]
pub(super) enum Refused {
    /// Missing, unknown, ended or incomplete.
    Credential(&'static str),
    /// One that must never have come here, and the tenant it is for.
    Violation(Offence, Option<String>),
}

impl<'a> Presented<'a> {
    /// `Authorization: Bearer 8A:…`, or `Authorization: SOTicket 7T:…` with `SO-AppToken`
    /// (`superid.md` §6). Schemes are compared without case.
    pub(super) fn in_headers(call: &'a Call) -> Self {
        let pair = call.header("authorization").and_then(|value| value.split_once(' '));
        let of = |scheme: &str| {
            let ours = pair.filter(|(name, _)| name.eq_ignore_ascii_case(scheme));
            ours.map(|(_, credential)| credential.trim())
        };
        Self { bearer: of("bearer"), ticket: of("soticket"), app_token: call.header("so-apptoken") }
    }

    /// An app token, or the ticket that goes with it: what only a tenant's web API may see.
    pub(super) fn is_for_web_api(self) -> bool {
        self.app_token.is_some() || self.ticket.is_some()
    }

    /// The tenant the credential names.
    pub(super) fn names(self) -> Option<String> {
        tenant_named_in(self.ticket.or(self.bearer)?)
    }

    /// Lets the call in at tenant `ctx`, and slides the ticket.
    ///
    /// A person's ticket may come without an app token; a system user's may not.
    pub(super) fn check(self, world: &World, ctx: &str) -> Result<Arc<Pass>, Refused> {
        if self.app_token.is_some() && self.bearer.is_some() {
            return Err(Refused::Violation(Offence::AppTokenBesideBearer, self.names()));
        }
        if let Some(named) = self.names().filter(|named| !named.eq_ignore_ascii_case(ctx)) {
            return Err(Refused::Violation(Offence::CredentialOfAnotherTenant, Some(named)));
        }
        let pass = self.known(world).ok_or(Refused::Credential("no valid credential"))?;
        if !pass.is_for(ctx) {
            let of = Some(pass.ctx.clone());
            return Err(Refused::Violation(Offence::CredentialOfAnotherTenant, of));
        }
        self.check_app_token(world, &pass)?;
        if let Some(ticket) = self.ticket {
            world.grants.tickets.touch(ticket, world.now(), TICKET_IDLE);
        }
        Ok(pass)
    }

    fn known(self, world: &World) -> Option<Arc<Pass>> {
        match (self.bearer, self.ticket) {
            (Some(bearer), _) => {
                world.grants.access.get(bearer, world.now()).map(|grant| Arc::new(grant.into()))
            }
            (None, Some(ticket)) => world.grants.tickets.get(ticket, world.now()),
            (None, None) => None,
        }
    }

    fn check_app_token(self, world: &World, pass: &Pass) -> Result<(), Refused> {
        match self.app_token {
            None if self.ticket.is_some() && matches!(pass.holder, Holder::SystemUser) => {
                Err(Refused::Credential("no app token"))
            }
            Some(token) if !world.apps.is_secret_of(&pass.client_id, token) => {
                match world.apps.with_secret(token).is_empty() {
                    true => Err(Refused::Credential("an unknown app token")),
                    false => {
                        let of = Some(pass.ctx.clone());
                        Err(Refused::Violation(Offence::AppTokenOfAnother, of))
                    }
                }
            }
            _ => Ok(()),
        }
    }
}
