//! Sessions whose ticket died, or whose tenant is closed: signed in again without a page, or told so.

use superid_gateway::emulator::{Kind, TenantState};

use crate::installing::{NORDLYS, SYSTEM_USER, joined};
use crate::legacy::LEGACY;
use crate::wire::until;
use crate::world::{ASTRID, World};

const HOUR: u64 = 3_600;
/// A session that outlives the ticket in it, and a route that does not use the ticket.
const LONG: &str = r#"
[session]
store = "memory"
idle = "12h"
absolute = "24h"
[route.quiet]
path = "/quiet"
upstream = "$APP"
present = "nothing"
[route.crm]
path = "/crm"
upstream = "tenant"
"#;
const PERSON: &str = "/crm/api/v1/User/currentPrincipal";

async fn world() -> World {
    World::with(&joined(&joined(SYSTEM_USER, LEGACY), LONG)).await
}

fn ticket(world: &World) -> String {
    world.app.last().header("SOTicket").unwrap().to_owned()
}

#[tokio::test]
async fn who_comes_with_a_ticket_that_is_past_its_life_is_signed_in_again_without_a_page() {
    let world = world().await;
    let mut browser = world.signed_in(ASTRID).await;
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
    let before = ticket(&world);
    for _ in 0..3 {
        world.turn_clock(2 * HOUR);
        assert_eq!(browser.visit(&world.url("/quiet")).await.status, 200, "the session lives");
    }
    world.app.clear();
    let program = "Accept: application/json\r\nSec-Fetch-Mode: cors\r\n";
    let cookie = browser.jar.value("superid-gateway").unwrap();
    let headers = format!("{program}Cookie: superid-gateway={cookie}\r\n");
    let background = world.api().send("GET", &world.url("/orders/7"), &headers).await;
    assert_eq!(background.status, 401, "{}", background.body);
    assert_eq!(background.json()["error"], "sign_in_required");
    world.app.heard_nothing();
    let sent = browser.visit(&world.url("/orders/7?tab=2")).await;
    assert!(sent.location().starts_with(&format!("{}/login/", world.superid.url())));
    let form = browser.arrive(sent).await;
    assert!(form.field("jwt").is_some(), "no page of SuperID's asks anything: {}", form.body);
    let handed = browser.post_back(form).await;
    assert_eq!(browser.arrive(handed).await.status, 200);
    assert_eq!(world.app.last().target, "/orders/7?tab=2");
    assert_ne!(ticket(&world), before);
    assert_eq!(browser.visit(&world.url(PERSON)).await.status, 200, "the new one is good");
}

#[tokio::test]
async fn a_ticket_that_goes_along_now_and_then_lives_on_without_a_new_sign_in() {
    let world = world().await;
    let mut browser = world.signed_in(ASTRID).await;
    for _ in 0..6 {
        world.turn_clock(3 * HOUR);
        assert_eq!(browser.visit(&world.url(PERSON)).await.status, 200);
        assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
    }
    assert_eq!(world.asked(Kind::Legacy), 1);
}

#[tokio::test]
async fn a_ticket_that_the_tenant_takes_no_more_leads_to_a_new_sign_in_but_not_round_and_round() {
    let world = world().await;
    let mut browser = world.signed_in(ASTRID).await;
    let end_tickets = || {
        world.superid.tenants().revoke_consent("client-of-main", NORDLYS).unwrap();
        world.superid.tenants().restore_consent("client-of-main", NORDLYS).unwrap();
    };
    end_tickets();
    assert_eq!(browser.visit(&world.url(PERSON)).await.status, 401);
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 200, "it was given a moment ago");
    world.turn_clock(300);
    assert_eq!(browser.visit(&world.url(PERSON)).await.status, 401, "that is how it is found out");
    let sent = browser.visit(&world.url("/orders")).await;
    assert_eq!(sent.status, 303);
    let form = browser.arrive(sent).await;
    let handed = browser.post_back(form).await;
    assert_eq!(browser.arrive(handed).await.status, 200);
    assert_eq!(browser.visit(&world.url(PERSON)).await.status, 200);
    // Refused again at once, it is the tenant that is at fault, and nobody goes round.
    end_tickets();
    for _ in 0..10 {
        assert_eq!(browser.visit(&world.url(PERSON)).await.status, 401);
        assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
    }
    assert_eq!(world.asked(Kind::Legacy), 2);
}

#[tokio::test]
async fn people_of_a_tenant_that_is_known_to_be_closed_are_told_and_no_credential_leaves() {
    let world = world().await;
    let mut browser = world.signed_in(ASTRID).await;
    world.superid.tenants().set_state(NORDLYS, TenantState::Suspended).unwrap();
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 200, "nobody knows of it");
    until("it is asked for", async || {
        let refused = browser.visit(&world.url(PERSON)).await;
        refused.header("superid-gateway-error") == "tenant_suspended"
    })
    .await;
    world.app.clear();
    let page = browser.visit(&world.url("/orders")).await;
    page.is_page(503);
    assert!(page.body.contains("suspended"), "{}", page.body);
    let cookie = browser.jar.value("superid-gateway").unwrap();
    let headers = format!("Accept: application/json\r\nCookie: superid-gateway={cookie}\r\n");
    let told = world.api().send("GET", &world.url("/orders"), &headers).await;
    assert_eq!((told.status, told.json()["error"].as_str()), (503, Some("tenant_suspended")));
    world.app.heard_nothing();
    assert_eq!(
        browser.visit(&world.url("/quiet")).await.status,
        200,
        "nothing is asked of it there"
    );
    world.superid.tenants().set_state(NORDLYS, TenantState::Running).unwrap();
    // What is known holds for five minutes at most, and is asked after beside the next request.
    world.turn_clock(301);
    until("it is open again", async || browser.visit(&world.url("/orders")).await.status == 200)
        .await;
}
