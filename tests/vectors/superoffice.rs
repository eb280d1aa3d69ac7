//! The two signed tokens SuperOffice's samples have published: what holds in them is seen to hold,
//! and neither signs anybody in.

use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use superid_gateway::clock::Timestamp;
use superid_gateway::config::AllowedAddresses;
use superid_gateway::identity::ContextId;
use superid_gateway::superid::{
    ClaimsRefused, Hashed, IdTokenRules, KeySet, LegacyRules, Nonce, verify_id_token,
    verify_legacy_token, verify_signature,
};

use crate::certificate;
use crate::published::{folder, key_set, text};

const CLIENT_ID: &str = "gg454918d75b1b53101065c16ee51123";

/// `nbf` and `exp` of the bundle's id_token; its `iat`, a string, lies after both.
const BUNDLE: [u64; 2] = [1_674_066_010, 1_831_832_410];
/// `nbf` and `exp` of the mirroring token.
const MIRRORING: [u64; 2] = [1_639_640_381, 1_639_640_741];

fn id_token_rules(now: u64) -> IdTokenRules<'static> {
    IdTokenRules {
        access_token: Hashed::IfStated("8A:Cust12345.secret-access-token"),
        addresses: &AllowedAddresses::SuperOffice,
        client_id: CLIENT_ID,
        code: Hashed::IfStated("code"),
        issuer: "https://sod.superoffice.com",
        leeway: 60,
        nonce: Nonce::Sent("nonce"),
        now: Timestamp(now),
        tenant: None,
    }
}

fn bundle(folder: &Path) -> (String, KeySet) {
    let jwks = text(&folder.join("aspnet-bundle/jwks.json"));
    let keys = KeySet::parse(jwks.as_bytes()).expect("the published key set is one");
    (text(&folder.join("aspnet-bundle/id_token.jwt")), keys)
}

fn mirroring(folder: &Path) -> (String, KeySet) {
    let key = certificate::jwk(&folder.join("mirroring-jwt/DevNet.crt"));
    let token = text(&folder.join("mirroring-jwt/superid_signed.jwt"));
    (token, key_set(&[key]).expect("the certificate's key is usable"))
}

fn posted(token: &str, keys: &KeySet, now: u64, serial: Option<&str>) -> Option<ClaimsRefused> {
    let known = |_: &ContextId| serial.map(str::to_owned);
    let rules = LegacyRules {
        addresses: &AllowedAddresses::SuperOffice,
        issuer: "SuperOffice AS",
        leeway: 60,
        now: Timestamp(now),
        serial: &known,
    };
    verify_legacy_token(token, keys, &rules).err()
}

#[test]
fn the_bundles_id_token_holds_in_all_but_the_nonce_and_signs_nobody_in() {
    let Some(folder) = folder() else { return };
    let (token, keys) = bundle(&folder);
    let refusal = |rules| verify_id_token(&token, &keys, &rules).err();
    let [nbf, exp] = BUNDLE;
    for now in [nbf - 60, 1_700_000_000, exp + 59] {
        assert_eq!(refusal(id_token_rules(now)), Some(ClaimsRefused::Nonce), "at {now}");
    }
    let now = id_token_rules(1_700_000_000);
    assert_eq!(refusal(id_token_rules(nbf - 61)), Some(ClaimsRefused::NotYetValid));
    assert_eq!(refusal(id_token_rules(exp + 60)), Some(ClaimsRefused::Expired));
    let elsewhere = IdTokenRules { issuer: "https://online.superoffice.com", ..now };
    assert_eq!(refusal(elsewhere), Some(ClaimsRefused::Issuer));
    assert_eq!(refusal(IdTokenRules { client_id: "x", ..now }), Some(ClaimsRefused::Audience));
    assert!(verify_signature(&token, &keys).is_ok());
    let serial = Some("123456789");
    assert_eq!(posted(&token, &keys, 1_700_000_000, serial), Some(ClaimsRefused::Issuer));
}

#[test]
fn a_changed_byte_of_the_bundles_id_token_breaks_its_signature() {
    let Some(folder) = folder() else { return };
    let (token, keys) = bundle(&folder);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let payload = signed.split_once('.').unwrap().1;
    let claims = URL_SAFE_NO_PAD.decode(payload).unwrap();
    let forged = String::from_utf8(claims).unwrap().replace("Cust12345", "Cust12346");
    let token = format!("eyJhbGciOiJSUzI1NiJ9.{}.{signature}", URL_SAFE_NO_PAD.encode(forged));
    assert_eq!(verify_signature(&token, &keys).err(), Some(ClaimsRefused::Signature));
}

#[test]
fn the_mirroring_token_holds_but_is_no_tenants_sign_in() {
    let Some(folder) = folder() else { return };
    let (token, keys) = mirroring(&folder);
    let [nbf, exp] = MIRRORING;
    // Its audience is the application's number. Taken for a serial, everything else holds.
    let application = Some("123123123123123123");
    for now in [nbf - 60, nbf, exp + 59] {
        assert_eq!(posted(&token, &keys, now, application), None, "at {now}");
    }
    let at = |now| posted(&token, &keys, now, application);
    assert_eq!(at(nbf - 61), Some(ClaimsRefused::NotYetValid));
    assert_eq!(at(exp + 60), Some(ClaimsRefused::Expired));
    let tenant = Some("1501052557");
    assert_eq!(posted(&token, &keys, nbf, tenant), Some(ClaimsRefused::Audience));
    assert_eq!(posted(&token, &keys, nbf, None), Some(ClaimsRefused::SerialUnknown));
    let redeemed = verify_id_token(&token, &keys, &id_token_rules(nbf)).err();
    assert_eq!(redeemed, Some(ClaimsRefused::Issuer));
}

#[test]
fn both_tokens_are_signed_by_one_key_listed_and_certified() {
    let Some(folder) = folder() else { return };
    let ((bundled, listed), (mirrored, certified)) = (bundle(&folder), mirroring(&folder));
    for token in [bundled, mirrored] {
        assert!(verify_signature(&token, &listed).is_ok());
        assert!(verify_signature(&token, &certified).is_ok());
    }
}

#[test]
fn the_bundles_claims_sign_in_once_they_have_a_nonce_and_a_short_life() {
    let Some(folder) = folder() else { return };
    let (token, keys) = bundle(&folder);
    let payload = token.split('.').nth(1).unwrap();
    let mut claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    claims["nonce"] = json!("nonce");
    let now = id_token_rules(1_700_000_000);
    let resigned = sign(&folder, &claims);
    let refused = verify_id_token(&resigned, &keys, &now).err();
    assert_eq!(refused, Some(ClaimsRefused::Lifetime), "four years is no sign-in either");
    claims["exp"] = json!(1_700_000_300);
    let verified = verify_id_token(&sign(&folder, &claims), &keys, &now).unwrap();
    let person = verified.principal(&[]);
    assert_eq!(person.subject, "johm.demo.smith@superoffice.com");
    assert_eq!(person.web_api_url.as_deref(), Some("https://sod.superoffice.com/Cust12345/api/"));
    assert!(verified.ticket().is_none(), "a ticket in an id_token is not believed");
}

/// Signs as the published key's owner would.
fn sign(folder: &Path, claims: &Value) -> String {
    let pem = text(&folder.join("mirroring-jwt/private.key"));
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(body).expect("PEM holds base64");
    let key = RsaKeyPair::from_pkcs8(&der).expect("the published key is one");
    let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let header = json!({"alg": "RS256", "typ": "JWT"});
    let message = format!("{}.{}", part(header), part(claims.clone()));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
        .expect("RSA signs");
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}
