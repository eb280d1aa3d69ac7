//! What can stand between a person and the app, and the page that says so.

use askama::Template;
use askama::filters::HtmlSafe;
use http::StatusCode;

use crate::config::Authorization;

use super::layout::{Footing, Page, Sheet};
use super::words::{self, Words};
use super::words_of_posts;

/// Why the person does not get what they asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble<'a> {
    /// The sign-in was finished once already: the back button, or a reloaded callback.
    AlreadyUsed,
    /// The customer took its approval of the app back.
    ApprovalRevoked,
    /// SuperOffice sent the person to the error address of the app.
    AppError,
    /// The person took longer at SuperID than an attempt lives.
    AttemptExpired,
    /// A request that cannot be read safely.
    BadRequest,
    /// The sign-in came back to a browser that did not begin it, or that keeps no cookies.
    BindingMissing,
    /// The person or their administrator said no at SuperID.
    ConsentDeclined,
    /// SuperID has to show the person something, and was not let.
    InteractionNeeded,
    /// Our own code failed.
    Internal,
    /// Several sign-ins in a row ended where they began.
    LoopDetected(LoopHint),
    /// Something in the configuration cannot be used.
    Misconfigured,
    /// Signed in, but not let in here.
    NotAllowed(NotAllowed),
    /// Several ways to sign in, and none for this request.
    NoSignIn(NoSignIn),
    /// The app was not approved at SuperID, and this is who approves it.
    NotApproved(Authorization),
    /// No route and no page of ours has this address.
    NotFound,
    /// What was kept while the person signed in is not sent on.
    NotSent(NotSent),
    /// A form was posted from another site than it may be.
    PostOriginRefused,
    /// The customer's administrator has to approve the app once more.
    ReapprovalNeeded,
    /// The store that remembers used tokens does not answer.
    StoreUnavailable,
    /// The store that keeps sessions does not answer.
    SessionsUnavailable,
    /// SuperID says that what it was asked has expired.
    SuperIdExpired,
    /// The person or their administrator said no at a provider that is not SuperID.
    ProviderDeclined,
    /// A provider that is not SuperID answered a sign-in with an error.
    ProviderRefused,
    /// A provider that is not SuperID does not answer.
    ProviderUnreachable,
    /// SuperID answered a sign-in with an error.
    SuperIdRefused {
        /// The OAuth error code, as SuperID or a stranger sent it.
        code: &'a str,
    },
    /// SuperID does not answer.
    SuperIdUnreachable,
    /// SuperOffice has deleted the customer's account.
    TenantDeleted,
    /// SuperOffice has suspended the customer's account.
    TenantSuspended,
    /// The customer is not one that this gateway serves, or not running.
    TenantUnknown,
    /// A posted sign-in token was seen before.
    TokenReplayed,
    /// No more requests, or no more sign-ins, are taken for the moment.
    TooBusy,
    /// The body of a request is larger than its route takes.
    TooLarge,
    /// More requests than a rate allows.
    TooMany,
    /// What came back from SuperID could not be proven to be SuperID's, or to be meant for us.
    Unverified,
    /// The app took too long.
    UpstreamTimeout,
    /// The app does not answer.
    UpstreamUnreachable,
}

/// What most likely keeps a sign-in going round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopHint {
    /// The gateway's clock or SuperID's is wrong, so that a fresh sign-in counts as ended.
    Clock,
    /// The browser does not send the session cookie back.
    Cookie,
    /// The browser and the gateway disagree about http and https.
    Scheme,
}

/// Which rule keeps a signed-in person out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAllowed {
    /// Only administrators come in here.
    Administrator,
    /// Only people with a certain role, group or other claim come in here.
    Claim,
    /// Nothing here names this person.
    Person,
    /// Only people of certain customers come in here.
    Tenant,
}

/// Why there is no way to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSignIn {
    /// None is for the tenant that was named.
    ForTenant,
    /// Each is for one tenant, and none was named.
    WhichTenant,
}

/// Why something that was kept is not sent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// Somebody else was signed in when it was kept.
    AnotherPersons,
    /// It is not here any more.
    Lost,
    /// It was sent already.
    Sent,
    /// The store in which replicas keep what was posted does not answer.
    Unavailable,
}

impl Trouble<'_> {
    /// The status its page is sent with.
    pub fn status(&self) -> StatusCode {
        self.words().status
    }

    /// What happened and what to do next, for a program to pass on.
    pub fn told(&self) -> (&'static str, &'static str) {
        let words = self.words();
        (words.happened, words.next)
    }

    fn words(&self) -> &'static Words {
        match self {
            Self::AlreadyUsed => &words::ALREADY_USED,
            Self::AppError => &words::APP_ERROR,
            Self::ApprovalRevoked => &words::APPROVAL_REVOKED,
            Self::AttemptExpired => &words::ATTEMPT_EXPIRED,
            Self::BadRequest => &words::BAD_REQUEST,
            Self::BindingMissing => &words::BINDING_MISSING,
            Self::ConsentDeclined | Self::NotApproved(Authorization::Admin) => {
                &words::CONSENT_DECLINED
            }
            Self::NotApproved(Authorization::Explicit) => &words::NOT_SET_UP,
            Self::NotApproved(Authorization::Implicit) => &words::NOT_OF_SUPEROFFICE,
            Self::NotApproved(Authorization::User) => &words::NOT_APPROVED_BY_PERSON,
            Self::InteractionNeeded => &words::INTERACTION_NEEDED,
            Self::Internal => &words::INTERNAL,
            Self::LoopDetected(LoopHint::Clock) => &words::LOOP_CLOCK,
            Self::LoopDetected(LoopHint::Cookie) => &words::LOOP_COOKIE,
            Self::LoopDetected(LoopHint::Scheme) => &words::LOOP_SCHEME,
            Self::Misconfigured => &words::MISCONFIGURED,
            Self::NotAllowed(NotAllowed::Administrator) => &words::NOT_ADMINISTRATOR,
            Self::NotAllowed(NotAllowed::Claim) => &words::NOT_CLAIM,
            Self::NotAllowed(NotAllowed::Person) => &words::NOT_PERSON,
            Self::NotAllowed(NotAllowed::Tenant) => &words::NOT_TENANT,
            Self::NoSignIn(NoSignIn::ForTenant) => &words::NO_SIGN_IN_FOR_TENANT,
            Self::NoSignIn(NoSignIn::WhichTenant) => &words::NO_SIGN_IN_WITHOUT_TENANT,
            Self::NotFound => &words::NOT_FOUND,
            Self::NotSent(NotSent::AnotherPersons) => &words_of_posts::KEPT_FOR_ANOTHER,
            Self::NotSent(NotSent::Lost) => &words_of_posts::KEPT_NO_MORE,
            Self::NotSent(NotSent::Sent) => &words_of_posts::SENT_ALREADY,
            Self::NotSent(NotSent::Unavailable) => &words_of_posts::KEPT_POSTS_UNAVAILABLE,
            Self::PostOriginRefused => &words_of_posts::POST_ORIGIN_REFUSED,
            Self::ReapprovalNeeded => &words::REAPPROVAL_NEEDED,
            Self::SessionsUnavailable => &words::SESSIONS_UNAVAILABLE,
            Self::StoreUnavailable => &words::STORE_UNAVAILABLE,
            Self::SuperIdExpired => &words::SUPERID_EXPIRED,
            Self::ProviderDeclined => &words::PROVIDER_DECLINED,
            Self::ProviderRefused => &words::PROVIDER_REFUSED,
            Self::ProviderUnreachable => &words::PROVIDER_UNREACHABLE,
            Self::SuperIdRefused { .. } => &words::SUPERID_REFUSED,
            Self::SuperIdUnreachable => &words::SUPERID_UNREACHABLE,
            Self::TenantDeleted => &words::TENANT_DELETED,
            Self::TenantSuspended => &words::TENANT_SUSPENDED,
            Self::TenantUnknown => &words::TENANT_UNKNOWN,
            Self::TokenReplayed => &words::TOKEN_REPLAYED,
            Self::TooBusy => &words::TOO_BUSY,
            Self::TooLarge => &words::TOO_LARGE,
            Self::TooMany => &words::TOO_MANY,
            Self::Unverified => &words::UNVERIFIED,
            Self::UpstreamTimeout => &words::UPSTREAM_TIMEOUT,
            Self::UpstreamUnreachable => &words::UPSTREAM_UNREACHABLE,
        }
    }

    fn code(&self) -> Option<&str> {
        match self {
            Self::SuperIdRefused { code } if is_error_code(code) => Some(code),
            _ => None,
        }
    }
}

/// The page for a trouble: what happened, what to do next, whom to ask, and the request id.
pub fn trouble(trouble: Trouble<'_>, footing: &Footing<'_>) -> Page {
    let words = trouble.words();
    let body = Body {
        happened: words.happened,
        code: trouble.code(),
        next: words.next,
        whom: words.whom.sentence(),
    };
    Sheet { status: words.status, title: words.title, body, again: words.again }.page(footing)
}

/// RFC 6749 §4.1.2.1 gives error codes these characters; no code of SuperID's is longer than 64.
fn is_error_code(code: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    (1..=64).contains(&code.len()) && code.bytes().all(allowed)
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<p>{{ happened }}</p>
{%- if let Some(code) = code %}
<p>SuperID gave this reason: <code>{{ code }}</code></p>
{%- endif %}
<h2>What you can do</h2>
<p>{{ next }}</p>
{%- if let Some(whom) = whom %}
<p>{{ whom }}</p>
{%- endif %}"#
)]
struct Body<'a> {
    happened: &'a str,
    code: Option<&'a str>,
    next: &'a str,
    whom: Option<&'a str>,
}

impl HtmlSafe for Body<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: [Trouble<'_>; 46] = [
        Trouble::NoSignIn(NoSignIn::ForTenant),
        Trouble::NoSignIn(NoSignIn::WhichTenant),
        Trouble::NotApproved(Authorization::Explicit),
        Trouble::NotApproved(Authorization::Implicit),
        Trouble::NotApproved(Authorization::User),
        Trouble::AlreadyUsed,
        Trouble::ApprovalRevoked,
        Trouble::InteractionNeeded,
        Trouble::ReapprovalNeeded,
        Trouble::StoreUnavailable,
        Trouble::SuperIdExpired,
        Trouble::AppError,
        Trouble::AttemptExpired,
        Trouble::BadRequest,
        Trouble::BindingMissing,
        Trouble::ConsentDeclined,
        Trouble::Internal,
        Trouble::LoopDetected(LoopHint::Clock),
        Trouble::LoopDetected(LoopHint::Cookie),
        Trouble::LoopDetected(LoopHint::Scheme),
        Trouble::Misconfigured,
        Trouble::NotAllowed(NotAllowed::Administrator),
        Trouble::NotAllowed(NotAllowed::Claim),
        Trouble::NotAllowed(NotAllowed::Person),
        Trouble::NotAllowed(NotAllowed::Tenant),
        Trouble::ProviderDeclined,
        Trouble::ProviderRefused,
        Trouble::ProviderUnreachable,
        Trouble::NotFound,
        Trouble::NotSent(NotSent::AnotherPersons),
        Trouble::NotSent(NotSent::Lost),
        Trouble::NotSent(NotSent::Sent),
        Trouble::NotSent(NotSent::Unavailable),
        Trouble::PostOriginRefused,
        Trouble::SuperIdRefused { code: "invalid_request" },
        Trouble::SuperIdUnreachable,
        Trouble::TenantDeleted,
        Trouble::TenantSuspended,
        Trouble::TenantUnknown,
        Trouble::TokenReplayed,
        Trouble::TooBusy,
        Trouble::TooLarge,
        Trouble::TooMany,
        Trouble::Unverified,
        Trouble::UpstreamTimeout,
        Trouble::UpstreamUnreachable,
    ];

    const FOOTING: Footing<'_> =
        Footing { request_id: "r-7f3a", again: Some("/auth/start?rd=%2Forders"), home: "/" };

    #[test]
    fn every_trouble_has_a_page_with_a_next_step_and_the_request_id() {
        for kind in EVERY {
            let page = trouble(kind, &FOOTING);
            let status = page.status;
            assert!(status.is_client_error() || status.is_server_error(), "{kind:?}");
            assert!(page.html.contains("<code>r-7f3a</code>"), "{kind:?}");
            assert!(page.html.contains("What you can do</h2>\n<p>"), "{kind:?}");
            assert!(page.html.contains("<h1>") && !page.html.contains("<h1></h1>"), "{kind:?}");
            assert!(page.html.contains("href=\"/auth/start?rd=%2Forders\""), "{kind:?}");
        }
    }

    #[test]
    fn no_two_troubles_read_alike() {
        let mut happened: Vec<_> = EVERY.iter().map(|kind| kind.words().happened).collect();
        happened.sort_unstable();
        happened.dedup();
        assert_eq!(happened.len(), EVERY.len());
    }

    #[test]
    fn a_code_is_shown_escaped_and_only_when_it_is_one() {
        let html = |code| trouble(Trouble::SuperIdRefused { code }, &FOOTING).html;
        assert!(html("invalid_scope").contains("<code>invalid_scope</code>"));
        assert!(html("<b>'").contains("<code>&#60;b&#62;&#39;</code>"));
        for code in ["", "a\"b", "a\\b", "a\nb", "a\u{202e}b", &"a".repeat(65)] {
            assert!(!html(code).contains("gave this reason"), "{code}");
        }
    }

    #[test]
    fn a_page_without_a_second_try_still_says_where_to_go() {
        let footing = Footing { again: None, ..FOOTING };
        let html = trouble(Trouble::NotFound, &footing).html;
        assert!(!html.contains("class=\"deed\"") && html.contains("href=\"/\""));
    }
}
