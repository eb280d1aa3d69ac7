//! What can become of a request.

use http::HeaderValue;

use crate::credentials::Injection;
use crate::identity::ContextId;
use crate::web::Reply;

use super::respond::Refused;

/// What becomes of a request.
#[derive(Debug)]
pub enum Verdict {
    /// This answer.
    Answer(Reply),
    /// A page that asks with whom to sign in: titles and addresses.
    Choose(Vec<(String, String)>),
    /// To the app, with this.
    Leave(Box<Departure>),
    /// A page or JSON that says why not.
    Refuse(Refused),
    /// The page after sign-out.
    SignedOut,
    /// A step that waits for a form or for SuperID.
    Wait(Step),
}

/// A step of a sign-in that cannot be taken at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The callback of the code flow.
    Callback { host: usize },
    /// A form posted to a legacy callback.
    Posted { host: usize },
}

/// A request on its way to the app. Only [`super::decide`] makes one, and only from a permit.
#[derive(Debug)]
pub struct Departure {
    pub(super) host: usize,
    pub(super) route: usize,
    pub(super) injection: Injection,
    /// The app's own cookies, joined; ours are gone.
    pub(super) cookie: Option<HeaderValue>,
    /// The session cookie written anew, when its time has come.
    pub(super) renewal: Vec<HeaderValue>,
    /// For the access log.
    pub(super) tenant: Option<ContextId>,
}
