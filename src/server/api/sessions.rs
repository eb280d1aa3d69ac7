//! Sessions: listed by tenant and person, and ended one by one.

use serde_json::{Value, json};

use crate::config::SessionStore;
use crate::gateway::Site;
use crate::session::{Listed, NotListed, SessionId, Wanted, What};

use super::asked::{Asked, authorities};
use super::reply::{Done, Reason, Refusal};

/// A page of sessions.
///
/// # Errors
/// The query is wrong, the store has no list, or it cannot be asked.
pub(super) async fn list(site: &Site, query: Option<&str>) -> Result<Done, Refusal> {
    let asked = Asked::read(query, &["tenant", "person", "authority", "limit", "after"])?;
    let detail = asked.detail();
    if let Some(authority) = &asked.authority {
        authorities(site, Some(authority))?;
    }
    let wanted = Wanted {
        tenant: asked.tenant,
        person: asked.person,
        authority: asked.authority,
        after: asked.after,
        most: asked.limit,
    };
    let page = site.directory().list(&wanted, site.clock.now()).await.map_err(not_listed)?;
    let store = match site.settings.session.store {
        SessionStore::Cookie => "cookie",
        SessionStore::Memory => "memory",
        SessionStore::Redis => "redis",
    };
    let sessions: Vec<Value> = page.sessions.iter().map(told).collect();
    Ok(Done::of(json!({ "store": store, "sessions": sessions, "next": page.next }), detail))
}

/// Ends one session, for every copy of its cookie.
///
/// # Errors
/// The store knows of none with this id, or cannot be asked.
pub(super) async fn end(site: &Site, id: SessionId) -> Result<Done, Refusal> {
    let found = site.directory().take_out(id).await;
    let found = found.map_err(|failed| Refusal::unavailable("the session store", &failed))?;
    // Whatever the store says: a copy of a record may be known elsewhere for a moment.
    let spread = site.revocations().revoke(What::Session(id), site.clock.now()).await;
    if !found {
        return Err(Refusal::new(Reason::NotFound, format!("there is no session {id}")));
    }
    site.metrics.sessions().ended_by_admin();
    let done = Done::of(json!({ "revoked": "session" }), Some(format!("session {id}")));
    Ok(done.spread(spread))
}

fn told(listed: &Listed) -> Value {
    json!({
        "id": listed.id.to_string(),
        "tenant": listed.label.tenant().as_str(),
        "person": listed.label.person(),
        "authority": listed.label.authority(),
        "relying_party": listed.label.relying_party(),
        "signed_in": listed.signed_in.0,
        "last_used": listed.seen.map(|seen| seen.0),
    })
}

fn not_listed(why: NotListed) -> Refusal {
    match why {
        NotListed::Cursor => Refusal::bad_request("after is not what next said"),
        NotListed::Unavailable(failed) => Refusal::unavailable("the session store", &failed),
        NotListed::WithBrowsers => Refusal::new(
            Reason::NotListed,
            "session.store is \"cookie\": each browser has its own session, and nobody has a list of them. A \
             person's and a tenant's can be ended all the same: POST /v1/revocations",
        ),
        NotListed::Whose => Refusal::bad_request("name a tenant, a person or both"),
    }
}
