//! The way out, and browsers that lose what they were given.

use superid_gateway::emulator::Kind;

use crate::jar::Way;
use crate::world::{ASTRID, JONAS, World};

const SESSION: &str = "superid-gateway";

#[tokio::test]
async fn reaching_the_sign_in_removes_the_session_that_was_there() {
    let world = World::new().await;
    let mut browser = world.signed_in(ASTRID).await;
    let answer = browser.visit(&world.url("/auth/start?rd=/orders")).await;
    assert_eq!(answer.status, 303);
    assert_eq!(browser.jar.value(SESSION), None);
    assert_eq!(browser.visit(&world.url("/")).await.status, 303);
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_forged_session_planted_before_the_sign_in_does_not_survive_it() {
    let world = World::new().await;
    let attacker = world.signed_in(JONAS).await;
    let mut victim = world.browser();
    let planted = attacker.jar.value(SESSION).unwrap();
    victim.jar.keep("http", "localhost", &format!("{SESSION}={planted}; Path=/"), 0);
    victim.visit(&world.url("/auth/start?rd=/")).await;
    let answer = victim.sign_in(&world.url("/"), ASTRID).await;
    assert_eq!(answer.status, 200);
    assert_ne!(victim.jar.value(SESSION).unwrap(), planted);
    assert_eq!(world.app.last().header("X-SuperOffice-User"), Some(ASTRID));
}

#[tokio::test]
async fn signing_out_ends_the_session_for_every_copy_and_at_superid() {
    let world = World::new().await;
    let mut browser = world.signed_in(ASTRID).await;
    let mut copy = browser.clone();
    let answer = browser.visit(&world.url("/auth/sign_out")).await;
    assert!(answer.location().starts_with(&format!("{}/login/logout?", world.superid.url())));
    assert_eq!(answer.parameter("redirect_uri"), Some(world.url("/auth/signed_out")));
    assert!(browser.jar.named(SESSION).is_empty(), "nothing of ours stays");
    let page = browser.arrive(answer).await;
    page.is_page(200);
    assert_eq!(page.url, world.url("/auth/signed_out"));
    assert!(page.body.contains("You are signed out"));
    assert_eq!(copy.visit(&world.url("/")).await.status, 303, "the copied cookie is dead");
    let page = browser.open(&world.url("/")).await;
    assert!(page.field("request").is_some(), "SuperID asks who it is: {}", page.body);
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_signed_out_session_stays_dead_after_it_was_renewed() {
    let world = World::new().await;
    let mut browser = world.signed_in(ASTRID).await;
    let mut old = browser.clone();
    world.turn_clock(400);
    assert!(browser.visit(&world.url("/")).await.signs_in());
    browser.visit(&world.url("/auth/sign_out")).await;
    world.app.clear();
    assert_eq!(old.visit(&world.url("/")).await.status, 303, "the copy from before the renewal");
    world.app.heard_nothing();
}

#[tokio::test]
async fn another_site_cannot_sign_anybody_out_behind_their_back() {
    let world = World::new().await;
    let mut browser = world.signed_in(ASTRID).await;
    let url = world.url("/auth/sign_out");
    let image =
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n";
    assert_eq!(browser.request("GET", &url, Way::SameSite, image, "").await.status, 400);
    for origin in ["https://evil.example", "null"] {
        let headers = format!("Origin: {origin}\r\nAccept: text/html\r\n");
        let answer = browser.request("POST", &url, Way::SameSite, &headers, "").await;
        assert_eq!(answer.status, 400, "{origin}");
    }
    assert_eq!(browser.visit(&world.url("/")).await.status, 200);
    let headers = format!("Origin: {}\r\nAccept: text/html\r\n", world.origin);
    assert_eq!(browser.request("POST", &url, Way::SameSite, &headers, "").await.status, 303);
    assert!(browser.jar.named(SESSION).is_empty());
}

#[tokio::test]
async fn a_browser_that_loses_the_session_cookie_is_told_so_after_a_few_rounds() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.sign_in(&world.url("/"), ASTRID).await;
    let mut rounds = 0;
    let page = loop {
        browser.jar.forget(SESSION);
        let answer = browser.open(&world.url("/")).await;
        if answer.status != 200 {
            break answer;
        }
        rounds += 1;
        assert!(rounds < 8, "round for ever");
    };
    page.is_page(400);
    assert!(page.body.contains("The sign-in goes round in circles"), "{}", page.body);
    assert!(page.body.contains("cookie"), "{}", page.body);
}

#[tokio::test]
async fn a_browser_without_any_cookies_is_told_so_at_once() {
    let world = World::new().await;
    let mut browser = world.browser();
    let callback = browser.until_callback(&world.url("/orders"), ASTRID).await;
    browser.jar.forget("superid-gateway-binding");
    let answer = browser.visit(&callback).await;
    answer.is_page(400);
    assert!(answer.body.contains("The sign-in began somewhere else"));
    assert_eq!(world.asked(Kind::Tokens), 0);
    world.app.heard_nothing();
}
