//! Encoded slashes: refused, or passed on by a route that says so and gone round by nobody.

use crate::world::{ASTRID, World};

const OPEN: &str = r#"
[route.files]
path = "/files"
upstream = "$APP"
access = "public"
encoded_slashes = "pass"
[route.hidden]
path = "/files/hidden"
upstream = "$APP"
encoded_slashes = "pass"
"#;

#[tokio::test]
async fn a_route_that_says_so_passes_an_encoded_slash_on_as_it_came() {
    let world = World::with(OPEN).await;
    for path in ["/files/a%2fb", "/files/a%2Fb/c?d=e%2f..", "/files/b%2f"] {
        assert_eq!(world.api().get(&world.url(path)).await.status, 200, "{path}");
        assert_eq!(world.app.last().target, path);
    }
}

#[tokio::test]
async fn every_other_route_refuses_it_signed_in_or_not() {
    let world = World::with(OPEN).await;
    let mut browser = world.signed_in(ASTRID).await;
    for path in ["/public/a%2fb", "/orders/a%2Fb", "/public%2fa", "/auth/start%2fx"] {
        assert_eq!(world.api().get(&world.url(path)).await.status, 400, "{path}");
        assert_eq!(browser.visit(&world.url(path)).await.status, 400, "{path}");
    }
    world.app.heard_nothing();
}

#[tokio::test]
async fn no_page_of_our_own_is_asked_for_with_one() {
    let world = World::with("[route.app]\nencoded_slashes = \"pass\"\n").await;
    for path in ["/auth%2fstart", "/auth%2Fsign_out", "/auth%2fcallback"] {
        assert_eq!(world.api().get(&world.url(path)).await.status, 400, "{path}");
    }
    assert_eq!(world.api().get(&world.url("/a%2fb")).await.status, 401);
    world.app.heard_nothing();
}

#[tokio::test]
async fn it_goes_round_no_rule_and_loosens_nothing_else() {
    let world = World::with(OPEN).await;
    for path in [
        "/files/hidden%2fx",
        "/files%2fhidden",
        "/files%2fhidden/x",
        "/files/..%2fhidden",
        "/files%2f..%2fsecret",
        "/public%2f..%2fsecret",
        "/files/a%2f%2e%2e%2fb",
        "/files/%2fevil.example",
        "/files/a%2f/b",
        "/files/a%5cb",
        "/files/a%252fb",
        "/files/a%2f;x",
        "/files/a%2f%00",
        "/files/a%c0%afb",
    ] {
        assert_eq!(world.api().get(&world.url(path)).await.status, 400, "{path}");
    }
    assert_eq!(world.api().get(&world.url("/files/hidden/a%2fb")).await.status, 401);
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_sign_in_comes_back_to_an_encoded_slash() {
    let world = World::with(OPEN).await;
    let mut browser = world.browser();
    let answer = browser.sign_in(&world.url("/files/hidden/a%2fb?c"), ASTRID).await;
    assert_eq!(answer.status, 200);
    assert_eq!(world.app.last().target, "/files/hidden/a%2fb?c");
}
