//! What can become of a request.

use std::sync::Arc;

use http::HeaderValue;

use crate::authn::Permit;
use crate::clock::Timestamp;
use crate::credentials::{Injection, Waiting};
use crate::identity::ContextId;
use crate::limits::Standing;
use crate::pages::NotSent;
use crate::session::SessionState;
use crate::web::{PublicOrigin, Reply, ReturnTo};

use super::calls::Call;
use super::respond::Refused;
use super::resumed::Resumed;
use super::told::{Addressed, Told};

/// What becomes of a request.
#[derive(Debug)]
pub enum Verdict {
    /// This answer.
    Answer(Reply),
    /// To the tenant, for a background job that came to the listener of this number.
    Call { listener: usize, call: Box<Call> },
    /// A page that asks with whom to sign in: titles and addresses.
    Choose(Vec<(String, String)>),
    /// To the app, with this.
    Leave(Box<Departure>),
    /// Whatever is decided once this has landed: the access token of the session is dead.
    Refresh(Box<Pause>),
    /// A page or JSON that says why not.
    Refuse(Refused),
    /// The page after sign-out.
    SignedOut,
    /// A step that waits for a form or for SuperID.
    Wait(Step),
}

/// A decision that waits for a session to be refreshed.
#[derive(Debug)]
pub struct Pause {
    pub(super) waiting: Waiting,
    /// Where the client stands under the rates of the route: it is not counted again.
    pub(super) standing: Option<Standing>,
}

/// A page for those who install the app, which waits for the vault or for a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppPage {
    Error,
    Forget,
    Install,
    Uninstall,
}

/// What somebody wants who is sent to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The relying party's name.
    pub party: String,
    pub target: ReturnTo,
    pub tenant: Option<ContextId>,
}

/// A step of a sign-in that cannot be taken at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A page for those who install the app.
    AppPage { host: usize, page: AppPage },
    /// A visit to a redirect URL.
    Callback { host: usize },
    /// A sign-in at a provider that may have to be asked first.
    Begin { host: usize, wanted: Box<Wanted> },
    /// Our own page after a posted form.
    Finish { host: usize },
    /// The page that asks the browser for the fragment of its address.
    Fragment { host: usize },
    /// A post to a route of this number that is kept while its sender signs in.
    KeepPost { host: usize, route: usize },
    /// The page that says why what was kept is not sent.
    NotSent { host: usize, why: NotSent },
    /// A state-change notice.
    Notice { host: usize },
    /// A form posted to a redirect URL.
    Posted { host: usize },
    /// The page that tells a page of this origin that somebody is signed in.
    Renewed { origin: PublicOrigin },
    /// The page that sends what was kept.
    Resend { host: usize },
    /// A provider's sign-out page, in a frame.
    ProviderFrame { host: usize },
    /// A provider's server tells that a session is over.
    ProviderWord { host: usize },
    /// Somebody signs out.
    SignOut { host: usize },
    /// SuperID tells of an error at the error callback URL.
    Told { host: usize },
}

/// A request on its way to the app. Only `Departure::new` makes one, and it wants a permit: what
/// the app is told comes from there alone.
#[derive(Debug)]
pub struct Departure {
    host: usize,
    route: usize,
    injection: Arc<Injection>,
    cookie: Option<HeaderValue>,
    renewal: Vec<HeaderValue>,
    session: Option<Arc<SessionState>>,
    seen: Timestamp,
    standing: Option<Standing>,
    call: Option<Box<Call>>,
    resumed: Resuming,
}

/// Whether something that was kept goes in place of what the browser sends.
#[derive(Debug)]
enum Resuming {
    No,
    Now(Box<Resumed>),
    /// Once it was handed out.
    Yet,
}

impl Departure {
    /// For the route numbered `route` of the host numbered `host`.
    pub(super) fn new(
        permit: &Permit,
        (host, route): (usize, usize),
        to: Addressed<'_>,
        told: &Told,
    ) -> Self {
        Self {
            host,
            route,
            injection: told.injection(permit, (host, route), to),
            cookie: None,
            renewal: Vec::new(),
            session: permit.shared().cloned(),
            seen: permit.session().map_or(to.now, |session| session.seen),
            standing: None,
            call: None,
            resumed: Resuming::No,
        }
    }

    /// With the app's own cookies, joined, and the session cookie written anew where it is due.
    pub(super) fn with_cookies(
        self,
        cookie: Option<HeaderValue>,
        renewal: Vec<HeaderValue>,
    ) -> Self {
        Self { cookie, renewal, ..self }
    }

    /// As the latest use of its session, which was written so.
    pub(super) fn in_use(self, now: Timestamp) -> Self {
        Self { seen: now, ..self }
    }

    /// With where the client stands under the rates of the route.
    pub(super) fn at(self, standing: Option<Standing>) -> Self {
        Self { standing, ..self }
    }

    /// As a call to the person's tenant, not to an app.
    pub(super) fn calling(self, call: Option<Box<Call>>) -> Self {
        Self { call, ..self }
    }

    /// With what was kept, in place of what the browser sends, once that is handed out.
    pub(super) fn having_to_resume(self) -> Self {
        Self { resumed: Resuming::Yet, ..self }
    }

    /// Whether that has to happen before it leaves.
    pub(super) fn is_to_resume(&self) -> bool {
        matches!(self.resumed, Resuming::Yet)
    }

    /// With what was kept.
    pub(super) fn resuming(self, resumed: Resumed) -> Self {
        Self { resumed: Resuming::Now(Box::new(resumed)), ..self }
    }

    pub(super) fn resumed(&self) -> Option<&Resumed> {
        match &self.resumed {
            Resuming::Now(resumed) => Some(resumed),
            Resuming::No | Resuming::Yet => None,
        }
    }

    pub(super) fn take_call(&mut self) -> Option<Box<Call>> {
        self.call.take()
    }

    pub(super) fn standing(&self) -> Option<&Standing> {
        self.standing.as_ref()
    }

    pub(super) fn host(&self) -> usize {
        self.host
    }

    pub(super) fn route(&self) -> usize {
        self.route
    }

    /// Identity and credential headers for the app.
    pub(super) fn injection(&self) -> &Injection {
        &self.injection
    }

    pub(super) fn cookie(&self) -> Option<&HeaderValue> {
        self.cookie.as_ref()
    }

    pub(super) fn renewal(&self) -> &[HeaderValue] {
        &self.renewal
    }

    /// The session it leaves under, and when that was last in use; none on a public route.
    pub(super) fn session(&self) -> Option<(&Arc<SessionState>, Timestamp)> {
        self.session.as_ref().map(|session| (session, self.seen))
    }

    /// The tenant of whoever is calling, for the log.
    pub(super) fn tenant(&self) -> Option<&ContextId> {
        self.session.as_ref().map(|session| &session.principal.context)
    }

    /// Who is calling, for the log.
    pub(super) fn user(&self) -> Option<&str> {
        self.session.as_ref().map(|session| session.principal.subject.as_str())
    }
}
