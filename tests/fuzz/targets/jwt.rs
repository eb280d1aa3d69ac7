//! Tokens: nothing passes that was not signed, and of what was signed only what the rules allow.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use superid_gateway::clock::Timestamp;
use superid_gateway::config::AllowedAddresses;
use superid_gateway::superid::{
    Hashed, IdTokenRules, KeySet, Nonce, verify_id_token, verify_signature,
};

/// The first byte chooses: a token; a good token with bytes changed; claims that we sign; a key set.
pub fn jwt(bytes: &[u8]) -> bool {
    let Some((way, bytes)) = bytes.split_first() else { return false };
    match way % 4 {
        0 => {
            let token = String::from_utf8_lossy(bytes);
            assert!(verify_signature(&token, &KEY.set).is_err(), "nobody signs but us");
            false
        }
        1 => is_unchanged(bytes),
        2 => are_good_claims(bytes),
        _ => {
            let Ok(keys) = KeySet::parse(bytes) else { return false };
            assert!((1..=32).contains(&keys.len()));
            assert!(verify_signature(&KEY.good, &keys).is_err(), "not the key of another");
            true
        }
    }
}

/// Three bytes a change: where, where, what.
fn is_unchanged(changes: &[u8]) -> bool {
    let mut token = KEY.good.clone().into_bytes();
    for change in changes.as_chunks::<3>().0 {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % token.len();
        token[at] = change[2];
    }
    let Ok(token) = String::from_utf8(token) else { return false };
    let taken = verify_signature(&token, &KEY.set).is_ok();
    assert_eq!(taken, token == KEY.good, "{token}");
    taken
}

fn are_good_claims(payload: &[u8]) -> bool {
    let token = KEY.sign(HEADER, payload);
    let Ok(verified) = verify_id_token(&token, &KEY.set, &rules()) else { return false };
    let said: Value = serde_json::from_slice(payload).expect("claims are JSON");
    let rules = rules();
    assert_eq!(said["iss"], rules.issuer);
    assert_eq!(said["nonce"], "nonce");
    let audience = &said["aud"];
    let listed = audience
        .as_array()
        .is_some_and(|all| !all.is_empty() && all.iter().all(|one| *one == rules.client_id));
    assert!(*audience == rules.client_id || listed, "{audience}");
    assert!(said["sub"].as_str().is_some_and(|sub| !sub.is_empty()));
    let expires = said["exp"].as_f64().expect("exp is a number");
    assert!(expires > (NOW.0 - rules.leeway) as f64, "{expires}");
    let context = verified.context().as_str();
    assert!(context.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{context}");
    let principal = verified.principal(&[]);
    for address in [&principal.web_api_url, &principal.soap_url].into_iter().flatten() {
        let url = url::Url::parse(address).expect("a URL");
        assert!(url.host_str().is_some_and(|host| host.ends_with(".superoffice.com")), "{url}");
    }
    true
}

fn rules() -> IdTokenRules<'static> {
    IdTokenRules {
        access_token: Hashed::IfStated("access"),
        addresses: &AllowedAddresses::SuperOffice,
        client_id: "client",
        code: Hashed::IfStated("code"),
        issuer: "https://sod.superoffice.com",
        leeway: 60,
        nonce: Nonce::Sent("nonce"),
        now: NOW,
        tenant: None,
    }
}

struct Key {
    pair: KeyPair,
    set: KeySet,
    good: String,
}

impl Key {
    fn new() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("keys can be made");
        let public = pair.public_key();
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let modulus = part(public.modulus().big_endian_without_leading_zero());
        let exponent = part(public.exponent().big_endian_without_leading_zero());
        let set = format!(
            r#"{{"keys":[{{"kty":"RSA","use":"sig","alg":"RS256","kid":"a","n":"{modulus}","e":"{exponent}"}}]}}"#
        );
        let set = KeySet::parse(set.as_bytes()).expect("a key set");
        let mut key = Self { pair, set, good: String::new() };
        key.good = key.sign(HEADER, br#"{"iss":"https://sod.superoffice.com","sub":"a@b"}"#);
        assert!(verify_signature(&key.good, &key.set).is_ok());
        key
    }

    fn sign(&self, header: &[u8], payload: &[u8]) -> String {
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let message = format!("{}.{}", part(header), part(payload));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = SystemRandom::new();
        let signed = self.pair.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature);
        signed.expect("RSA signs");
        format!("{message}.{}", part(&signature))
    }
}

static KEY: LazyLock<Key> = LazyLock::new(Key::new);

const HEADER: &[u8] = br#"{"alg":"RS256","typ":"JWT","kid":"a"}"#;
const NOW: Timestamp = Timestamp(1_000_000);
