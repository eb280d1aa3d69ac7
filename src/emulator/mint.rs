//! Makes tokens: true ones for the endpoints, and bent ones for tests of verifiers.

use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::{Value, json};

use super::apps::App;
use super::claims::{self, Claims};
use super::keys::{Keys, SigningKey};
use super::seed::Seed;
use super::world::World;

/// Makes tokens that the emulator's key has signed.
pub struct Mint {
    pub(super) world: Arc<World>,
}

/// A token before it is signed: header and payload in order, each open to change.
#[derive(Clone)]
pub struct Draft {
    key: Arc<SigningKey>,
    header: Claims,
    payload: Claims,
}

impl Mint {
    pub(super) fn new(world: Arc<World>) -> Self {
        Self { world }
    }

    /// The id_token this person would get for this app in this tenant, without a nonce. `None`
    /// where there is no such person, tenant or account; an unknown app is made up.
    pub fn id_token(&self, client_id: &str, upn: &str, ctx: &str) -> Option<Draft> {
        let (world, seat) = (&*self.world, self.world.seat(upn, ctx)?);
        Some(draft(world, claims::id_token(world, &self.app(client_id), seat, &[])))
    }

    /// The token of the legacy form post; otherwise as [`Mint::id_token`].
    pub fn legacy(&self, app_id: &str, upn: &str, ctx: &str) -> Option<Draft> {
        let (world, seat) = (&*self.world, self.world.seat(upn, ctx)?);
        Some(draft(world, claims::legacy(world, &self.app(app_id), seat)))
    }

    /// The token an exchange of the app's system token for this tenant would bring, with a good
    /// ticket. `None` where there is no such tenant; an unknown app is made up.
    pub fn system_user(&self, client_id: &str, ctx: &str) -> Option<Draft> {
        let (world, tenant) = (&*self.world, self.world.seed.tenant(ctx)?);
        Some(draft(world, claims::system_user(world, &self.app(client_id), tenant)))
    }

    /// Signs exactly these bytes with the current key, whether they are JSON or not.
    pub fn raw(&self, header: &str, payload: &str) -> String {
        signed(&self.world.keys.current(), header, payload)
    }

    /// Everyone there is to make tokens for.
    pub fn seed(&self) -> &Seed {
        &self.world.seed
    }

    fn app(&self, client_id: &str) -> App {
        let known = self.world.apps.find(client_id);
        known.unwrap_or_else(|| App::new(client_id, "", ""))
    }
}

/// A draft with these claims, to be signed with the key the faults ask for.
pub(super) fn draft(world: &World, payload: Claims) -> Draft {
    let key = signing_key(world);
    let header = vec![
        ("alg".into(), json!("RS256")),
        ("kid".into(), json!(key.kid)),
        ("x5t".into(), json!(key.x5t)),
        ("typ".into(), json!("JWT")),
    ];
    Draft { key, header, payload }
}

/// The key the faults ask for.
pub(super) fn signing_key(world: &World) -> Arc<SigningKey> {
    match world.faults.signs_with_wrong_key() {
        true => world.keys.stranger(),
        false => world.keys.current(),
    }
}

impl Draft {
    /// Sets a header field, in its place where it is there already.
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.header, name, value.into());
        self
    }

    /// Signs with the key that the key set never lists.
    pub fn by_stranger(mut self, keys: &Keys) -> Self {
        self.key = keys.stranger();
        self
    }

    pub fn without_header(mut self, name: &str) -> Self {
        self.header.retain(|(known, _)| known != name);
        self
    }

    /// Sets a claim, by its full name, in its place where it is there already.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.payload, name, value.into());
        self
    }

    /// Sets one of SuperOffice's claims, by its name without the prefix.
    pub fn own_claim(self, name: &str, value: impl Into<Value>) -> Self {
        self.claim(&format!("{}{name}", claims::CLAIM_PREFIX), value)
    }

    /// Adds a claim at the end even where the name is there already.
    pub fn duplicate_claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.payload.push((name.into(), value.into()));
        self
    }

    pub fn without_claim(mut self, name: &str) -> Self {
        self.payload.retain(|(known, _)| known != name);
        self
    }

    /// Removes one of SuperOffice's claims, by its name without the prefix.
    pub fn without_own_claim(self, name: &str) -> Self {
        self.without_claim(&format!("{}{name}", claims::CLAIM_PREFIX))
    }

    pub fn header_json(&self) -> String {
        object(&self.header)
    }

    pub fn payload_json(&self) -> String {
        object(&self.payload)
    }

    /// The compact token, signed with RS256 whatever the header says.
    pub fn sign(&self) -> String {
        signed(&self.key, &self.header_json(), &self.payload_json())
    }

    /// The compact token with an empty signature.
    pub fn unsigned(&self) -> String {
        format!("{}.", signing_input(&self.header_json(), &self.payload_json()))
    }

    /// The compact token with an HMAC-SHA-256 over `key`, as an attacker makes who takes a
    /// public key for a shared secret.
    pub fn sign_with_hmac(&self, key: &[u8]) -> String {
        let input = signing_input(&self.header_json(), &self.payload_json());
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), input.as_bytes());
        format!("{input}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
    }
}

pub(super) fn set(fields: &mut Claims, name: &str, value: Value) {
    match fields.iter_mut().find(|(known, _)| known == name) {
        Some((_, old)) => *old = value,
        None => fields.push((name.into(), value)),
    }
}

/// Written by hand, because a map would sort the names and hold each once.
pub(super) fn object(fields: &Claims) -> String {
    let members = fields.iter().map(|(name, value)| format!("{}:{value}", Value::from(&**name)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

pub(super) fn signing_input(header: &str, payload: &str) -> String {
    let encode = |part: &str| BASE64_URL_SAFE_NO_PAD.encode(part);
    format!("{}.{}", encode(header), encode(payload))
}

fn signed(key: &SigningKey, header: &str, payload: &str) -> String {
    let input = signing_input(header, payload);
    let signature = BASE64_URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes()));
    format!("{input}.{signature}")
}
