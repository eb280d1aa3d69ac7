//! The main job: from nobody to somebody, and back to exactly where they wanted to be.

use superid_gateway::emulator::Kind;

use crate::world::{ASTRID, World};

#[tokio::test]
async fn a_navigation_is_sent_to_superid_with_state_nonce_and_a_challenge() {
    let world = World::new().await;
    let answer = world.browser().visit(&world.url("/orders/7?tab=2")).await;
    assert_eq!(answer.status, 303);
    let location = answer.location();
    assert!(
        location.starts_with(&format!("{}/login/common/oauth/authorize?", world.superid.url()))
    );
    let says = |name: &str| answer.parameter(name).unwrap_or_default();
    assert_eq!(says("response_type"), "code");
    assert_eq!(says("client_id"), "client-of-main");
    assert_eq!(says("redirect_uri"), world.url("/auth/callback"));
    assert_eq!(says("scope"), "openid");
    assert_eq!(says("code_challenge_method"), "S256");
    assert_eq!(says("code_challenge").len(), 43);
    assert!(says("state").len() > 100 && says("nonce").len() >= 22);
    assert!(!location.contains("orders"), "where they go is nobody's business: {location}");
    assert_eq!(answer.header("cache-control"), "no-store");
    world.app.heard_nothing();
    assert_eq!(world.superid.journal().entries().len(), 0, "nothing was asked yet");
}

#[tokio::test]
async fn the_original_address_comes_back_byte_for_byte() {
    let world = World::new().await;
    for path in [
        "/orders/7?tab=2",
        "/",
        "/sm%C3%B8rbr%C3%B8d/%20x?q=%2f%2F&r=a+b&&=&r=c;d=e",
        "/a?next=https://evil.example/%0d%0a&x=/../..//",
        "/a?%",
        "/authors/auth?state=1&code=2",
        "/x?'()*!~{}|^`[]\\",
    ] {
        let mut browser = world.browser();
        let answer = browser.sign_in(&world.url(path), ASTRID).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert_eq!(answer.url, world.url(path));
        assert_eq!(world.app.last().target, path);
    }
    assert_eq!(world.app.requests().len(), 7);
    assert_eq!(world.asked(Kind::Tokens), 7);
}
