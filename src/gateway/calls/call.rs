//! A permitted call on its way to a tenant, and what it needs there: an address and a credential.

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;

use crate::authn::{CallPermit, Permit};
use crate::config::{Destination, Present, RelyingParty, Route};
use crate::credentials::{Again, Held, SystemUsers};
use crate::identity::{ContextId, Credential, TenantKey};
use crate::pages::Trouble;
use crate::tenants::Home;

use super::super::respond::Refused;
use super::target::{Service, Target};
use super::trouble::CallTrouble;

/// One call. Only those with a permit make one.
pub struct Call {
    party: Arc<RelyingParty>,
    key: TenantKey,
    /// Path and query after the tenant's name.
    below: String,
    to: To,
    presents: Presents,
    /// What stands before a service's name in our own paths to it.
    prefix: String,
    /// The background job that calls, by its name.
    caller: Option<String>,
    home: Option<Arc<Home>>,
    held: Option<Arc<Held>>,
    tried: Tried,
}

/// Where a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gateway) enum To {
    /// To an app, with a ticket.
    App,
    Tenant(Service),
}

/// The credential a call carries.
#[derive(Clone, Debug)]
pub(in crate::gateway) enum Presents {
    /// The value of `Authorization` for a person's access token; it goes alone.
    Bearer(HeaderValue),
    /// The system user's ticket.
    SystemUser,
    /// The value of `Authorization` for a person's ticket.
    Ticket(HeaderValue),
}

/// What has been tried already: each is tried once more, once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tried {
    address: bool,
    ticket: bool,
}

impl Call {
    /// A background job's.
    pub(in crate::gateway) fn of_a_job(
        permit: &CallPermit,
        party: &Arc<RelyingParty>,
        target: &Target<'_>,
    ) -> Self {
        Self {
            caller: Some(permit.caller().name.clone()),
            prefix: format!("/{}", target.tenant),
            ..Self::new(
                permit.tenant(),
                party,
                target.below,
                To::Tenant(target.service),
                Presents::SystemUser,
            )
        }
    }

    /// A signed-in person's to their own tenant, or to an app that gets the system user's ticket.
    ///
    /// # Errors
    /// When the path is none of a tenant's web services, or the session has no credential.
    pub(in crate::gateway) fn of_a_person(
        permit: &Permit,
        route: &Route,
        target: &str,
    ) -> Result<Option<Box<Self>>, Refused> {
        let to_app = matches!(route.upstream, Destination::App(_));
        if to_app && route.present != Present::SystemUser {
            return Ok(None);
        }
        let missing = || Refused::new(Trouble::Internal, "a call without a session");
        let session = permit.session().ok_or_else(missing)?;
        let of_session = |party: &&Arc<RelyingParty>| party.name == session.relying_party;
        let party = route.relying_parties.iter().find(of_session).ok_or_else(missing)?;
        let tenant = &session.principal.context;
        if to_app {
            let call = Self::new(tenant, party, "", To::App, Presents::SystemUser);
            return Ok(Some(Box::new(call)));
        }
        let path = route.path.path.trim_end_matches('/');
        let below = target.get(path.len()..).unwrap_or_default();
        let Some(service) = Service::of(below) else {
            let detail = "no path of a tenant's web service";
            return Err(Refused::call(CallTrouble::NoSuchCall, detail));
        };
        let presents = match (route.present, &session.credential) {
            (Present::SystemUser, _) => Some(Presents::SystemUser),
            (_, Credential::Bearer { token, .. }) => bearer(token.reveal()).map(Presents::Bearer),
            (_, Credential::Ticket(ticket)) => so_ticket(ticket.reveal()).map(Presents::Ticket),
            (_, Credential::Nothing) => None,
        };
        let presents = presents.ok_or_else(|| {
            Refused::call(CallTrouble::NoCredential, "the sign-in gave nothing to call with")
        })?;
        let call = Self::new(tenant, party, below, To::Tenant(service), presents);
        Ok(Some(Box::new(Self { prefix: path.to_owned(), ..call })))
    }

    fn new(
        tenant: &ContextId,
        party: &Arc<RelyingParty>,
        below: &str,
        to: To,
        presents: Presents,
    ) -> Self {
        Self {
            key: SystemUsers::key(party, tenant),
            party: party.clone(),
            below: below.to_owned(),
            to,
            presents,
            prefix: String::new(),
            caller: None,
            home: None,
            held: None,
            tried: Tried::default(),
        }
    }

    /// Finds out where the tenant lives and gets a ticket, as far as either is not known yet.
    ///
    /// # Errors
    /// Why there is none of them.
    pub(in crate::gateway) async fn prepare(&mut self, users: &SystemUsers) -> Result<(), Refused> {
        if self.home.is_none() && self.to != To::App {
            let home = users.home(&self.party, self.tenant()).await;
            self.home = Some(home.map_err(|away| Refused::away(&away))?);
        }
        if self.held.is_none() && matches!(self.presents, Presents::SystemUser) {
            let held = users.ticket(&self.key).await;
            self.held = Some(held.map_err(|none| Refused::no_ticket(&none))?);
        }
        Ok(())
    }

    /// The tenant's ticket is dead, it says. Whether another one is worth a try.
    pub(in crate::gateway) fn ticket_died(&mut self, users: &SystemUsers) -> Again {
        // One just bought is not dead: whatever the tenant means, buying more would not help, and
        // others live by it.
        if self.tried.ticket {
            return Again::No;
        }
        let Some(held) = self.held.take() else { return Again::No };
        users.tickets().died(&self.key, &held);
        self.tried.ticket = true;
        Again::Yes
    }

    /// The ticket does not suffice, the tenant says. Whether another one is worth a try.
    pub(in crate::gateway) fn forbidden(&mut self, users: &SystemUsers) -> Again {
        let Some(held) = &self.held else { return Again::No };
        let path = self.below.split('?').next().unwrap_or_default();
        if users.tickets().forbidden(&self.key, held, path) == Again::No || self.tried.ticket {
            return Again::No;
        }
        self.held = None;
        self.tried.ticket = true;
        Again::Yes
    }

    /// The tenant does not live there. Whether asking once more is worth a try.
    pub(in crate::gateway) fn moved(&mut self, users: &SystemUsers) -> Again {
        let Some(home) = self.home.take() else { return Again::No };
        users.tenants().forget(&home);
        let again = if self.tried.address { Again::No } else { Again::Yes };
        self.tried.address = true;
        again
    }

    /// The tenant's service is out of order: the next call asks how it is first.
    pub(in crate::gateway) fn is_out_of_order(&self, users: &SystemUsers) {
        if let Some(home) = &self.home {
            users.tenants().forget(home);
        }
    }

    /// The path by which we lead to an address of the tenant's own web services; `None` for any
    /// other.
    pub(in crate::gateway) fn local(&self, address: &str) -> Option<String> {
        let home = self.home.as_ref()?;
        let services = [("api", home.api()), ("Remote", home.soap())];
        let (service, below) = services.iter().find_map(|(service, base)| {
            let below = address.strip_prefix(base.as_str())?;
            (!below.starts_with('/')).then_some((*service, below))
        })?;
        Some(format!("{}/{service}/{below}", self.prefix))
    }

    pub(in crate::gateway) fn tenant(&self) -> &ContextId {
        &self.key.tenant
    }

    pub(in crate::gateway) fn party(&self) -> &RelyingParty {
        &self.party
    }

    pub(in crate::gateway) fn is_to_tenant(&self) -> bool {
        self.to != To::App
    }

    pub(in crate::gateway) fn to(&self) -> To {
        self.to
    }

    /// Which program calls, where it is one.
    pub(in crate::gateway) fn caller(&self) -> Option<&str> {
        self.caller.as_deref()
    }

    /// Path and query after the tenant's name.
    pub(in crate::gateway) fn below(&self) -> &str {
        &self.below
    }

    /// Where the tenant lives, once that was found out.
    pub(in crate::gateway) fn home(&self) -> Option<&Arc<Home>> {
        self.home.as_ref()
    }

    /// The system user's ticket, for an envelope.
    pub(in crate::gateway) fn soap_ticket(&self) -> Option<&str> {
        self.held.as_ref().map(|held| held.ticket().reveal())
    }

    /// The system user's ticket as a header's value.
    pub(in crate::gateway) fn ticket(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(self.held.as_ref()?.ticket().reveal()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// The value of `Authorization`, and whether the client secret goes with it: with tickets it
    /// must, beside a bearer token it must not (`superid.md` §6).
    pub(in crate::gateway) fn authorization(&self) -> Option<(HeaderValue, AppToken)> {
        match (&self.presents, &self.held) {
            (Presents::Bearer(value), _) => Some((value.clone(), AppToken::Absent)),
            (Presents::Ticket(value), _) => Some((value.clone(), AppToken::Beside)),
            (Presents::SystemUser, Some(held)) => {
                Some((so_ticket(held.ticket().reveal())?, AppToken::Beside))
            }
            (Presents::SystemUser, None) => None,
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Call({} {:?})", self.key, self.to)
    }
}

/// Whether `SO-AppToken` goes with a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gateway) enum AppToken {
    Absent,
    Beside,
}

/// `Bearer 8A:…`, which nothing prints.
fn bearer(token: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(["Bearer ", token].concat()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// `SOTicket 7T:…`, which nothing prints.
fn so_ticket(ticket: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(["SOTicket ", ticket].concat()).ok()?;
    value.set_sensitive(true);
    Some(value)
}
