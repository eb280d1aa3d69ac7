//! How tickets end, and how they do not.

use crate::partner::{CTX, OTHER_CTX, call, scene, ticket, with};
use crate::scene::{ID, SECRET, Scene};

const HOURS: u64 = 3600;

#[tokio::test]
async fn each_use_gives_a_ticket_six_more_hours() {
    let scene = scene().await;
    let ticket = ticket(&scene, CTX).await;
    for _ in 0..3 {
        scene.turn_clock(6 * HOURS - 1);
        assert_eq!(use_of(&scene, &ticket, SECRET).await, 200);
    }
    scene.turn_clock(6 * HOURS);
    assert_eq!(use_of(&scene, &ticket, SECRET).await, 401);
}

#[tokio::test]
async fn a_refused_use_gives_none() {
    let scene = scene().await;
    let ticket = ticket(&scene, CTX).await;
    scene.turn_clock(6 * HOURS - 1);
    assert_eq!(use_of(&scene, &ticket, "wrong").await, 401);
    scene.turn_clock(1);
    assert_eq!(use_of(&scene, &ticket, SECRET).await, 401);
}

#[tokio::test]
async fn a_tenants_tickets_can_be_killed_and_nobody_elses_die() {
    let scene = scene().await;
    let (one, other) = (ticket(&scene, CTX).await, ticket(&scene, OTHER_CTX).await);
    let tenants = scene.emulator.tenants();
    assert_eq!(tenants.kill_tickets("CUST12345"), 1);
    assert_eq!(use_of(&scene, &one, SECRET).await, 401);
    let authorization = format!("SOTicket {other}");
    let page = call(&scene, OTHER_CTX, "/api/v1/Contact", &with(&authorization, SECRET)).await;
    assert_eq!(page.status, 200);
    assert_eq!(scene.emulator.violations().count(), 0);
}

#[tokio::test]
async fn withdrawn_consent_ends_tickets_for_good() {
    let scene = scene().await;
    let ticket = ticket(&scene, CTX).await;
    scene.emulator.tenants().revoke_consent(ID, CTX).unwrap();
    assert_eq!(use_of(&scene, &ticket, SECRET).await, 401);
    scene.emulator.tenants().restore_consent(ID, CTX).unwrap();
    assert_eq!(use_of(&scene, &ticket, SECRET).await, 401);
}

async fn use_of(scene: &Scene, ticket: &str, app_token: &str) -> u16 {
    let authorization = format!("SOTicket {ticket}");
    call(scene, CTX, "/api/v1/Contact", &with(&authorization, app_token)).await.status.as_u16()
}
