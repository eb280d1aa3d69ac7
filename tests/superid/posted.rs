//! Posted tokens: whose serial numbers are believed.

use serde_json::{Value, json};
use superid_gateway::superid::{ClaimsRefused, SignInFailed};

use crate::double::Reply;
use crate::mint::{FIRST, claim, id_token, legacy};
use crate::world::World;

async fn refusal(world: &World, claims: &Value) -> Option<ClaimsRefused> {
    match world.post(&FIRST.sign(claims)).await {
        Err(SignInFailed::Untrusted(refused)) => Some(refused),
        Ok(()) => None,
        Err(other) => panic!("{other}"),
    }
}

async fn sign_in_by_code(world: &World, claims: &Value) {
    let tokens = json!({"token_type": "bearer", "access_token": "8A:x", "expires_in": "300",
        "id_token": FIRST.sign(claims)});
    world.double.says("/tokens", Reply::ok(tokens.to_string()));
    let _judged = world.redeem().await;
}

#[tokio::test]
async fn a_serial_is_learned_from_an_id_token_of_ours() {
    let world = World::start().await;
    assert_eq!(refusal(&world, &legacy()).await, Some(ClaimsRefused::SerialUnknown));
    sign_in_by_code(&world, &id_token()).await;
    assert_eq!(refusal(&world, &legacy()).await, None);
}

#[tokio::test]
async fn a_serial_is_not_learned_from_a_token_that_was_refused() {
    let world = World::start().await;
    for (name, value) in [("aud", "other"), ("nonce", "other"), ("iss", "SuperOffice AS")] {
        let mut claims = id_token();
        claims[name] = json!(value);
        sign_in_by_code(&world, &claims).await;
    }
    assert_eq!(refusal(&world, &legacy()).await, Some(ClaimsRefused::SerialUnknown));
}

#[tokio::test]
async fn a_configured_serial_counts_before_a_learned_one() {
    let world = World::start().await;
    let mut told = id_token();
    told[claim("ctx")] = json!("Cust777");
    told[claim("serial")] = json!("1");
    sign_in_by_code(&world, &told).await;
    let mut posted = legacy();
    posted[claim("ctx")] = json!("cust777");
    posted["aud"] = json!("spn:1");
    assert_eq!(refusal(&world, &posted).await, Some(ClaimsRefused::Audience));
    posted["aud"] = json!("spn:777777");
    assert_eq!(refusal(&world, &posted).await, None);
}

#[tokio::test]
async fn an_id_token_is_no_posted_token() {
    let world = World::start().await;
    sign_in_by_code(&world, &id_token()).await;
    assert_eq!(refusal(&world, &id_token()).await, Some(ClaimsRefused::Issuer));
}

#[tokio::test]
async fn a_relying_party_without_the_legacy_flow_takes_no_posted_token() {
    let world = World::start().await;
    sign_in_by_code(&world, &id_token()).await;
    let token = FIRST.sign(&legacy());
    let failed = world.superid.verify_posted(&world.code, &token).await.unwrap_err();
    assert!(matches!(failed, SignInFailed::Untrusted(ClaimsRefused::LegacyOff)));
}
