//! Codes redeemed, and what goes wrong with them.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use superid_gateway::clock::Timestamp;
use superid_gateway::config::RelyingParty;
use superid_gateway::identity::{ContextId, Credential};
use superid_gateway::superid::{CallFailed, ClaimsRefused, CodeGrant, Outage, SignInFailed};

use crate::double::{Double, Reply};
use crate::mint::{FIRST, claim, id_token, legacy};
use crate::world::{NOW, World, grant};

fn tokens(claims: &Value) -> Reply {
    let tokens = json!({
        "token_type": "Bearer", "access_token": "8A:Cust12345.abc+/=", "expires_in": 3600,
        "refresh_token": "r", "id_token": FIRST.sign(claims),
    });
    Reply::ok(tokens.to_string())
}

async fn refusal(claims: &Value) -> Option<ClaimsRefused> {
    let world = World::start().await;
    world.double.says("/tokens", tokens(claims));
    match world.redeem().await {
        Err(SignInFailed::Untrusted(refused)) => Some(refused),
        _ => None,
    }
}

/// The outage behind a failure, if it is one.
fn outage(failed: SignInFailed) -> Arc<Outage> {
    match failed {
        SignInFailed::Outage(outage) => outage,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_code_brings_claims_and_a_bearer_token() {
    let world = World::start().await;
    world.double.says("/tokens", tokens(&id_token()));
    let signed_in = world.redeem().await.unwrap();
    assert_eq!(signed_in.claims.principal(&[]).subject, "ada@example.com");
    assert_eq!(signed_in.claims.context().as_str(), "Cust12345");
    let Credential::Bearer { token, until } = signed_in.credential else { panic!("no bearer") };
    assert_eq!(token.reveal(), "8A:Cust12345.abc+/=");
    assert_eq!(until, Timestamp(NOW + 3600));
}

#[tokio::test]
async fn everything_is_sent_in_the_body() {
    let world = World::start().await;
    world.double.says("/tokens", tokens(&id_token()));
    world.redeem().await.unwrap();
    let [request] = &world.double.asked("/tokens")[..] else { panic!("asked once") };
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /tokens HTTP/1.1\r\n"));
    assert!(head.contains("content-type: application/x-www-form-urlencoded"));
    assert!(head.contains("accept-encoding: identity"));
    assert!(head.contains(concat!("user-agent: superid-gateway/", env!("CARGO_PKG_VERSION"))));
    assert!(!head.contains("authorization"));
    assert_eq!(
        body,
        "grant_type=authorization_code&client_id=client&client_secret=s%26cret&code=c0de\
         &redirect_uri=https%3A%2F%2Fapp.example%2Fauth%2Fcallback&code_verifier=verifier"
    );
}

#[tokio::test]
async fn without_pkce_no_verifier_is_sent() {
    let world = World::start().await;
    world.double.says("/tokens", tokens(&id_token()));
    let grant = CodeGrant { verifier: None, ..grant() };
    world.superid.redeem(&world.code, grant).await.unwrap();
    assert!(!world.double.asked("/tokens")[0].contains("code_verifier"));
}

#[tokio::test]
async fn an_id_token_that_is_not_ours_signs_nobody_in() {
    let mut other_nonce = id_token();
    other_nonce["nonce"] = json!("other");
    assert_eq!(refusal(&other_nonce).await, Some(ClaimsRefused::Nonce));
    assert_eq!(refusal(&legacy()).await, Some(ClaimsRefused::Issuer));
}

#[tokio::test]
async fn a_tenant_that_was_not_asked_for_signs_nobody_in() {
    let world = World::start().await;
    world.double.says("/tokens", tokens(&id_token()));
    let other = ContextId::parse("Cust1").unwrap();
    let grant = CodeGrant { tenant: Some(&other), ..grant() };
    let failed = world.superid.redeem(&world.code, grant).await.unwrap_err();
    assert!(matches!(failed, SignInFailed::Untrusted(ClaimsRefused::WrongTenant)));
}

#[tokio::test]
async fn a_relying_party_of_one_tenant_takes_no_other() {
    let world = World::start().await;
    world.double.says("/tokens", tokens(&id_token()));
    let tenant = ContextId::parse("Cust1").ok();
    let party = RelyingParty { tenant, ..RelyingParty::clone(&world.code) };
    let failed = world.superid.redeem(&party, grant()).await.unwrap_err();
    assert!(matches!(failed, SignInFailed::Untrusted(ClaimsRefused::WrongTenant)));
}

#[tokio::test]
async fn a_refused_code_and_a_wrong_secret_are_told_apart() {
    let world = World::start().await;
    world.double.says("/tokens", Reply::status(400, r#"{"error":"invalid_grant"}"#));
    let failed = world.redeem().await.unwrap_err();
    assert!(matches!(failed, SignInFailed::Refused { error } if error.as_str() == "invalid_grant"));
    world.double.says("/tokens", Reply::status(401, r#"{"error":"invalid_client"}"#));
    assert!(matches!(world.redeem().await, Err(SignInFailed::Misconfigured { .. })));
}

#[tokio::test]
async fn what_superid_does_wrong_is_an_outage() {
    let world = World::start().await;
    for reply in [
        Reply::status(503, "busy"),
        Reply::ok("<html>"),
        Reply::ok("{}"),
        Reply::ok(" ".repeat(65_537)),
        Reply::CutOff,
        Reply::Answer(200, "Content-Encoding: gzip\r\n", "{}".to_owned()),
        Reply::Answer(302, "Location: /elsewhere\r\n", String::new()),
    ] {
        world.double.says("/tokens", reply.clone());
        let failed = world.redeem().await.unwrap_err();
        assert!(matches!(failed, SignInFailed::Outage(_)), "{reply:?}: {failed}");
    }
    assert!(world.double.asked("/elsewhere").is_empty(), "no redirect is followed");
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read_to_its_end() {
    let world = World::start().await;
    world.double.says("/tokens", Reply::ok(" ".repeat(1_000_000)));
    let outage = outage(world.redeem().await.unwrap_err());
    assert!(matches!(*outage, Outage::Call(CallFailed::TooLarge)), "{outage}");
}

#[tokio::test]
async fn silence_ends_with_the_time_limit() {
    let double = Double::start().await;
    double.says("/tokens", Reply::Silence);
    let world = World::at(double, Duration::from_millis(50), "http");
    let outage = outage(world.redeem().await.unwrap_err());
    assert!(matches!(*outage, Outage::Call(CallFailed::TimedOut(_))), "{outage}");
}

#[tokio::test]
async fn plain_http_where_tls_was_expected_is_an_outage() {
    let world = World::at(Double::start().await, Duration::from_millis(100), "https");
    let outage = outage(world.redeem().await.unwrap_err());
    assert!(matches!(*outage, Outage::Call(_)), "{outage}");
    assert!(world.double.asked("/tokens").is_empty(), "the secret never left in the clear");
}

#[tokio::test]
async fn a_failure_names_its_cause_but_never_the_token() {
    let mut claims = id_token();
    claims["nonce"] = json!("other");
    claims[claim("ticket")] = json!("7T:secret");
    let world = World::start().await;
    world.double.says("/tokens", tokens(&claims));
    let failed = world.redeem().await.unwrap_err();
    let said = format!("{failed} {failed:?} {}", failed.source().unwrap());
    assert!(said.starts_with("the token is at fault"), "{said}");
    assert!(said.contains("nonce is not that of this sign-in"), "{said}");
    for secret in ["eyJ", "7T:", "8A:", "s&cret", "c0de"] {
        assert!(!said.contains(secret), "{said}");
    }
}

#[test]
fn a_sign_in_outlives_the_runtime_of_another() {
    let run = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let servers = run();
    let world = servers.block_on(World::start());
    world.double.says("/tokens", tokens(&id_token()));
    std::thread::scope(|scope| {
        let serving = scope.spawn(|| {
            servers.block_on(async {
                // Two gateways' threads, one after the other, each with a runtime of its own.
                for _gateway in 0..2 {
                    world.double.is_asked().await;
                }
                world.double.is_asked().await;
            })
        });
        for _gateway in 0..2 {
            let redeemed = scope.spawn(|| run().block_on(world.redeem())).join().unwrap();
            assert!(redeemed.is_ok(), "{redeemed:?}");
        }
        serving.join().unwrap();
    });
}
