//! What every request to sign in with one relying party says alike, spelled once.

use std::collections::HashMap;
use std::sync::Arc;

use form_urlencoded::{Serializer, byte_serialize};

use crate::config::{RelyingParty, Response};
use crate::web::PublicOrigin;

/// By relying party, those that are asked by such a query.
pub(super) struct Askings(HashMap<String, Asking>);

/// The parameters of OpenID Connect Core §3.1.2.1 that are nobody's own.
struct Asking {
    /// All but the redirect URL, to whose value the rest is.
    before: String,
    /// Behind the origin.
    redirect_path: String,
}

impl Askings {
    pub(super) fn of(parties: &[Arc<RelyingParty>]) -> Self {
        Self(parties.iter().map(|party| (party.name.clone(), Asking::of(party))).collect())
    }

    /// The beginning of a query, with room for the rest.
    pub(super) fn begun(&self, party: &RelyingParty, origin: &PublicOrigin) -> String {
        match self.0.get(&party.name) {
            Some(asking) => asking.at(origin),
            None => Asking::of(party).at(origin),
        }
    }
}

impl Asking {
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
