//! What scripts of pages ask for, here and at pages of other origins, and signing in again beside a page.

use crate::jar::Way;
use crate::wire::Answer;
use crate::world::{ASTRID, World};

const SPA: &str = "https://spa.example";
const READ_THERE: &str = r#"
[host.main]
cors_origins = ["https://spa.example", "http://localhost:5173"]
"#;
const FETCH: &str = "Accept: */*\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n";
const FRAME: &str = "Accept: text/html\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n";

fn from(origin: &str) -> String {
    format!("{FETCH}Origin: {origin}\r\n")
}

/// Who may read an answer; `None` where no page of another origin may.
fn reader(answer: &Answer) -> Option<&str> {
    let origins = answer.all("access-control-allow-origin");
    assert!(origins.len() <= 1, "{origins:?}");
    let credentials = answer.all("access-control-allow-credentials");
    assert_eq!(credentials, vec!["true"; origins.len()], "one never goes without the other");
    assert_eq!(answer.header("cache-control"), "no-store");
    origins.first().copied()
}

#[tokio::test]
async fn a_background_request_gets_401_with_both_sign_in_addresses_and_no_cookie() {
    let world = World::new().await;
    let answer = world.api().send("GET", &world.url("/orders/7?a=b"), FETCH).await;
    assert_eq!((answer.status, answer.header("www-authenticate")), (401, "SuperID"));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.all("set-cookie").is_empty() && answer.all("vary").is_empty());
    let told = answer.json();
    assert_eq!(told["sign_in"], world.url("/auth/start?rd=%2Forders%2F7%3Fa%3Db").as_str());
    assert_eq!(told["renew"], world.url("/auth/renew?for=%2Forders%2F7%3Fa%3Db").as_str());
    let posted = world.api().send("POST", &world.url("/orders"), FETCH).await.json();
    assert_eq!(posted["sign_in"], world.url("/auth/start?rd=%2F").as_str());
    assert_eq!(posted["renew"], world.url("/auth/renew?for=%2Forders").as_str());
    world.app.heard_nothing();
}

#[tokio::test]
async fn pages_of_the_origins_named_read_our_answers_and_nobody_else_does() {
    let world = World::with(READ_THERE).await;
    for path in ["/orders/7", "/auth/userinfo", "/auth/keys", "/auth/nowhere"] {
        for origin in [SPA, "http://localhost:5173"] {
            let answer = world.api().send("GET", &world.url(path), &from(origin)).await;
            assert_eq!(reader(&answer), Some(origin), "{path}");
            assert!(answer.all("vary").contains(&"Origin"), "{path}");
            let exposed = answer.header("access-control-expose-headers");
            assert_eq!(exposed, "Retry-After, X-Request-Id");
        }
        for origin in [
            "null",
            "https://spa.example.evil.example",
            "https://spa.example:8443",
            "http://spa.example",
            "https://SPA.example",
            "https://evil.example, https://spa.example",
            "*",
            "",
        ] {
            let answer = world.api().send("GET", &world.url(path), &from(origin)).await;
            assert_eq!(reader(&answer), None, "{origin}");
            assert!(answer.all("vary").contains(&"Origin"), "{path}: caches are told");
        }
        let twice = format!("{}Origin: https://evil.example\r\n", from(SPA));
        let answer = world.api().send("GET", &world.url(path), &twice).await;
        assert_eq!(reader(&answer), None);
    }
    let page = format!("Accept: text/html\r\nSec-Fetch-Mode: navigate\r\nOrigin: {SPA}\r\n");
    let answer = world.api().send("GET", &world.url("/auth/signed_out"), &page).await;
    assert_eq!(reader(answer.is_page(200)), None, "pages of ours are read by nobody");
    world.app.heard_nothing();
    let plain = World::new().await;
    let answer = plain.api().send("GET", &plain.url("/orders"), &from(SPA)).await;
    assert_eq!((reader(&answer), answer.all("vary")), (None, vec![]));
}

#[tokio::test]
async fn what_an_app_says_to_pages_elsewhere_is_the_apps_to_say() {
    let world = World::with(READ_THERE).await;
    let mut browser = world.signed_in(ASTRID).await;
    let url = world.url("/orders");
    let answer = browser.request("GET", &url, Way::SameSite, &from(SPA), "").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, ""));
    world.app.says_with("Access-Control-Allow-Origin: https://other.example\r\n");
    let answer = browser.request("GET", &url, Way::SameSite, &from(SPA), "").await;
    assert_eq!(answer.all("access-control-allow-origin"), vec!["https://other.example"]);
}

#[tokio::test]
async fn a_preflight_of_an_origin_named_is_answered_and_reaches_no_app() {
    let world = World::with(READ_THERE).await;
    let ask = |origin: &str, method: &str, fields: &str| {
        let head = format!(
            "{}Access-Control-Request-Method: {method}\r\n\
             Access-Control-Request-Headers: {fields}\r\n",
            from(origin)
        );
        let (api, url) = (world.api(), world.url("/orders/7"));
        async move { api.send("OPTIONS", &url, &head).await }
    };
    let answer = ask(SPA, "PUT", "content-type,x-csrf").await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert_eq!(reader(&answer), Some(SPA));
    assert_eq!(answer.header("access-control-allow-methods"), "PUT");
    assert_eq!(answer.header("access-control-allow-headers"), "content-type,x-csrf");
    assert_eq!(answer.header("access-control-max-age"), "600");
    assert!(answer.all("set-cookie").is_empty() && answer.all("content-length").is_empty());
    let odd = ask(SPA, "CONNECT", "x y").await;
    assert_eq!((odd.status, odd.header("access-control-allow-methods")), (204, ""));
    assert_eq!(odd.header("access-control-allow-headers"), "");
    let foreign = ask("https://evil.example", "PUT", "content-type").await;
    assert_eq!((foreign.status, reader(&foreign)), (401, None));
    world.app.heard_nothing();
    let open = format!("{}Access-Control-Request-Method: PUT\r\n", from(SPA));
    world.api().send("OPTIONS", &world.url("/public"), &open).await;
    assert_eq!(world.app.last().target, "/public", "what is open to all is the app's to answer");
}

#[tokio::test]
async fn a_renewal_signs_in_and_then_tells_the_page_and_no_other_origin() {
    let world = World::with(READ_THERE).await;
    let mut browser = world.browser();
    let renewal = world.url("/auth/renew?for=%2Forders%2F7&origin=https%3A%2F%2Fspa.example");
    let page = browser.sign_in(&renewal, ASTRID).await;
    assert_eq!((page.status, &page.url), (200, &renewal));
    assert!(page.body.contains("data-origin=\"https://spa.example\""), "{}", page.body);
    assert!(!page.body.contains(ASTRID), "it says no word of whom");
    let policy = page.header("content-security-policy");
    assert!(policy.ends_with("frame-ancestors https://spa.example"), "{policy}");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!((page.header("x-frame-options"), page.header("cache-control")), ("", "no-store"));
    world.app.heard_nothing();
    let again = browser.visit(&world.url("/auth/renew")).await;
    assert_eq!(again.status, 200, "who is signed in is not asked again");
    assert!(again.body.contains(&format!("data-origin=\"{}\"", world.origin)));
    assert_eq!(world.metric("sign_ins_begun_total").await, 1);
}

#[tokio::test]
async fn a_renewal_that_is_asked_for_oddly_begins_nothing() {
    let world = World::with(READ_THERE).await;
    let mut browser = world.browser();
    for query in [
        "?origin=https%3A%2F%2Fevil.example",
        "?origin=null",
        "?origin=",
        "?origin=https%3A%2F%2Fspa.example%2F",
        "?origin=https%3A%2F%2Fspa.example&origin=https%3A%2F%2Fevil.example",
    ] {
        let answer = browser.visit(&world.url(&format!("/auth/renew{query}"))).await;
        answer.is_page(400);
        assert!(answer.all("set-cookie").is_empty(), "{query}");
    }
    for headers in [FETCH, "Accept: text/html\r\nSec-Fetch-Dest: image\r\n"] {
        let url = world.url("/auth/renew");
        let answer = browser.request("GET", &url, Way::SameSite, headers, "").await;
        assert_eq!(answer.status, 400, "{headers}");
    }
    assert_eq!(world.api().send("POST", &world.url("/auth/renew"), FETCH).await.status, 405);
    let led = browser.visit(&world.url("/auth/start?rd=%2Fauth%2Frenew")).await;
    assert_eq!(led.status, 303, "and a sign-in from elsewhere does not lead there");
    let page = browser.arrive(led).await;
    let back = browser.pick(&page, ASTRID, "").await;
    assert_eq!(browser.arrive(back).await.url, world.url("/"));
}

#[tokio::test]
async fn a_renewal_in_a_frame_is_a_sign_in_like_any_other() {
    let world = World::new().await;
    let mut browser = world.browser();
    let url = world.url("/auth/renew?for=%2Forders");
    let begun = browser.request("GET", &url, Way::SameSite, FRAME, "").await;
    assert!(begun.location().starts_with(world.superid.url()));
    let page = browser.arrive(begun).await;
    let back = browser.pick(&page, ASTRID, "").await;
    assert_eq!(browser.arrive(back).await.url, url);
}

const TWO: &str = r#"
[relying_party.main]
title = "Main"
[relying_party.second]
environment = "emulator"
client_id = "client-of-second"
client_secret = { value = "secret of second" }
title = "Second"
redirect_path = "/auth/second"
[route.app]
relying_parties = ["main"]
[route.second]
path = "/second"
upstream = "$APP"
relying_parties = ["second"]
[route.bank]
path = "/bank"
upstream = "$APP"
relying_parties = ["second"]
tenants = ["Cust67890"]
[route.either]
path = "/either"
upstream = "$APP"
"#;

#[tokio::test]
async fn a_renewal_is_for_the_address_that_was_refused() {
    let world = World::with(TWO).await;
    let mut browser = world.signed_in(ASTRID).await;
    let client = |answer: &Answer| answer.parameter("client_id");
    let answer = browser.visit(&world.url("/auth/renew?for=%2Forders")).await;
    assert_eq!(answer.status, 200);
    let answer = browser.visit(&world.url("/auth/renew?for=%2Fsecond")).await;
    assert_eq!(client(&answer).as_deref(), Some("client-of-second"), "another relying party");
    // SuperID knows the person by now.
    let done = browser.arrive(answer).await;
    assert_eq!((done.status, done.url), (200, world.url("/auth/renew?for=%2Fsecond")));
    let answer = browser.visit(&world.url("/auth/renew?for=%2Fbank")).await;
    assert_eq!(answer.status, 200, "who is kept out by a rule is signed in all the same");

    let mut nobody = world.browser();
    let chooser = nobody.visit(&world.url("/auth/renew?for=%2Feither")).await;
    let choice = "href=\"/auth/renew?for=%2Feither&#38;with=second\"";
    assert!(chooser.is_page(200).body.contains(choice), "{}", chooser.body);
    let url = world.url("/auth/renew?for=%2Feither&with=second");
    assert_eq!(nobody.sign_in(&url, ASTRID).await.url, url);
}

#[tokio::test]
async fn a_renewal_that_fails_shows_a_page_whose_second_try_is_the_renewal() {
    let world = World::new().await;
    let mut browser = world.browser();
    let url = world.url("/auth/renew?for=%2Forders");
    let callback = browser.until_callback(&url, ASTRID).await;
    let state = callback.split_once("state=").unwrap().1.split('&').next().unwrap();
    let refused = world.url(&format!("/auth/callback?error=access_denied&state={state}"));
    let page = browser.follow_link(&refused).await;
    assert!(page.body.contains("href=\"/auth/renew?for=%2Forders\""), "{}", page.body);
    page.is_page(403);
}

#[tokio::test]
async fn a_renewal_survives_strict_cookies() {
    let world = World::with("[session]\nsame_site = \"strict\"").await;
    let mut browser = world.browser();
    let url = world.url("/auth/renew?for=%2Forders");
    assert_eq!(browser.sign_in(&url, ASTRID).await.url, url);
}

#[tokio::test]
async fn the_script_is_one_for_everybody_and_is_kept() {
    let world = World::with(READ_THERE).await;
    let url = world.url("/auth/renew.js");
    let answer = world.api().send("GET", &url, &from(SPA)).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, "text/javascript; charset=utf-8")
    );
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.all("cache-control"), vec!["public, max-age=3600"]);
    assert_eq!(answer.header("cross-origin-resource-policy"), "cross-origin");
    assert_eq!(answer.header("access-control-allow-origin"), SPA, "for integrity checks there");
    assert!(answer.all("set-cookie").is_empty());
    assert!(answer.body.contains("sign_in_required"));
    let mark = answer.header("etag");
    let kept = world.api().send("GET", &url, &format!("If-None-Match: {mark}\r\n")).await;
    assert_eq!((kept.status, kept.body.as_str(), kept.header("etag")), (304, "", mark));
    let other = world.api().send("GET", &url, "If-None-Match: \"other\"\r\n").await;
    assert_eq!(other.status, 200);
    assert_eq!(world.api().send("POST", &url, "").await.status, 405);
}
