//! What is counted of sessions, of their cookies and of sign-ins.

use std::sync::Arc;

use super::catalogue::{
    REFRESH_TOKENS_REVOKED, SESSION_CONNECTIONS_CLOSED, SESSION_COOKIES_REFUSED, SESSION_REFRESHES,
    SESSION_REVOCATIONS, SESSIONS_BY_LAST_WORD, SESSIONS_ENDED, SESSIONS_MADE,
    SESSIONS_OF_OLDER_KEYS, SESSIONS_RENEWED, SIGN_INS, SIGN_INS_BEGUN,
};
use super::named::Named;
use super::registry::Registry;
use super::series::Counter;

/// Counters of sign-ins and sessions.
#[derive(Debug)]
pub struct SessionCounters {
    begun: Counter,
    signed_in: Counter,
    failed: Named<Counter>,
    made: Counter,
    renewed: Counter,
    signed_out: Counter,
    evicted: Counter,
    by_last_word: Counter,
    of_an_older_key: Counter,
    closed: [Counter; 6],
    refused: Counter,
    unfit: [Counter; 6],
    refreshes: [Counter; 5],
    ended_by_admin: Counter,
    revocations: [Counter; 6],
    tokens_revoked: [Counter; 3],
}

/// What became of a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshing {
    /// Somebody else had done it.
    Adopted,
    /// It was refused after one that nobody knows about: the session asks no more.
    Lost,
    /// Nobody could be asked.
    Outage,
    /// It brought tokens.
    Refreshed,
    /// The session ended with it.
    Refused,
}

/// What became of a refresh token that is wanted no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoking {
    /// The provider did not say that it is done.
    Failed,
    /// Too many were on their way.
    Left,
    /// It is done.
    Revoked,
}

/// What a word that ends sessions names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    Everything,
    Key,
    Person,
    ProviderSession,
    Session,
    Tenant,
}

/// Why a session cookie counts for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Its session was ended.
    Ended,
    /// The store does not have its session: ended elsewhere, over for long, or lost by the store.
    Gone,
    /// Its session was not used for too long.
    Idle,
    /// Its session has lived as long as one may.
    TooOld,
    /// Its tokens could not be had anew and are dead by now.
    Unrefreshed,
    /// It does not open: forged, damaged, or sealed with a key that is gone.
    Unreadable,
}

impl SessionCounters {
    pub(super) fn of(registry: &Arc<Registry>) -> Self {
        let failures = registry.clone();
        let failed = Named::new(MOST_REASONS, move |reason| {
            failures.counter(&SIGN_INS, &["failed", reason])
        });
        // A series that begins with its first failure would hide that one from whoever looks at rates.
        FAILURES.iter().for_each(|reason| failed.count(reason, |_| {}));
        Self {
            begun: registry.counter(&SIGN_INS_BEGUN, &[]),
            signed_in: registry.counter(&SIGN_INS, &["signed_in", "none"]),
            failed,
            made: registry.counter(&SESSIONS_MADE, &[]),
            renewed: registry.counter(&SESSIONS_RENEWED, &[]),
            signed_out: registry.counter(&SESSIONS_ENDED, &["signed_out"]),
            evicted: registry.counter(&SESSIONS_ENDED, &["evicted"]),
            by_last_word: registry.counter(&SESSIONS_BY_LAST_WORD, &[]),
            of_an_older_key: registry.counter(&SESSIONS_OF_OLDER_KEYS, &[]),
            refused: registry.counter(&SESSIONS_ENDED, &["refused"]),
            ended_by_admin: registry.counter(&SESSIONS_ENDED, &["admin"]),
            revocations: REVOCATIONS.map(|what| registry.counter(&SESSION_REVOCATIONS, &[what])),
            tokens_revoked: TOKENS_REVOKED
                .map(|what| registry.counter(&REFRESH_TOKENS_REVOKED, &[what])),
            refreshes: REFRESHES.map(|what| registry.counter(&SESSION_REFRESHES, &[what])),
            unfit: UNFIT.map(|why| registry.counter(&SESSION_COOKIES_REFUSED, &[why])),
            closed: UNFIT.map(|why| registry.counter(&SESSION_CONNECTIONS_CLOSED, &[why])),
        }
    }

    /// Somebody was sent to sign in.
    pub fn sign_in_begun(&self) {
        self.begun.inc();
    }

    /// A sign-in came to nothing; `reason` is one of a fixed set of words.
    pub fn sign_in_failed(&self, reason: &str) {
        self.failed.count(reason, Counter::inc);
    }

    /// A sign-in ended with a session.
    pub fn signed_in(&self) {
        self.signed_in.inc();
        self.made.inc();
    }

    /// A session's cookie was written anew.
    pub fn renewed(&self) {
        self.renewed.inc();
    }

    /// A session came that is sealed with an older key, and is sealed with the first from here on.
    pub fn of_an_older_key(&self) {
        self.of_an_older_key.inc();
    }

    /// Somebody signed out.
    pub fn signed_out(&self) {
        self.signed_out.inc();
    }

    /// Somebody ended one session by the admin API.
    pub fn ended_by_admin(&self) {
        self.ended_by_admin.inc();
    }

    /// Somebody ended whatever sessions there are of something.
    pub fn revoked(&self, what: Revocation) {
        self.revocations[what as usize].inc();
    }

    /// A refresh token is wanted no more, and this became of it.
    pub fn token_revoked(&self, what: Revoking) {
        self.tokens_revoked[what as usize].inc();
    }

    /// So many gave way to a new one, because memory had no room for more.
    pub fn evicted(&self, sessions: usize) {
        (0..sessions).for_each(|_| self.evicted.inc());
    }

    /// A session's tokens were asked for anew.
    pub fn refreshed(&self, what: Refreshing) {
        self.refreshes[what as usize].inc();
        if what == Refreshing::Refused {
            self.refused.inc();
        }
    }

    /// Somebody was served by what the store said before it stopped answering.
    pub fn served_by_last_word(&self) {
        self.by_last_word.inc();
    }

    /// A cookie came that counts for nothing.
    pub fn unfit(&self, why: Unfit) {
        self.unfit[why as usize].inc();
    }

    /// What somebody had open was closed.
    pub fn closed(&self, why: Unfit) {
        self.closed[why as usize].inc();
    }
}

impl Unfit {
    /// All of them, in their order.
    pub const EVERY: [Self; 6] =
        [Self::Ended, Self::Gone, Self::Idle, Self::TooOld, Self::Unrefreshed, Self::Unreadable];

    /// As metrics call it.
    pub fn name(self) -> &'static str {
        UNFIT[self as usize]
    }
}

/// Why sign-ins fail, in the words of pages and JSON.
const FAILURES: [&str; 20] = [
    "already_used",
    "approval_revoked",
    "attempt_expired",
    "bad_request",
    "binding_missing",
    "consent_declined",
    "interaction_needed",
    "internal",
    "loop_detected",
    "misconfigured",
    "post_origin_refused",
    "reapproval_needed",
    "store_unavailable",
    "super_id_expired",
    "super_id_refused",
    "super_id_unreachable",
    "tenant_unknown",
    "token_replayed",
    "too_busy",
    "unverified",
];
/// In the order of [`Refreshing`].
const REFRESHES: [&str; 5] = ["adopted", "lost", "outage", "refreshed", "refused"];
/// In the order of [`Revocation`].
const REVOCATIONS: [&str; 6] =
    ["everything", "key", "person", "provider_session", "session", "tenant"];
/// In the order of [`Revoking`].
const TOKENS_REVOKED: [&str; 3] = ["failed", "left", "revoked"];
/// In the order of [`Unfit`].
const UNFIT: [&str; 6] = ["ended", "gone", "idle", "too_old", "unrefreshed", "unreadable"];
/// More than there are.
const MOST_REASONS: usize = 64;
