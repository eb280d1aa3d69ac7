//! `[route.NAME]`: which requests go where, who may send them, and what the app is told.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;

use crate::identity::ContextId;

use super::{Host, Key, RelyingParty, RouteBounds, Servers, Table};

pub(super) const TABLE: Table = Table {
    header: "route.NAME",
    keys: &[
        Key::optional("hosts", "[\"main\"]"),
        Key::defaulted("path", "\"/\""),
        Key::defaulted("match", "\"prefix\""),
        Key::defaulted("encoded_slashes", "\"refuse\""),
        Key::required("upstream", "\"http://127.0.0.1:3000\""),
        Key::defaulted("host_header", "\"public\""),
        Key::defaulted("connect_timeout", "\"5s\""),
        Key::defaulted("read_timeout", "\"60s\""),
        Key::defaulted("websocket_idle_timeout", "\"1h\""),
        Key::defaulted("server_headers", "\"remove\""),
        Key::defaulted("body_bytes", "\"100MiB\""),
        Key::defaulted("max_requests", "1024"),
        Key::optional("rate", "{ per_address = \"10/s\" }"),
        Key::defaulted("access", "\"signed_in\""),
        Key::defaulted("tenants", "[]").such_as("[\"Cust12345\"]"),
        Key::defaulted("administrator", "false"),
        Key::defaulted("claims", "{}").such_as("{ identityprovider = [\"superid\"] }"),
        Key::optional("relying_parties", "[\"main\"]"),
        Key::optional("tenant_parameter", "\"uctx\""),
        Key::optional("keep_post", "\"64KiB\""),
        Key::defaulted("keep_fragment", "false"),
        Key::defaulted("store_outage", "\"refuse\"").such_as("\"30s\""),
        Key::defaulted("present", "\"auto\""),
        Key::defaulted("acknowledge_system_user", "false"),
        Key::optional("headers", "{ ticket = \"SOTicket\", email = false }"),
        Key::defaulted("oauth2_proxy_headers", "false"),
    ],
};

/// One route. Of several that match, the most specific wins.
#[derive(Clone, Debug)]
pub struct Route {
    pub name: String,
    /// The hosts it serves.
    pub hosts: Vec<Arc<Host>>,
    pub path: PathPattern,
    pub encoded_slashes: EncodedSlashes,
    pub upstream: Destination,
    pub server_headers: ServerHeaders,
    pub bounds: RouteBounds,
    pub access: Access,
    /// Who can sign in for it: the host's relying parties, or some of them.
    pub relying_parties: Vec<Arc<RelyingParty>>,
    /// The query parameter, lower case, in which an address names the tenant it is for.
    pub tenant_parameter: Option<String>,
    /// The largest post that is kept while its sender signs in, in bytes; `None` where none is.
    pub keep_post: Option<usize>,
    /// Whether a page asks the browser for the fragment of the address before it signs somebody in.
    pub keep_fragment: bool,
    /// How long what the session store last said of somebody counts while it does not answer; zero
    /// where nobody is let in then.
    pub store_outage: Duration,
    pub present: Present,
    pub headers: HeaderNames,
    /// Whether oauth2-proxy's header names are set beside ours.
    pub oauth2_proxy_headers: bool,
}

impl Route {
    /// Whether somebody a relying party signs in could be within the route's rule, as far as tenants
    /// go.
    pub fn could_admit(&self, party: &RelyingParty) -> bool {
        match &self.access {
            Access::SignedIn(rule) if !rule.tenants.is_empty() => {
                rule.tenants.iter().any(|tenant| party.serves_tenant(tenant))
            }
            Access::Public | Access::SignedIn(_) => true,
        }
    }
}

/// A path and how it is compared, always by whole segments: `/a` covers `/a/b`, never `/ab`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    /// Begins with `/`; ends without one unless it is `/` itself.
    pub path: String,
    pub matching: PathMatch,
}

/// How a path pattern is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathMatch {
    /// This path alone.
    Exact,
    /// This path and everything below.
    Prefix,
}

/// What becomes of a path with `%2f` in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodedSlashes {
    /// It goes to the app as it came.
    Pass,
    Refuse,
}

/// What becomes of the headers by which an app says what it is built of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerHeaders {
    Pass,
    Remove,
}

/// What is behind a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    App(Upstream),
    /// Nobody we know: a proxy asks about its requests, and carries them itself.
    Checked,
    /// The web services of the tenant whose person is signed in.
    Tenant(Patience),
}

/// How long what is behind a route may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    pub connect: Duration,
    /// The longest silence.
    pub read: Duration,
}

impl Destination {
    /// The app, where it is one.
    pub fn app(&self) -> Option<&Upstream> {
        match self {
            Self::App(upstream) => Some(upstream),
            Self::Checked | Self::Tenant(_) => None,
        }
    }

    /// How long it may take from now on.
    pub fn set_patience(&mut self, to: Patience) {
        match self {
            Self::App(app) => (app.connect_timeout, app.read_timeout) = (to.connect, to.read),
            Self::Checked => {}
            Self::Tenant(patience) => *patience = to,
        }
    }

    /// How long it may take.
    pub fn patience(&self) -> Patience {
        match self {
            Self::App(app) => Patience { connect: app.connect_timeout, read: app.read_timeout },
            Self::Checked => Patience { connect: Duration::ZERO, read: Duration::ZERO },
            Self::Tenant(patience) => *patience,
        }
    }
}

/// The app behind a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Routes that name the same table share them.
    pub servers: Arc<Servers>,
    /// What `Host` says to the app.
    pub host_header: HostHeader,
    pub connect_timeout: Duration,
    /// The longest silence from the app, headers and body alike.
    pub read_timeout: Duration,
}

/// What the app sees as `Host`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostHeader {
    /// The public authority, as the browser sees it.
    Public,
    /// The upstream's own name.
    Upstream,
}

/// Who may use a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody; nothing is injected.
    Public,
    /// Signed-in people within every restriction given.
    SignedIn(Restriction),
}

/// Limits among the signed-in; an empty one limits nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restriction {
    /// People of these tenants only; empty means of any.
    pub tenants: Vec<ContextId>,
    /// Administrators only.
    pub administrator: bool,
    /// All of these.
    pub claims: Vec<ClaimRule>,
}

/// A claim that must have one of the values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRule {
    /// The full claim name.
    pub claim: String,
    pub values: Vec<String>,
}

/// Which credential goes to the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Present {
    /// The ticket where the sign-in gave one, else the bearer token.
    Auto,
    Bearer,
    Nothing,
    /// The ticket of the tenant's system user, who may do whatever the app may.
    SystemUser,
    Ticket,
}

/// The request headers the app reads; `None` leaves one out. Any of them sent by a client is
/// removed, whatever its spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderNames {
    pub administrator: Option<HeaderName>,
    /// The signed assertion of all of it.
    pub assertion: Option<HeaderName>,
    pub associate_id: Option<HeaderName>,
    pub bearer: Option<HeaderName>,
    pub company: Option<HeaderName>,
    pub context: Option<HeaderName>,
    pub email: Option<HeaderName>,
    pub first_name: Option<HeaderName>,
    pub initials: Option<HeaderName>,
    pub last_name: Option<HeaderName>,
    pub soap_url: Option<HeaderName>,
    pub ticket: Option<HeaderName>,
    pub user: Option<HeaderName>,
    pub web_api_url: Option<HeaderName>,
}
