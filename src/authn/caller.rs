//! Who is calling through a job listener, and whether they may make this call.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::config::{JobCaller, JobListener, Proof};
use crate::identity::ContextId;
use crate::web::{Inbound, JobDoor, Peer};

/// Permission for one call to one tenant. Only [`CallPermit::ask`] makes one.
#[derive(Clone, Debug)]
pub struct CallPermit {
    caller: Arc<JobCaller>,
    tenant: ContextId,
}

/// Why there is no permit.
#[derive(Clone, Debug)]
pub enum CallDenied {
    /// What would prove a caller is missing or wrong.
    Nobody,
    /// A web page on this machine may be behind it, or a name that is not this machine's.
    Page,
    /// Not one of the caller's paths.
    Path(Arc<JobCaller>),
    /// Not one of the caller's tenants.
    Tenant(Arc<JobCaller>),
}

/// What a call asks for.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    pub tenant: ContextId,
    /// What follows the tenant's name in the path, from its slash on.
    pub below: &'a str,
}

/// Where a call comes from.
#[derive(Clone, Copy, Debug)]
pub struct From<'a> {
    pub door: &'a JobDoor,
    /// Who connected; `None` where that was somebody who passes calls on.
    pub peer: Option<Peer>,
}

impl CallPermit {
    /// For whoever proves to be one of the listener's callers, and may call this.
    ///
    /// # Errors
    /// [`CallDenied`] says which rule was not met.
    pub fn ask(
        listener: &JobListener,
        from: From<'_>,
        inbound: &Inbound<'_>,
        asked: Asked<'_>,
    ) -> Result<Self, CallDenied> {
        let caller = proven(listener, from, inbound)?;
        if !caller.tenants.include(&asked.tenant) {
            return Err(CallDenied::Tenant(caller.clone()));
        }
        if !caller.paths.iter().any(|path| covers(path, asked.below)) {
            return Err(CallDenied::Path(caller.clone()));
        }
        Ok(Self { caller: caller.clone(), tenant: asked.tenant })
    }

    /// Who calls.
    pub fn caller(&self) -> &JobCaller {
        &self.caller
    }

    /// The tenant that may be called.
    pub fn tenant(&self) -> &ContextId {
        &self.tenant
    }

    /// Who calls which tenant.
    pub fn into_parts(self) -> (Arc<JobCaller>, ContextId) {
        (self.caller, self.tenant)
    }
}

/// By what is said in `Authorization`, if anything is; else by certificate; else by place.
fn proven<'l>(
    listener: &'l JobListener,
    From { door, peer }: From<'_>,
    inbound: &Inbound<'_>,
) -> Result<&'l Arc<JobCaller>, CallDenied> {
    let headers = inbound.headers();
    // A browser remembers passwords and shows certificates by itself, for any page.
    if headers.contains_key(header::ORIGIN) || headers.contains_key(SEC_FETCH_SITE) {
        return Err(CallDenied::Page);
    }
    if headers.contains_key(header::AUTHORIZATION) {
        let said = inbound.header(header::AUTHORIZATION).ok_or(CallDenied::Nobody)?;
        return by_secret(listener, said).ok_or(CallDenied::Nobody);
    }
    let by_certificate = listener.callers.iter().find(|caller| match &caller.proof {
        Proof::CertificateName(name) => door.is_certified_as(name),
        Proof::Loopback | Proof::LocalUser(_) | Proof::Password(_) | Proof::Token(_) => false,
    });
    if let Some(caller) = by_certificate {
        return Ok(caller);
    }
    let caller = by_place(listener, peer.ok_or(CallDenied::Nobody)?).ok_or(CallDenied::Nobody)?;
    let named = listener.hosts.iter().any(|host| host == inbound.authority());
    // No name leads a browser to a socket in the file system: any is as good there.
    let any = matches!(caller.proof, Proof::LocalUser(_)) && listener.hosts.is_empty();
    if (named || any) && !is_of_a_page(headers) { Ok(caller) } else { Err(CallDenied::Page) }
}

/// Who is trusted for being on this machine, or for the user it runs as.
fn by_place(listener: &JobListener, peer: Peer) -> Option<&Arc<JobCaller>> {
    listener.callers.iter().find(|caller| match (&caller.proof, peer) {
        (Proof::Loopback, Peer::Address(address)) => address.to_canonical().is_loopback(),
        (Proof::LocalUser(users), Peer::User(local)) => users.include(local.user, local.group),
        (
            Proof::CertificateName(_)
            | Proof::LocalUser(_)
            | Proof::Loopback
            | Proof::Password(_)
            | Proof::Token(_),
            _,
        ) => false,
    })
}

/// Every secret is compared, whichever matches, so that time tells nothing.
fn by_secret<'l>(listener: &'l JobListener, said: &HeaderValue) -> Option<&'l Arc<JobCaller>> {
    let (scheme, credentials) = said.to_str().ok()?.split_once(' ')?;
    let credentials = credentials.trim_matches(' ');
    let basic = scheme.eq_ignore_ascii_case("basic");
    let bearer = scheme.eq_ignore_ascii_case("bearer");
    let mut found = None;
    for caller in &listener.callers {
        let matches = match &caller.proof {
            Proof::Password(both) => basic && both.matches(credentials),
            Proof::Token(token) => bearer && token.matches(credentials),
            Proof::CertificateName(_) | Proof::Loopback | Proof::LocalUser(_) => false,
        };
        if matches && found.is_none() {
            found = Some(caller);
        }
    }
    found
}

/// What a browser adds, and programs leave out: where a page comes from, what it wants, and what
/// it remembers.
fn is_of_a_page(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| {
        *name == header::ORIGIN
            || *name == header::COOKIE
            || *name == header::REFERER
            || name.as_str().starts_with("sec-fetch-")
    })
}

/// Whether a path is this one or below it; SuperOffice's servers tell no case apart.
fn covers(path: &str, below: &str) -> bool {
    path == "/"
        || below.split_at_checked(path.len()).is_some_and(|(head, rest)| {
            head.eq_ignore_ascii_case(path)
                && matches!(rest.bytes().next(), None | Some(b'/' | b'?'))
        })
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_covers_itself_and_what_is_below_in_any_case() {
        for (path, below, covered) in [
            ("/api", "/api", true),
            ("/api", "/API/v1/Contact/1?x=/y", true),
            ("/api", "/apis", false),
            ("/api/v1/Contact", "/api/v1/Contacts", false),
            ("/api/v1/Contact", "/api/v1/contact/7", true),
            ("/Remote", "/api", false),
            ("/", "/Remote/Services88/Contact.svc", true),
        ] {
            assert_eq!(covers(path, below), covered, "{path} {below}");
        }
    }
}
