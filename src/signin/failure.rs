//! Why a sign-in did not end in a session: words for the person and words for the operator apart.

use http::HeaderValue;

use crate::config::Authorization;
use crate::web::{Reply, ReturnTo};

/// A step of a sign-in: an answer for the browser, or what went wrong.
pub type Outcome = Result<Reply, Failed>;

/// A sign-in that failed.
#[derive(Clone, Debug)]
pub struct Failed {
    /// What the person is told.
    pub failure: Failure,
    /// Where a new sign-in would lead, when there is a point in trying again.
    pub again: Option<ReturnTo>,
    /// What the operator is told; bounded, without secrets.
    pub detail: String,
    /// Cookies to set or remove with the answer.
    pub cookies: Vec<HeaderValue>,
}

/// What the person is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// This attempt has been finished before.
    AlreadyUsed,
    /// The tenant took its approval of the app back.
    ApprovalRevoked,
    /// The attempt is too old, or not one of ours.
    AttemptExpired,
    /// The request is not a callback that can be read.
    BadRequest,
    /// This browser did not begin the attempt.
    BindingMissing,
    /// Somebody declined at SuperID.
    ConsentDeclined,
    /// The session does not fit into cookies, or a part of ours failed.
    Internal,
    /// SuperID has to show the person something, and was not let.
    InteractionNeeded,
    /// Signing in leads back to signing in: the session cookie does not come back.
    LoopCookie,
    /// SuperID's times are not ours.
    LoopClock,
    /// SuperID does not know our client id or secret.
    Misconfigured,
    /// SuperID was not given the approval that this party of ours has to have.
    NotApproved(Authorization),
    /// A provider vouches for somebody whom nothing here lets in.
    NotLetIn,
    /// A form posted by a page that is not SuperID's.
    PostOriginRefused,
    /// A person or their administrator said no at a provider that is not SuperID.
    ProviderDeclined,
    /// A provider that is not SuperID said no; its error code, cleaned.
    ProviderRefused(String),
    /// A provider that is not SuperID does not answer.
    ProviderUnreachable,
    /// The app changed, and the tenant's administrator has to approve it once more.
    ReapprovalNeeded,
    /// The store that remembers used tokens cannot be asked.
    StoreUnavailable,
    /// SuperID says that what it was asked has expired.
    SuperIdExpired,
    /// SuperID said no; its error code, cleaned.
    SuperIdRefused(String),
    /// SuperID does not answer.
    SuperIdUnreachable,
    /// The tenant's serial number is not known here.
    TenantUnknown,
    /// A posted token that was posted before.
    TokenReplayed,
    /// No more attempts can be remembered.
    TooBusy,
    /// What came back is not provably SuperID's, or not for us.
    Unverified,
}

impl Failed {
    /// With nothing to try again.
    pub(super) fn new(failure: Failure, detail: impl Into<String>) -> Self {
        Self { failure, again: None, detail: detail.into(), cookies: Vec::new() }
    }

    /// With a way to try again.
    pub(super) fn again(self, target: ReturnTo) -> Self {
        Self { again: Some(target), ..self }
    }

    /// With a cookie to set.
    pub(super) fn with_cookie(mut self, cookie: HeaderValue) -> Self {
        self.cookies.push(cookie);
        self
    }
}
