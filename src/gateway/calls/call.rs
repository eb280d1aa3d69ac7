//! A permitted call on its way to a tenant, and what it needs there: an address and a credential.

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;
use url::Url;

use crate::authn::{CallPermit, Permit};
use crate::clock::Timestamp;
use crate::config::{Destination, JobCaller, Present, RelyingParty, Route};
use crate::credentials::{Again, Held, Partner, SystemUsers};
use crate::identity::{ContextId, Credential, TenantKey};
use crate::pages::Trouble;
use crate::tenants::Home;

use super::super::respond::Refused;
use super::location::Whence;
use super::target::Service;
use super::trouble::CallTrouble;
use super::ways::{TenantWay, Ways};

/// One call. Only those with a permit make one.
pub struct Call {
    partner: Arc<Partner>,
    key: TenantKey,
    /// Path and query after the tenant's name.
    below: String,
    to: To,
    presents: Presents,
    /// What stands before a service's name in our own paths to it; the tenant's name where that is
    /// unsaid.
    prefix: Option<String>,
    /// The background job that calls.
    caller: Option<Arc<JobCaller>>,
    found: Option<Found>,
    held: Option<Arc<Held>>,
    tried: Tried,
}

/// Where a tenant lives, and the way there.
struct Found {
    home: Arc<Home>,
    way: Arc<TenantWay>,
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
    /// The value of `Authorization` for a person's ticket, and when their session began.
    Ticket(HeaderValue, Timestamp),
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
        permit: CallPermit,
        partner: Arc<Partner>,
        below: &str,
        service: Service,
    ) -> Self {
        let (caller, tenant) = permit.into_parts();
        let call = Self::new(tenant, partner, below, To::Tenant(service), Presents::SystemUser);
        Self { caller: Some(caller), ..call }
    }

    /// A signed-in person's to their own tenant, or to an app that gets the system user's ticket.
    ///
    /// # Errors
    /// When the path is none of a tenant's web services, or the session has no credential.
    pub(in crate::gateway) fn of_a_person(
        users: &SystemUsers,
        permit: &Permit,
        route: &Route,
        target: &str,
    ) -> Result<Option<Box<Self>>, Refused> {
        let to_app = !matches!(route.upstream, Destination::Tenant(_));
        if to_app && route.present != Present::SystemUser {
            return Ok(None);
        }
        let missing = || Refused::new(Trouble::Internal, "a call without a session");
        let session = permit.session().ok_or_else(missing)?;
        let of_session = |party: &&Arc<RelyingParty>| party.name == session.relying_party;
        let party = route.relying_parties.iter().find(of_session).ok_or_else(missing)?;
        let partner = users.partner(party);
        let tenant = session.principal.context.clone();
        if to_app {
            let call = Self::new(tenant, partner, "", To::App, Presents::SystemUser);
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
            (_, Credential::Bearer { token, .. }) => token.authorization().map(Presents::Bearer),
            (_, Credential::Ticket(ticket)) => {
                let began = session.signed_in;
                ticket.authorization().map(|value| Presents::Ticket(value, began))
            }
            (_, Credential::Nothing) => None,
        };
        let presents = presents.ok_or_else(|| {
            Refused::call(CallTrouble::NoCredential, "the sign-in gave nothing to call with")
        })?;
        let call = Self::new(tenant, partner, below, To::Tenant(service), presents);
        Ok(Some(Box::new(Self { prefix: Some(path.to_owned()), ..call })))
    }

    fn new(
        tenant: ContextId,
        partner: Arc<Partner>,
        below: &str,
        to: To,
        presents: Presents,
    ) -> Self {
        Self {
            key: partner.key(tenant),
            partner,
            below: below.to_owned(),
            to,
            presents,
            prefix: None,
            caller: None,
            found: None,
            held: None,
            tried: Tried::default(),
        }
    }

    /// Finds out where the tenant lives and gets a ticket, as far as either is not known yet.
    ///
    /// # Errors
    /// Why there is none of them.
    pub(in crate::gateway) async fn prepare(
        &mut self,
        users: &SystemUsers,
        ways: &Ways,
    ) -> Result<(), Refused> {
        if self.found.is_none() && self.to != To::App {
            let home = users.home(self.party(), self.tenant()).await;
            let home = home.map_err(|away| Refused::away(&away))?;
            let nowhere = || Refused::new(Trouble::Internal, "an address that names no host");
            let way = ways.to(home.api()).ok_or_else(nowhere)?;
            self.found = Some(Found { home, way });
        }
        if self.held.is_none() && matches!(self.presents, Presents::SystemUser) {
            let held = users.ticket(&self.key).await;
            self.held = Some(held.map_err(|none| Refused::no_ticket(&none))?);
        }
        Ok(())
    }

    /// The tenant's ticket is dead, it says. Whether another one is worth a try: of a person's own there is no
    /// other before they sign in again.
    pub(in crate::gateway) fn ticket_died(&mut self, users: &SystemUsers) -> Again {
        if let Presents::Ticket(value, began) = &self.presents {
            users.ticket_refused(value, *began);
            return Again::No;
        }
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
        let Some(found) = self.found.take() else { return Again::No };
        users.tenants().forget(&found.home);
        let again = if self.tried.address { Again::No } else { Again::Yes };
        self.tried.address = true;
        again
    }

    /// The tenant's service is out of order: the next call asks how it is first.
    pub(in crate::gateway) fn is_out_of_order(&self, users: &SystemUsers) {
        if let Some(home) = self.home() {
            users.tenants().forget(home);
        }
    }

    /// What the tenant's `Location` says from here; `None` where that is what it says already.
    pub(in crate::gateway) fn leads(&self, location: &str) -> Option<String> {
        let home = self.home()?;
        let asked = home.api().join(&self.path()?).ok()?;
        let services = [("api", home.api()), ("Remote", home.soap())];
        let prefix = match &self.prefix {
            Some(prefix) => prefix,
            None => &format!("/{}", self.key.tenant),
        };
        Whence { asked: &asked, services, prefix }.leads(location)
    }

    /// Path and query at the tenant; `None` before it is known where that is.
    pub(in crate::gateway) fn path(&self) -> Option<String> {
        let home = self.home()?;
        let base = match self.to {
            To::Tenant(Service::Rest) => home.api(),
            To::Tenant(Service::Soap) => home.soap(),
            To::App => return None,
        };
        path(base, &self.below)
    }

    pub(in crate::gateway) fn tenant(&self) -> &ContextId {
        &self.key.tenant
    }

    pub(in crate::gateway) fn party(&self) -> &RelyingParty {
        self.partner.party()
    }

    pub(in crate::gateway) fn is_to_tenant(&self) -> bool {
        self.to != To::App
    }

    pub(in crate::gateway) fn to(&self) -> To {
        self.to
    }

    /// Which program calls, where it is one.
    pub(in crate::gateway) fn caller(&self) -> Option<&str> {
        self.caller.as_ref().map(|caller| &*caller.name)
    }

    /// Path and query after the tenant's name.
    pub(in crate::gateway) fn below(&self) -> &str {
        &self.below
    }

    /// Where the tenant lives, once that was found out.
    pub(in crate::gateway) fn home(&self) -> Option<&Arc<Home>> {
        self.found.as_ref().map(|found| &found.home)
    }

    /// The way to there.
    pub(in crate::gateway) fn way(&self) -> Option<&TenantWay> {
        self.found.as_ref().map(|found| &*found.way)
    }

    /// The system user's ticket, for an envelope.
    pub(in crate::gateway) fn soap_ticket(&self) -> Option<&str> {
        self.held.as_ref().map(|held| held.ticket().reveal())
    }

    /// The system user's ticket as a header's value.
    pub(in crate::gateway) fn ticket(&self) -> Option<HeaderValue> {
        self.held.as_ref()?.ticket().header()
    }

    /// The value of `Authorization`.
    pub(in crate::gateway) fn authorization(&self) -> Option<&HeaderValue> {
        match &self.presents {
            Presents::Bearer(value) | Presents::Ticket(value, _) => Some(value),
            Presents::SystemUser => self.held.as_ref()?.authorization(),
        }
    }

    /// Whether the client secret goes with that, and which one: with tickets it must, beside a
    /// bearer token it must not (`superid.md` §6).
    pub(in crate::gateway) fn app_token(&self) -> AppToken<'_> {
        match self.presents {
            Presents::Bearer(_) => AppToken::Absent,
            Presents::SystemUser | Presents::Ticket(..) => {
                AppToken::Beside(self.partner.app_token())
            }
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
pub(in crate::gateway) enum AppToken<'a> {
    Absent,
    /// Its value; `None` where no header can hold it.
    Beside(Option<&'a HeaderValue>),
}

/// The tenant's own path, then what the call asks for. The first segment of what is asked for is
/// what the address ends with, `api` or `Remote`, in the address's own spelling.
fn path(base: &Url, below: &str) -> Option<String> {
    let rest = below.get(1..)?;
    let rest = &rest[rest.find(['/', '?']).unwrap_or(rest.len())..];
    Some([base.path().trim_end_matches('/'), rest].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_goes_below_the_address_of_its_tenant() {
        let to = |base: &str, below: &str| path(&Url::parse(base).unwrap(), below).unwrap();
        let api = "https://app.superoffice.com/cust12345/api/";
        assert_eq!(to(api, "/API/v1/Contact/1?x=1"), "/cust12345/api/v1/Contact/1?x=1");
        assert_eq!(to(api, "/api"), "/cust12345/api");
        assert_eq!(to(api, "/api?x"), "/cust12345/api?x");
        let soap = "https://sod2.superoffice.com/Cust1/Remote";
        assert_eq!(
            to(soap, "/remote/Services88/Contact.svc"),
            "/Cust1/Remote/Services88/Contact.svc"
        );
    }
}
