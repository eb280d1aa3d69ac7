//! Metadata and key set.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::json;

use crate::browser::Browser;
use crate::scene::{Scene, decode};

#[tokio::test]
async fn the_metadata_names_an_issuer_that_is_not_its_address() {
    let scene = Scene::new().await;
    let page = Browser::new().get(&scene.url("/login/.well-known/openid-configuration")).await;
    let metadata = page.json();
    assert_eq!(metadata["issuer"], scene.emulator.url());
    assert_eq!(metadata["token_endpoint"], scene.url("/login/common/oauth/tokens"));
    assert_eq!(metadata["end_session_endpoint"], scene.url("/login/logout"));
    assert_eq!(metadata["response_modes_supported"], json!(["form_post", "fragment", "query"]));
    assert!(metadata.get("code_challenge_methods_supported").is_none());
    assert!(metadata.get("userinfo_endpoint").is_none());
}

#[tokio::test]
async fn the_key_is_named_by_the_hash_of_its_certificate() {
    let scene = Scene::new().await;
    let jwks = Browser::new().get(&scene.url("/login/.well-known/jwks")).await.json();
    let keys = jwks["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1);
    let key = &keys[0];
    let members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use", "x5c", "x5t"]);
    let certificate = BASE64_STANDARD.decode(key["x5c"][0].as_str().unwrap()).unwrap();
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &certificate);
    let kid: String = hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    assert_eq!(key["kid"], kid);
    assert_eq!(decode(key["x5t"].as_str().unwrap()), hash.as_ref());
    assert_eq!(decode(key["n"].as_str().unwrap()).len(), 256);
    assert_eq!(key["e"], "AQAB");
    let n = decode(key["n"].as_str().unwrap());
    assert!(certificate.windows(n.len()).any(|part| part == n), "the certificate has the key");
}
