//! Credentials at wrong places are refused and remembered.

use http::Method;
use superid_gateway::emulator::Offence;

use crate::browser::Browser;
use crate::partner::{CTX, OTHER_CTX, SECOND_SECRET, call, scene, ticket, with};
use crate::scene::{ASTRID, SECRET, Scene};

const CONTACTS: &str = "/api/v1/Contact";

#[tokio::test]
async fn a_ticket_of_another_tenant_is_one_alive_or_dead() {
    let scene = scene().await;
    let ticket = format!("SOTicket {}", ticket(&scene, OTHER_CTX).await);
    assert_eq!(call(&scene, CTX, CONTACTS, &with(&ticket, SECRET)).await.status, 401);
    scene.emulator.tenants().kill_tickets(OTHER_CTX);
    assert_eq!(call(&scene, CTX, CONTACTS, &with(&ticket, SECRET)).await.status, 401);
    assert_eq!(offences(&scene), [Offence::CredentialOfAnotherTenant; 2]);
    let last = scene.emulator.violations().latest().pop().unwrap();
    assert_eq!(last.credential_of.as_deref(), Some(OTHER_CTX));
    assert_eq!(last.path, "/Cust12345/api/v1/Contact");
    assert_eq!(scene.emulator.journal().entries().last().unwrap().outcome, "violation");
}

#[tokio::test]
async fn an_app_token_of_another_app_is_one() {
    let scene = scene().await;
    let ticket = format!("SOTicket {}", ticket(&scene, CTX).await);
    assert_eq!(call(&scene, CTX, CONTACTS, &with(&ticket, SECOND_SECRET)).await.status, 401);
    assert_eq!(offences(&scene), [Offence::AppTokenOfAnother]);
}

#[tokio::test]
async fn an_app_token_beside_a_bearer_token_is_one() {
    let scene = scene().await;
    let body = scene.redeem(&scene.code(ASTRID, "").await, &[]).await.json();
    let bearer = format!("Bearer {}", body["access_token"].as_str().unwrap());
    let alone = [("authorization", bearer.as_str())];
    assert_eq!(call(&scene, CTX, CONTACTS, &alone).await.status, 200);
    assert_eq!(call(&scene, CTX, CONTACTS, &with(&bearer, SECRET)).await.status, 401);
    assert_eq!(call(&scene, OTHER_CTX, CONTACTS, &alone).await.status, 401);
    let both = [Offence::AppTokenBesideBearer, Offence::CredentialOfAnotherTenant];
    assert_eq!(offences(&scene), both);
}

#[tokio::test]
async fn an_app_token_where_its_tenant_never_lived_is_one() {
    let scene = scene().await;
    let ticket = format!("SOTicket {}", ticket(&scene, CTX).await);
    let headers = with(&ticket, SECRET);
    let hosts = scene.emulator.hosts();
    for (url, status) in [
        (format!("{}/Cust12345{CONTACTS}", hosts[2]), 421),
        (format!("{}/Cust12345{CONTACTS}", hosts[0]), 421),
        (format!("{}/Cust404{CONTACTS}", hosts[1]), 404),
        (format!("{}/api/state/Cust12345", hosts[0]), 200),
        (format!("{}/elsewhere", hosts[1]), 404),
    ] {
        let page = Browser::new().send(Method::GET, &url, &headers, String::new()).await;
        assert_eq!(page.status, status, "{url}");
    }
    assert_eq!(offences(&scene), [Offence::AppTokenAstray; 5]);
}

#[tokio::test]
async fn a_script_reads_and_clears_them() {
    let scene = scene().await;
    let ticket = format!("SOTicket {}", ticket(&scene, OTHER_CTX).await);
    call(&scene, CTX, CONTACTS, &with(&ticket, SECRET)).await;
    let url = scene.url("/emulator/violations");
    let body = Browser::new().get(&url).await.json();
    assert_eq!(body["count"], 1);
    assert_eq!(body["latest"][0]["offence"], "credential_of_another_tenant");
    Browser::new().send(Method::DELETE, &url, &[], String::new()).await;
    assert_eq!(scene.emulator.violations().count(), 0);
}

fn offences(scene: &Scene) -> Vec<Offence> {
    let latest = scene.emulator.violations().latest();
    assert_eq!(latest.len() as u64, scene.emulator.violations().count());
    latest.into_iter().map(|one| one.offence).collect()
}
