//! An exchange that says something untrue, and one that does not answer.

use serde_json::Value;
use superid_gateway::emulator::{Fault, Kind, SystemUserLie};

use crate::partner::{CTX, OTHER_CTX, call, claims, exchange, refusal, request, scene, with};
use crate::scene::{SECRET, Scene, own};

#[tokio::test]
async fn each_lie_bends_one_thing_about_the_token() {
    let scene = scene().await;
    let other = "1201052552";
    for (lie, name, expected) in [
        (SystemUserLie::Expired, "exp", serde_json::json!(1_700_000_000 - 3600)),
        (SystemUserLie::NotYet, "nbf", serde_json::json!(1_700_000_000 + 3600)),
        (SystemUserLie::WrongAudience, "aud", format!("spn:{other}").into()),
        (SystemUserLie::WrongSerial, "serial", other.into()),
        (SystemUserLie::WrongContext, "ctx", "Cust20011".into()),
        (SystemUserLie::WrongIssuer, "iss", scene.emulator.url().into()),
        (SystemUserLie::NoTicket, "ticket", Value::Null),
    ] {
        let claims = lied(&scene, lie.clone()).await;
        let told = if own(&claims, name).is_null() { &claims[name] } else { own(&claims, name) };
        assert_eq!(told, &expected, "{lie:?}");
    }
}

#[tokio::test]
async fn the_ticket_of_another_tenant_is_good_there() {
    let scene = scene().await;
    let claims = lied(&scene, SystemUserLie::TicketOfAnother).await;
    assert_eq!(own(&claims, "ctx"), CTX);
    let ticket = format!("SOTicket {}", own(&claims, "ticket").as_str().unwrap());
    let page = call(&scene, "Cust20011", "/api/v1/Contact", &with(&ticket, SECRET)).await;
    assert_eq!(page.status, 200);
}

#[tokio::test]
async fn a_bad_signature_is_nobodys_the_key_set_lists() {
    let scene = scene().await;
    tell(&scene, SystemUserLie::BadSignature);
    let answer = exchange(&scene, &request(&scene, CTX, &[])).await.json();
    assert_eq!(answer["IsSuccessful"], true);
    assert!(scene.verified(answer["Token"].as_str().unwrap()).await.is_none());
    let honest = claims(&scene, OTHER_CTX).await;
    assert_eq!(own(&honest, "ctx"), OTHER_CTX, "the lie is about one tenant");
}

#[tokio::test]
async fn success_without_a_token_and_refusals_in_any_words_can_be_had() {
    let scene = scene().await;
    tell(&scene, SystemUserLie::NoToken);
    let answer = exchange(&scene, &request(&scene, CTX, &[])).await.json();
    assert_eq!((&answer["IsSuccessful"], &answer["Token"]), (&Value::Bool(true), &Value::Null));
    scene.emulator.faults().clear();
    tell(&scene, SystemUserLie::Refusal { message: "Out of <tickets>".into() });
    assert_eq!(refusal(&scene, &request(&scene, CTX, &[])).await, "Out of <tickets>");
}

#[tokio::test]
async fn the_exchange_can_be_down_and_garbled() {
    let scene = scene().await;
    let body = request(&scene, CTX, &[]);
    let endpoint = Kind::SystemUser;
    scene.emulator.faults().set(Fault::Status { endpoint, code: 500 });
    assert_eq!(exchange(&scene, &body).await.status, 500);
    scene.emulator.faults().clear();
    scene.emulator.faults().set(Fault::Garbage { endpoint });
    let page = exchange(&scene, &body).await;
    assert!(serde_json::from_str::<Value>(&page.body).is_err());
    assert_eq!(scene.emulator.exchanges().all(), [], "nothing was sold");
    assert_eq!(scene.emulator.journal().count(Kind::SystemUser), 2);
}

fn tell(scene: &Scene, lie: SystemUserLie) {
    scene.emulator.faults().set(Fault::SystemUserLie { ctx: Some(CTX.into()), lie });
}

/// The claims with this lie in them; its signature is good.
async fn lied(scene: &Scene, lie: SystemUserLie) -> Value {
    scene.emulator.faults().clear();
    tell(scene, lie);
    claims(scene, CTX).await
}
