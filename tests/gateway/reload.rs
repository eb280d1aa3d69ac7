//! A new configuration while the gateway serves.

use std::net::TcpListener;

use crate::wire::Door;
use crate::world::{ASTRID, JONAS, World};

#[tokio::test]
async fn a_new_rule_is_in_force_at_once_and_nobody_is_signed_out() {
    let mut world = World::new().await;
    let (mut admin, mut user) = (world.signed_in(ASTRID).await, world.signed_in(JONAS).await);
    assert_eq!(user.visit(&world.url("/orders")).await.status, 200);
    world.reload("[route.app]\nadministrator = true").unwrap();
    user.visit(&world.url("/orders")).await.is_page(403);
    assert_eq!(admin.visit(&world.url("/orders")).await.status, 200);
    assert_eq!(world.asked(superid_gateway::emulator::Kind::Tokens), 2);
}

#[tokio::test]
async fn what_was_ended_or_spent_stays_so() {
    let mut world = World::new().await;
    let mut browser = world.signed_in(ASTRID).await;
    let copy = browser.clone();
    browser.visit(&world.url("/auth/sign_out")).await;
    let mut other = world.browser();
    let callback = other.until_callback(&world.url("/orders"), ASTRID).await;
    assert!(other.visit(&callback).await.signs_in());
    world.reload("[session]\nabsolute = \"20h\"").unwrap();
    let mut copy = copy;
    assert_ne!(copy.visit(&world.url("/orders")).await.status, 200);
    other.visit(&callback).await.is_page(400);
    world.app.heard_nothing();
}

#[tokio::test]
async fn listeners_come_and_go_while_the_others_serve() {
    let mut world = World::new().await;
    world.reload("[listener.more]\naddress = \"127.0.0.1:0\"").unwrap();
    let addresses = world.gateway.addresses();
    let (_, more) = addresses.iter().find(|(name, _)| name == "more").unwrap();
    let more = *more;
    world.net.lead("more", Door { address: more, tls: None });
    let head = format!("GET /public/ HTTP/1.1\r\nHost: {}\r\n", world.authority());
    let answer = world.api().raw("more", &head).await;
    assert_eq!(answer.map(|answer| answer.status), Some(200));
    world.reload("").unwrap();
    assert_eq!(world.gateway.addresses().len(), addresses.len() - 1);
    assert_eq!(world.api().get(&world.url("/public/")).await.status, 200);
}

#[tokio::test]
async fn a_configuration_that_cannot_be_had_changes_nothing() {
    let mut world = World::new().await;
    let mut browser = world.signed_in(JONAS).await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let more = format!(
        "[route.app]\nadministrator = true\n[listener.more]\naddress = \"{}\"",
        taken.local_addr().unwrap()
    );
    let failed = world.reload(&more).unwrap_err();
    assert!(failed.to_string().contains("cannot listen there"), "{failed}");
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
}
