//! What several replicas must share.

use std::sync::Arc;

use super::route_read::ReadRoute;
use super::section::Section;
use super::{Flow, Redis, RelyingParty, Session, SessionStore, relying_party, session as table};

/// A token that is posted to us is good until it ends. Where each replica remembers by itself which
/// were used, one token signs in once on each of them.
pub(super) fn check(
    root: &Section,
    parties: &[Arc<RelyingParty>],
    session: &Session,
    redis: Option<&Option<Redis>>,
) {
    check_store(root, session, redis);
    let several = session.replicas.is_some_and(|count| count > 1);
    if !several || !matches!(redis, Some(None)) {
        return;
    }
    let tables = root.named("relying_party", relying_party::TABLE.keys);
    for party in parties.iter().filter(|party| party.brings_tokens_alone()) {
        let Some((_, section)) = tables.iter().find(|(name, _)| *name == party.name) else {
            continue;
        };
        let key = match party.flow {
            Flow::Code => "response_type",
            Flow::Legacy(_) => "flow",
            Flow::WsFederation => "provider",
        };
        section.reading.problem(
            &section.place(key),
            "takes tokens that must be used once, and the replicas share no store to remember them",
            "add [redis] with url, use a code, or run one gateway",
        );
    }
}

/// Which posts were sent is known to the gateway that kept them: another one would send them again, unless
/// they share a store that says so.
pub(super) fn refuse_kept_posts(
    routes: &[ReadRoute],
    session: &Session,
    redis: Option<&Option<Redis>>,
) {
    let several = session.replicas.is_some_and(|count| count > 1);
    if !several || !matches!(redis, Some(None)) {
        return;
    }
    for read in routes.iter().filter(|read| read.route.keep_post.is_some()) {
        read.section.reading.problem(
            &read.section.place("keep_post"),
            "sends what was posted once, and the replicas share no store to know what was sent",
            "add [redis] with url, leave it out, or run one gateway",
        );
    }
}

/// Sessions that one gateway keeps are none on another, and what is shared needs a place.
fn check_store(root: &Section, session: &Session, redis: Option<&Option<Redis>>) {
    let section = root.section("session", table::TABLE.keys);
    let several = session.replicas.is_some_and(|count| count > 1);
    match session.store {
        SessionStore::Memory if several => section.reading.problem(
            &section.place("store"),
            "is \"memory\", which each replica has for itself: people would be signed out whenever \
             another one serves them",
            "write store = \"cookie\", or store = \"redis\" with [redis]",
        ),
        SessionStore::Redis if matches!(redis, Some(None)) => section.reading.problem(
            &section.place("store"),
            "is \"redis\", and there is no [redis] to keep sessions in",
            "add [redis] with url, or write store = \"cookie\" or \"memory\"",
        ),
        SessionStore::Cookie | SessionStore::Memory | SessionStore::Redis => {}
    }
}
