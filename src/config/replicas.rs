//! What several replicas must share.

use std::sync::Arc;

use super::section::Section;
use super::{Flow, Redis, RelyingParty, Session, relying_party};

/// A token that is posted to us is good until it ends. Where each replica remembers by itself which
/// were used, one token signs in once on each of them.
pub(super) fn check(
    root: &Section,
    parties: &[Arc<RelyingParty>],
    session: &Session,
    redis: Option<&Option<Redis>>,
) {
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
