//! Bent tokens for tests of verifiers.

use serde_json::json;

use crate::scene::{ASTRID, ID, Scene, decode, own};

#[tokio::test]
async fn any_field_can_be_replaced_added_twice_or_taken_away() {
    let scene = Scene::new().await;
    let draft = scene.emulator.mint().id_token(ID, ASTRID, "Cust12345").unwrap();
    let token = draft
        .clone()
        .claim("aud", json!([ID, "other"]))
        .own_claim("ctx", "Cust1")
        .without_own_claim("email")
        .without_header("x5t")
        .sign();
    let (header, payload) = scene.verified(&token).await.unwrap();
    assert!(header.get("x5t").is_none());
    assert_eq!(payload["aud"], json!([ID, "other"]));
    assert_eq!(own(&payload, "ctx"), "Cust1");
    assert!(own(&payload, "email").is_null());

    let twice = draft.clone().duplicate_claim("iss", "https://evil.example");
    assert_eq!(twice.payload_json().matches("\"iss\":").count(), 2);
    assert!(draft.clone().header("alg", "none").unsigned().ends_with('.'));
    assert!(scene.verified(&draft.sign_with_hmac(b"public")).await.is_none());
}

#[tokio::test]
async fn raw_text_is_signed_as_it_is() {
    let scene = Scene::new().await;
    let token = scene.emulator.mint().raw("{\"a\":1,\"a\":2}", "not json");
    let parts: Vec<_> = token.split('.').collect();
    assert_eq!(decode(parts[0]), b"{\"a\":1,\"a\":2}");
    assert_eq!(decode(parts[1]), b"not json");
}
