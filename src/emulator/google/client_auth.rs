//! Proof of a client at the provider's own endpoints: secret in the header or the form, or a
//! signed assertion.

use std::time::Duration;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    UnparsedPublicKey, VerificationAlgorithm,
};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::Value;

use super::super::call::Call;
use super::super::clock::unix_seconds;
use super::super::world::World;
use super::client::{ClientAuth, GoogleClient};
use super::people::issuer;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The longest a client assertion may last.
const LONGEST: i64 = 3600;

/// The client that proves itself, or why it does not. Two proofs at once are none (RFC 6749 2.3).
pub(super) fn authenticated(world: &World, call: &Call) -> Result<GoogleClient, &'static str> {
    let posted = call.param("client_secret");
    let assertion = call.param("client_assertion");
    let basic = call.basic();
    match (basic, posted, assertion) {
        (Some((id, secret)), None, None) => {
            by_secret(world, &id, &secret, ClientAuth::ClientSecretBasic)
        }
        (None, Some(secret), None) => {
            let id = call.param("client_id").ok_or("client_id is missing")?;
            by_secret(world, id, secret, ClientAuth::ClientSecretPost)
        }
        (None, None, Some(assertion)) => by_assertion(world, call, assertion),
        (None, None, None) => Err("no client authentication"),
        _ => Err("more than one way of client authentication"),
    }
}

fn by_secret(
    world: &World,
    id: &str,
    secret: &str,
    way: ClientAuth,
) -> Result<GoogleClient, &'static str> {
    let client = world.google.client(id).ok_or("unknown client")?;
    if client.auth != ClientAuth::AnySecret && client.auth != way {
        return Err("not the registered way of client authentication");
    }
    match client.client_secret == secret && !secret.is_empty() {
        true => Ok(client),
        false => Err("wrong secret"),
    }
}

/// `private_key_jwt` (RFC 7523 3, OpenID Connect Core 9).
fn by_assertion(world: &World, call: &Call, jwt: &str) -> Result<GoogleClient, &'static str> {
    if call.param("client_assertion_type") != Some(ASSERTION_TYPE) {
        return Err("client_assertion_type is not jwt-bearer");
    }
    let (input, signature) = jwt.rsplit_once('.').ok_or("the assertion is no JWT")?;
    let (header, claims) = input.split_once('.').ok_or("the assertion is no JWT")?;
    let (header, claims) = (json(header)?, json(claims)?);
    let id = claims["sub"].as_str().ok_or("the assertion has no subject")?;
    let client = world.google.client(id).ok_or("unknown client")?;
    if client.auth != ClientAuth::PrivateKeyJwt {
        return Err("not the registered way of client authentication");
    }
    let algorithm = header["alg"].as_str().unwrap_or_default();
    let signature = decoded(signature)?;
    if !client.keys.iter().any(|key| signed(key, algorithm, input.as_bytes(), &signature)) {
        return Err("none of the client's keys has signed the assertion");
    }
    check_claims(world, id, call.param("client_id"), &claims)?;
    Ok(client)
}

fn check_claims(
    world: &World,
    id: &str,
    beside: Option<&str>,
    claims: &Value,
) -> Result<(), &'static str> {
    if claims["iss"] != id || beside.is_some_and(|beside| beside != id) {
        return Err("issuer, subject and client_id of the assertion differ");
    }
    let audiences = [issuer(world), format!("{}/tokens", issuer(world))];
    let ours = |value: &Value| audiences.iter().any(|audience| value == audience.as_str());
    let audience = &claims["aud"];
    if !ours(audience) && !audience.as_array().is_some_and(|all| all.iter().any(ours)) {
        return Err("the assertion is for another audience");
    }
    let now = unix_seconds(world.now());
    let end = claims["exp"].as_i64().ok_or("the assertion has no end")?;
    if end <= now || end > now + LONGEST {
        return Err("the assertion has ended, or lasts too long");
    }
    let jti = claims["jti"].as_str().filter(|jti| !jti.is_empty());
    let name = format!("{id} {}", jti.ok_or("the assertion has no jti")?);
    if world.google.assertions.get(&name, world.now()).is_some() {
        return Err("the assertion was used before");
    }
    let lasts = Duration::from_secs(end.abs_diff(now));
    world.google.assertions.put(&name, (), world.now() + lasts);
    Ok(())
}

fn signed(pem: &str, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
    let algorithm: &'static dyn VerificationAlgorithm = match algorithm {
        "RS256" => &RSA_PKCS1_2048_8192_SHA256,
        "PS256" => &RSA_PSS_2048_8192_SHA256,
        "ES256" => &ECDSA_P256_SHA256_FIXED,
        "EdDSA" => &ED25519,
        _ => return false,
    };
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let Ok(der) = BASE64_STANDARD.decode(body.trim()) else { return false };
    UnparsedPublicKey::new(algorithm, der).verify(message, signature).is_ok()
}

fn json(part: &str) -> Result<Value, &'static str> {
    serde_json::from_slice(&decoded(part)?).map_err(|_| "the assertion is no JWT")
}

fn decoded(part: &str) -> Result<Vec<u8>, &'static str> {
    BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| "the assertion is no JWT")
}
