//! What every request to sign in with one relying party says alike, spelled once.

use std::collections::HashMap;
use std::sync::Arc;

use form_urlencoded::{Serializer, byte_serialize};

use crate::config::{RelyingParty, Response};
use crate::web::PublicOrigin;

/// By relying party, how a query for it begins.
pub(super) struct Queries(HashMap<String, Beginning>);

/// The parameters of OpenID Connect Core §3.1.2.1 that are nobody's own.
struct Beginning {
    /// Everything up to and with `redirect_uri=`, whose value comes last.
    before: String,
    /// Behind the origin.
    redirect_path: String,
}

impl Queries {
    pub(super) fn of(parties: &[Arc<RelyingParty>]) -> Self {
        Self(parties.iter().map(|party| (party.name.clone(), Beginning::of(party))).collect())
    }

    /// The beginning of a query, with room for the rest.
    pub(super) fn begun(&self, party: &RelyingParty, origin: &PublicOrigin) -> String {
        match self.0.get(&party.name) {
            Some(beginning) => beginning.at(origin),
            None => Beginning::of(party).at(origin),
        }
    }
}

impl Beginning {
    fn of(party: &RelyingParty) -> Self {
        let mut query = Serializer::new(String::new());
        query
            .append_pair("response_type", &party.response.words)
            .append_pair("client_id", &party.client_id)
            .append_pair("scope", &scope(party));
        if let Some(member) = party.membership() {
            query.extend_pairs(&member.provider.asking.parameters);
        }
        if party.response != Response::code() {
            query.append_pair("response_mode", party.response.mode.word());
        }
        let before = format!("{}&redirect_uri=", query.finish());
        let redirect_path = byte_serialize(party.redirect_path.as_bytes()).collect();
        Self { before, redirect_path }
    }

    fn at(&self, origin: &PublicOrigin) -> String {
        let mut query = String::with_capacity(self.before.len() + ROOM);
        query.push_str(&self.before);
        query.extend(byte_serialize(origin.as_str().as_bytes()));
        query.push_str(&self.redirect_path);
        query
    }
}

fn scope(party: &RelyingParty) -> String {
    match party.membership() {
        Some(member) => member.provider.asking.scopes.join(" "),
        None => "openid".to_owned(),
    }
}

/// For the redirect URL, and for what is somebody's own.
const ROOM: usize = 900;
