//! What the provider says about a person: Google's claims, from the emulator's cast.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::super::clock::unix_seconds;
use super::super::mint::{object, signing_input};
use super::super::seed::Person;
use super::super::world::World;
use super::state::Grant;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};

type Claims = Vec<(String, Value)>;

/// Seconds an id_token is good for, as Google's are.
const LIFETIME: i64 = 3600;

/// `http://127.0.0.1:PORT/google`.
pub(super) fn issuer(world: &World) -> String {
    format!("{}/google", world.base)
}

/// A signed id_token with more claims than those of the scope. `None` where the person is gone.
pub(super) fn id_token(world: &World, grant: &Grant, more: &[(&str, String)]) -> Option<String> {
    let now = unix_seconds(world.now()) + world.faults.skew();
    let mut claims: Claims = vec![
        ("iss".into(), issuer(world).into()),
        ("azp".into(), grant.client_id.as_str().into()),
        ("aud".into(), grant.client_id.as_str().into()),
    ];
    claims.extend(about(world.seed.person(&grant.upn)?, &grant.scope));
    claims.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())));
    claims.push(("iat".into(), now.into()));
    claims.push(("exp".into(), (now + LIFETIME).into()));
    world.faults.answer_lies().iter().for_each(|lie| lie.bend_claims(&mut claims));
    let algorithm = world.google.settings().algorithm;
    let header = json!({ "alg": algorithm.name(), "kid": algorithm.kid(), "typ": "JWT" });
    let input = signing_input(&header.to_string(), &object(&claims));
    let signature = match world.faults.signs_with_wrong_key() {
        true => super::keys::ProviderKeys::default().sign(algorithm, input.as_bytes()),
        false => world.google.keys.sign(algorithm, input.as_bytes()),
    };
    Some(format!("{input}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
}

/// Subject and what the scope shows. Somebody without an account in any tenant has a private
/// account: no `hd`, and an address nobody has verified.
pub(super) fn about(person: &Person, scope: &str) -> Claims {
    let mut claims: Claims = vec![("sub".into(), subject(person).into())];
    let mut add = |name: &str, value: Value| claims.push((name.into(), value));
    let asked = |name: &str| scope.split(' ').any(|word| word == name);
    if let Some(domain) = hosted_domain(person) {
        add("hd", domain.into());
    }
    if asked("email") {
        add("email", person.email.as_str().into());
        add("email_verified", hosted_domain(person).is_some().into());
    }
    if asked("profile") {
        add("name", person.name().into());
        add("given_name", person.first_name.as_str().into());
        add("family_name", person.last_name.as_str().into());
    }
    claims
}

/// 21 decimal digits, the same for a person each time.
pub(super) fn subject(person: &Person) -> String {
    let hash = digest(&SHA256, person.upn.to_ascii_lowercase().as_bytes());
    let digits = hash.as_ref().iter().map(|byte| char::from(b'0' + byte % 10));
    digits.take(21).collect()
}

pub(super) fn hosted_domain(person: &Person) -> Option<&str> {
    let domain = person.email.split_once('@')?.1;
    (!person.memberships.is_empty()).then_some(domain)
}
