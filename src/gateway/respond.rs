//! Answers for people and for programs: the one table from "why not" to status and form.

use http::{HeaderName, HeaderValue, Method, StatusCode, header};

use crate::limits::Standing;
use crate::pages::{self, Footing, LoopHint, NotAllowed, Page, Trouble};
use crate::signin::{Failed, Failure};
use crate::telemetry::Limit;
use crate::web::{Asking, PublicOrigin, Refusal, Reply, ReturnTo};

use super::about::About;
use super::calls::CallTrouble;
use super::site::HostSite;
use super::turnstile::Over;

/// Why a request is not served, for the caller and for the log.
#[derive(Clone, Debug)]
pub struct Refused {
    pub(super) reason: Reason,
    /// Our own address to try again at.
    pub(super) again: Option<String>,
    /// For the operator.
    pub detail: String,
    /// The limit that was met, for metrics.
    pub(super) limit: Option<Limit>,
    standing: Option<Box<Standing>>,
    pub(super) during: During,
    /// Whom it is about, for the audit log.
    pub(super) about: Option<Box<About>>,
    cookies: Box<[HeaderValue]>,
}

/// What was going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum During {
    Notice,
    Request,
    SignIn,
}

/// What the caller is told.
#[derive(Clone, Debug)]
pub(super) enum Reason {
    /// A call to a tenant, and after how many seconds it may be tried again.
    Call(CallTrouble, Option<u64>),
    Door(Refusal),
    /// SuperID's error code, cleaned.
    SuperIdRefused(String),
    Trouble(Trouble<'static>),
}

impl Refused {
    /// For one of the pages' reasons.
    pub fn new(trouble: Trouble<'static>, detail: impl Into<String>) -> Self {
        Self {
            reason: Reason::Trouble(trouble),
            again: None,
            detail: detail.into(),
            limit: None,
            standing: None,
            during: During::Request,
            about: None,
            cookies: Box::default(),
        }
    }

    /// For a session nobody can look up: never a sign-out.
    pub(super) fn without_store() -> Self {
        Self::new(Trouble::SessionsUnavailable, "the session store does not answer")
    }

    /// For a call to a tenant that is not made.
    pub fn call(trouble: CallTrouble, detail: impl Into<String>) -> Self {
        let refused = Self::new(Trouble::Internal, detail);
        Self { reason: Reason::Call(trouble, None), ..refused }
    }

    /// With the seconds after which a call may be tried again.
    pub(super) fn retry_after(self, seconds: u64) -> Self {
        match self.reason {
            Reason::Call(trouble, _) => {
                Self { reason: Reason::Call(trouble, Some(seconds)), ..self }
            }
            _ => self,
        }
    }

    /// For meeting a limit.
    pub(super) fn over(over: Over) -> Self {
        let trouble = match over.limit {
            Limit::BodyBytes | Limit::KeepPost => Trouble::TooLarge,
            Limit::FormBytes => Trouble::BadRequest,
            Limit::Notices | Limit::RatePerAddress | Limit::RatePerSession | Limit::SignIns => {
                Trouble::TooMany
            }
            _ => Trouble::TooBusy,
        };
        let refused = Self::new(trouble, format!("over {}", over.limit.name()));
        Self { limit: Some(over.limit), standing: over.standing.map(Box::new), ..refused }
    }

    /// For a request that was not admitted.
    pub fn refusal(refusal: Refusal) -> Self {
        Self {
            reason: Reason::Door(refusal),
            again: None,
            detail: refusal.to_string(),
            limit: match refusal {
                Refusal::BodyTooSlow => Some(Limit::BodyRate),
                Refusal::CookiesTooLarge => Some(Limit::CookieBytes),
                Refusal::TargetTooLong => Some(Limit::TargetBytes),
                Refusal::TooManyHeaders => Some(Limit::HeaderCount),
                _ => None,
            },
            standing: None,
            during: During::Request,
            about: None,
            cookies: Box::default(),
        }
    }

    /// For a sign-in that failed.
    pub fn failed(host: &HostSite, failed: Failed) -> Self {
        // These pages say to sign in again, and so there is something to press, wherever it leads.
        let is_over = matches!(failed.failure, Failure::AttemptExpired | Failure::TokenReplayed);
        let target = failed.again.or_else(|| is_over.then(ReturnTo::root));
        let reason = match failed.failure {
            Failure::AlreadyUsed => Reason::Trouble(Trouble::AlreadyUsed),
            Failure::ApprovalRevoked => Reason::Trouble(Trouble::ApprovalRevoked),
            Failure::AttemptExpired => Reason::Trouble(Trouble::AttemptExpired),
            Failure::BadRequest => Reason::Trouble(Trouble::BadRequest),
            Failure::BindingMissing => Reason::Trouble(Trouble::BindingMissing),
            Failure::ConsentDeclined => Reason::Trouble(Trouble::ConsentDeclined),
            Failure::Internal => Reason::Trouble(Trouble::Internal),
            Failure::InteractionNeeded => Reason::Trouble(Trouble::InteractionNeeded),
            Failure::LoopClock => Reason::Trouble(Trouble::LoopDetected(LoopHint::Clock)),
            Failure::LoopCookie => Reason::Trouble(Trouble::LoopDetected(LoopHint::Cookie)),
            Failure::Misconfigured => Reason::Trouble(Trouble::Misconfigured),
            Failure::PostOriginRefused => Reason::Trouble(Trouble::PostOriginRefused),
            Failure::ReapprovalNeeded => Reason::Trouble(Trouble::ReapprovalNeeded),
            Failure::StoreUnavailable => Reason::Trouble(Trouble::StoreUnavailable),
            Failure::SuperIdExpired => Reason::Trouble(Trouble::SuperIdExpired),
            Failure::NotApproved(by) => Reason::Trouble(Trouble::NotApproved(by)),
            Failure::NotLetIn => Reason::Trouble(Trouble::NotAllowed(NotAllowed::Person)),
            Failure::ProviderDeclined => Reason::Trouble(Trouble::ProviderDeclined),
            Failure::ProviderRefused(_) => Reason::Trouble(Trouble::ProviderRefused),
            Failure::ProviderUnreachable => Reason::Trouble(Trouble::ProviderUnreachable),
            Failure::SuperIdRefused(code) => Reason::SuperIdRefused(code),
            Failure::SuperIdUnreachable => Reason::Trouble(Trouble::SuperIdUnreachable),
            Failure::TenantUnknown => Reason::Trouble(Trouble::TenantUnknown),
            Failure::TokenReplayed => Reason::Trouble(Trouble::TokenReplayed),
            Failure::TooBusy => Reason::Trouble(Trouble::TooBusy),
            Failure::Unverified => Reason::Trouble(Trouble::Unverified),
        };
        let again = target.map(|target| host.start_address(&target, None));
        let limit =
            matches!(reason, Reason::Trouble(Trouble::TooBusy)).then_some(Limit::SpentAttempts);
        let (detail, cookies) = (failed.detail, failed.cookies.into());
        let during = During::SignIn;
        Self { reason, again, detail, limit, standing: None, during, about: None, cookies }
    }

    /// With whom it is about.
    pub(super) fn about(self, about: About) -> Self {
        Self { about: Some(Box::new(about)), ..self }
    }

    /// While a notice was taken.
    pub(super) fn of_a_notice(self) -> Self {
        Self { during: During::Notice, ..self }
    }

    /// With a cookie set.
    pub(super) fn with_cookie(self, cookie: HeaderValue) -> Self {
        let cookies = self.cookies.into_iter().chain([cookie]).collect();
        Self { cookies, ..self }
    }

    /// With why, for the operator.
    pub(super) fn because(self, why: impl std::fmt::Display) -> Self {
        Self { detail: format!("{}: {why}", self.detail), ..self }
    }

    /// With a way to try again.
    pub fn again(self, address: String) -> Self {
        Self { again: Some(address), ..self }
    }

    /// The reason as programs and metrics know it.
    pub(super) fn word(&self) -> String {
        name(&self.reason)
    }

    /// The status the caller gets.
    pub fn status(&self) -> StatusCode {
        match &self.reason {
            Reason::Call(trouble, _) => trouble.status(),
            Reason::Door(refusal) => refusal.status(),
            Reason::SuperIdRefused(code) => Trouble::SuperIdRefused { code }.status(),
            Reason::Trouble(trouble) => trouble.status(),
        }
    }

    /// The answer: a page for a person, JSON for a program, a plain line for what was not admitted.
    pub(super) fn reply(&self, asking: Asking, request_id: &str) -> Reply {
        let footing = Footing { request_id, again: self.again.as_deref(), home: "/" };
        let reply = match (&self.reason, asking) {
            (Reason::Door(refusal), _) => Reply::text(refusal.status(), &refused_line(*refusal)),
            (_, Asking::Program) | (Reason::Call(..), _) => self.json(request_id),
            (Reason::SuperIdRefused(code), Asking::Navigation) => {
                page(pages::trouble(Trouble::SuperIdRefused { code }, &footing))
            }
            (Reason::Trouble(trouble), Asking::Navigation) => {
                page(pages::trouble(*trouble, &footing))
            }
        };
        let mut reply = reply.with_cookies(self.cookies.iter().cloned());
        if let Some(standing) = &self.standing {
            reply.headers.extend(told(standing));
        }
        match self.reason {
            Reason::Call(_, Some(seconds)) => {
                reply.headers.push((header::RETRY_AFTER, HeaderValue::from(seconds)));
            }
            _ if self.status() == StatusCode::SERVICE_UNAVAILABLE => {
                reply.set(header::RETRY_AFTER, "10");
            }
            _ => {}
        }
        if let Reason::Call(trouble, _) = self.reason {
            let word = HeaderValue::try_from(name(&self.reason));
            reply.headers.extend(word.map(|word| (CALL_ERROR, word)));
            if trouble == CallTrouble::CallerUnknown {
                reply.set(header::WWW_AUTHENTICATE, "Basic realm=\"superid-gateway\", Bearer");
            }
        }
        if matches!(self.reason, Reason::Door(Refusal::Method)) {
            reply.set(header::ALLOW, "GET, HEAD, POST");
        }
        reply
    }

    fn json(&self, request_id: &str) -> Reply {
        let status = self.status();
        let (message, next) = match &self.reason {
            Reason::Call(trouble, _) => trouble.told(),
            Reason::Door(_) => ("The request was not taken.", "Send one that is."),
            Reason::SuperIdRefused(code) => Trouble::SuperIdRefused { code }.told(),
            Reason::Trouble(trouble) => trouble.told(),
        };
        let body = serde_json::json!({
            "error": name(&self.reason),
            "message": message,
            "next": next,
            "request_id": request_id,
        });
        Reply::json(status, body.to_string())
    }
}

/// What a client may know of its rate: the fields of draft-ietf-httpapi-ratelimit-headers-06 §3, and
/// how long to wait (RFC 9110 §10.2.3) when it has to.
pub(super) fn told(standing: &Standing) -> Vec<(HeaderName, HeaderValue)> {
    let mut fields = vec![
        (RATE_LIMIT, HeaderValue::from(standing.limit)),
        (RATE_REMAINING, HeaderValue::from(standing.remaining)),
        (RATE_RESET, HeaderValue::from(standing.reset)),
    ];
    fields.extend(standing.wait.map(|wait| (header::RETRY_AFTER, HeaderValue::from(wait))));
    fields
}

/// The chooser as an answer.
pub(super) fn chooser(choices: &[(String, String)], request_id: &str) -> Reply {
    let choices: Vec<pages::Choice<'_>> =
        choices.iter().map(|(title, href)| pages::Choice { title, href }).collect();
    page(pages::chooser(&choices, &Footing { request_id, again: None, home: "/" }))
}

/// The page after sign-out.
pub(super) fn signed_out(request_id: &str) -> Reply {
    page(pages::signed_out(&Footing { request_id, again: None, home: "/" }))
}

/// The page that posts what stands behind the `#` of its address.
pub(super) fn fragment(request_id: &str, onward: &str) -> Reply {
    let page = pages::fragment(&Footing { request_id, again: None, home: "/" });
    let policy = HeaderValue::try_from(pages::fragment_policy(onward));
    let policy = policy.expect("an origin is visible ASCII");
    Reply::page_under(page.status, page.html, policy)
}

/// The page that tells one of this origin that somebody is signed in.
pub(super) fn renewed(request_id: &str, origin: &PublicOrigin) -> Reply {
    // The page it belongs to is where to go on, and no other.
    let page = pages::renewed(origin.as_str(), &Footing { request_id, again: None, home: "" });
    let policy = HeaderValue::try_from(pages::renewed_policy(origin.as_str()));
    let policy = policy.expect("an origin is visible ASCII");
    Reply::page_in_frames(page.status, page.html, policy)
}

/// A redirect to one of our own origins as a page that leads there by itself. Whoever began the
/// navigation counts for `SameSite=Strict`, through all redirects (RFC 6265bis §5.2.1): after a
/// redirect from SuperID the browser would keep the new session back, and sign in for ever.
pub(super) fn by_a_page(reply: Reply, hosts: &[HostSite], request_id: &str) -> Reply {
    let location = reply.headers.iter().find(|(name, _)| *name == header::LOCATION);
    let local = location.and_then(|(_, value)| value.to_str().ok()).and_then(|location| {
        let origins = hosts.iter().map(|host| host.host.origin.as_str());
        let mut paths = origins.filter_map(|origin| location.strip_prefix(origin));
        paths.find(|path| path.starts_with('/'))
    });
    let (Some((_, location)), Some(path)) = (location, local) else { return reply };
    let footing = Footing { request_id, again: Some(path), home: "/" };
    let mut refresh = b"0; url=".to_vec();
    refresh.extend_from_slice(location.as_bytes());
    let Ok(refresh) = HeaderValue::from_bytes(&refresh) else { return reply };
    let cookies = reply.headers.iter().filter(|(name, _)| *name == header::SET_COOKIE);
    page(pages::onward(&footing))
        .with(header::REFRESH, refresh)
        .with_cookies(cookies.map(|(_, value)| value.clone()))
}

/// The answer with the request's name, as the log has it.
pub(super) fn named(reply: Reply, request_id: &str) -> Reply {
    match HeaderValue::try_from(request_id) {
        Ok(value) => reply.with(HeaderName::from_static("x-request-id"), value),
        Err(_) => reply,
    }
}

/// The answer without its body, as HEAD wants it.
pub(super) fn for_method(mut reply: Reply, method: &Method) -> Reply {
    // Neither has a body, nor is it to say how long one would be (RFC 9110 §8.6).
    if !matches!(reply.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        let length = HeaderValue::from(reply.body.len());
        reply.headers.push((header::CONTENT_LENGTH, length));
    }
    if method == Method::HEAD {
        reply.body.clear();
    }
    reply
}

/// One of our pages as an answer.
pub(super) fn page(page: Page) -> Reply {
    Reply::page(page.status, page.html, pages::content_security_policy())
}

/// One of our pages that has a script.
pub(super) fn page_under(page: Page, policy: &'static str) -> Reply {
    Reply::page(page.status, page.html, policy)
}

/// What a stranger reads: the status and which rule of the door was broken.
fn refused_line(refusal: Refusal) -> String {
    format!("{}: {refusal}", refusal.status())
}

/// `SuperIdUnreachable` → `super_id_unreachable`, for programs to compare.
fn name(reason: &Reason) -> String {
    let debug = match reason {
        Reason::Call(trouble, _) => format!("{trouble:?}"),
        Reason::Door(refusal) => format!("{refusal:?}"),
        Reason::SuperIdRefused(_) => "SuperIdRefused".to_owned(),
        Reason::Trouble(trouble) => format!("{trouble:?}"),
    };
    let word = debug.split(['(', ' ', '{']).next().unwrap_or_default();
    let mut name = String::new();
    for letter in word.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// Tells an answer of ours from the tenant's.
const CALL_ERROR: HeaderName = HeaderName::from_static("superid-gateway-error");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const RATE_REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RATE_RESET: HeaderName = HeaderName::from_static("ratelimit-reset");
