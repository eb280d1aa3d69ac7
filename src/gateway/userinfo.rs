//! Who is signed in, as JSON for the pages of an app: the facts its server is told, how long the
//! session lives, and whether there is a credential, never any part of it.

use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::authn::Authenticated;
use crate::clock::Timestamp;
use crate::config::Session;
use crate::identity::Credential;
use crate::pages::Trouble;
use crate::session::SessionState;
use crate::web::{Fields, Inbound, Reply};

use super::own_names::target;
use super::parties::party_of;
use super::respond::Refused;
use super::site::HostSite;
use super::start::unauthorized;
use super::verdict::Verdict;

/// The answer. `with` asks for a session with that relying party, where the host has several, and
/// `rd` says where a sign-in would lead. Asking is no use of the session: it does not live longer for it.
pub(super) fn answer(
    host: &HostSite,
    inbound: &Inbound<'_>,
    (settings, now): (&Session, Timestamp),
) -> Verdict {
    let Ok(fields) = Fields::parse(inbound.query().as_bytes()) else {
        return Verdict::Refuse(Refused::new(Trouble::BadRequest, "a parameter twice"));
    };
    let with = fields.get("with");
    let known = |name: &str| host.parties().into_iter().find(|party| party.name == name);
    let wanted = |session: &SessionState| {
        party_of(host, session).is_some() && with.is_none_or(|with| with == session.relying_party)
    };
    let reply = match host.authenticator.authenticate(inbound, now) {
        Authenticated::Proven(session) if wanted(&session) => {
            Reply::json(StatusCode::OK, told(&session, (settings, now)).to_string())
        }
        Authenticated::Unavailable => return Verdict::Refuse(Refused::without_store()),
        Authenticated::Proven(_) | Authenticated::Nobody | Authenticated::Rejected(_) => {
            let target = target(host, fields.get("rd"));
            unauthorized(host, (&target, &target), with.and_then(known))
        }
    };
    // Pages of other sites are not to have it even as a script or an image.
    let reply = reply.with(header::VARY, HeaderValue::from_static("Cookie"));
    Verdict::Answer(reply.with(RESOURCE_POLICY, HeaderValue::from_static("same-origin")))
}

fn told(session: &SessionState, (settings, now): (&Session, Timestamp)) -> Value {
    let who = &session.principal;
    let mut told = who.facts();
    let end = session.signed_in.plus(settings.absolute);
    let idle = session.seen.plus(settings.idle);
    let credential = match &session.credential {
        Credential::Bearer { until, .. } => {
            json!({ "kind": "bearer", "expires": until.0, "alive": session.credential_lives(now) })
        }
        Credential::Ticket(_) => json!({ "kind": "ticket" }),
        Credential::Nothing => Value::Null,
    };
    let more = [
        ("credential", credential),
        ("expires", end.0.into()),
        ("idle_expires", idle.0.min(end.0).into()),
        ("relying_party", session.relying_party.as_str().into()),
        ("signed_in", session.signed_in.0.into()),
        // oauth2-proxy's names.
        ("groups", json!([who.context.as_str()])),
        ("preferredUsername", who.initials.as_deref().into()),
    ];
    told.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    Value::Object(told)
}

const RESOURCE_POLICY: header::HeaderName =
    header::HeaderName::from_static("cross-origin-resource-policy");
