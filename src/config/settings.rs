//! Everything a configuration says, checked and resolved.

use std::sync::Arc;

use super::{
    Admin, Assertion, Audit, Forwarded, Host, JobListener, Limits, Listener, Log, Ordered, Redis,
    RelyingParty, Route, Servers, Session, Traces, Vault,
};

/// A whole configuration. Names have been looked up: what refers to something holds it.
#[derive(Clone, Debug)]
pub struct Settings {
    pub admin: Admin,
    /// What is signed for apps; `None` where nothing is.
    pub assertion: Option<Assertion>,
    pub audit: Audit,
    pub forwarded: Forwarded,
    pub hosts: Vec<Arc<Host>>,
    pub job_listeners: Vec<Arc<JobListener>>,
    pub limits: Limits,
    pub listeners: Vec<Listener>,
    pub log: Log,
    /// Certificates that are ordered and renewed here.
    pub ordered: Vec<Arc<Ordered>>,
    /// Where replicas share what they learn; `None` where each is alone.
    pub redis: Option<Redis>,
    pub relying_parties: Vec<Arc<RelyingParty>>,
    pub routes: Vec<Route>,
    /// Those that routes may name; others may name none of them.
    pub upstreams: Vec<Arc<Servers>>,
    pub session: Session,
    /// Where traces are sent; `None` where there are none.
    pub traces: Option<Traces>,
    /// What keeps tokens; without it nothing is kept.
    pub vault: Option<Vault>,
}

impl Settings {
    /// Whether tokens that were used are remembered in the shared store, which is where there is one,
    /// there are several replicas or nobody said otherwise, and somebody signs in with a token alone, or
    /// a provider may post a token that signs people out.
    pub fn shares_used_tokens(&self) -> bool {
        self.redis.is_some()
            && self.session.replicas != Some(1)
            && self
                .relying_parties
                .iter()
                .any(|party| party.brings_tokens_alone() || party.membership().is_some())
    }

    /// Whether posts that are kept over a sign-in lie in the shared store, which is where there is one, there
    /// are several replicas or nobody said otherwise, and a route keeps any.
    pub fn shares_kept_posts(&self) -> bool {
        self.redis.is_some()
            && self.session.replicas != Some(1)
            && self.routes.iter().any(|route| route.keep_post.is_some())
    }
}
