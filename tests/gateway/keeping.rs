//! What a sign-in would lose: posts and fragments, where a route asks to have them kept.

use superid_gateway::clock::Timestamp;

use crate::browser::{Browser, NAVIGATION};
use crate::jar::Way;
use crate::recorder::Recorded;
use crate::redis_server::RedisServer;
use crate::wire::{Answer, Door};
use crate::world::{ASTRID, JONAS, World};

const KEEPING: &str = "[route.app]\nkeep_post = \"64KiB\"\n\
    [route.other]\npath = \"/other\"\nupstream = \"$APP\"\n\
    [limits]\nkept_posts = \"128KiB\"\n";

const FRAGMENTS: &str =
    "[route.board]\npath = \"/board\"\nupstream = \"$APP\"\nkeep_fragment = true\n";

/// What the gateway's own page makes a browser send in place of what was kept.
const INSTEAD: &str = "superid-gateway=send-what-was-kept\r\n";

/// A form of the app's own page, posted as browsers do.
pub async fn posts(browser: &mut Browser, url: &str, kind: &str, body: &str) -> Answer {
    let origin = &url[..url.match_indices('/').nth(2).unwrap().0];
    let headers = format!(
        "{}Origin: {origin}\r\nContent-Type: {kind}\r\n",
        NAVIGATION.replace("Site: none", "Site: same-origin")
    );
    browser.request("POST", url, Way::SameSite, &headers, body).await
}

/// Sends the form on the gateway's page, as its script or its button does.
pub async fn sends(browser: &mut Browser, page: &Answer) -> Answer {
    assert_eq!(page.field("superid-gateway").unwrap(), "send-what-was-kept", "{page:?}");
    assert!(page.body.contains("enctype=\"text/plain\""));
    assert!(page.header("content-security-policy").contains("script-src 'sha256-"));
    let (action, url) = (page.action().unwrap().replace("&#38;", "&"), page.url.clone());
    assert!(url.ends_with(&action), "{action} on {url}");
    let headers = format!(
        "{}Origin: null\r\nContent-Type: text/plain\r\n",
        NAVIGATION.replace("Site: none", "Site: same-origin")
    );
    browser.request("POST", &url, Way::SameSite, &headers, INSTEAD).await
}

/// Posts signed out, and signs in as somebody: what the browser then meets.
async fn posted_and_signed_in(
    world: &World,
    browser: &mut Browser,
    body: &str,
    who: &str,
) -> Answer {
    let kept = posts(browser, &world.url("/orders?a=1&b=2"), "application/x-odd; v=1", body).await;
    assert!(is_sent_to_superid(&kept), "{kept:?}");
    world.app.heard_nothing();
    let page = browser.arrive(kept).await;
    let answer = browser.pick(&page, who, "").await;
    browser.arrive(answer).await
}

fn is_sent_to_superid(answer: &Answer) -> bool {
    answer.status == 303 && answer.header("location").contains("/login/common/oauth/authorize?")
}

fn is_what_was_posted(seen: &Recorded, world: &World, body: &str) {
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/orders?a=1&b=2"));
    assert_eq!(seen.body, body);
    assert_eq!(seen.header("Content-Type"), Some("application/x-odd; v=1"));
    assert_eq!(seen.header("Content-Length"), Some(body.len().to_string().as_str()));
    assert_eq!(seen.header("Origin"), Some(world.origin.as_str()));
    assert_eq!(seen.header("X-SuperOffice-User"), Some(ASTRID));
}

#[tokio::test]
async fn a_post_of_any_kind_and_size_reaches_the_app_once_after_the_sign_in() {
    let world = World::with(KEEPING).await;
    for body in ["amount=7&text=bl%C3%A5", "", &"large ".repeat(10_000)] {
        let mut browser = world.browser();
        let page = posted_and_signed_in(&world, &mut browser, body, ASTRID).await;
        world.app.heard_nothing();
        let answer = sends(&mut browser, &page).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "the app"));
        is_what_was_posted(&world.app.last(), &world, body);
        let copy = browser.clone();
        for mut browser in [browser, copy] {
            assert_eq!(world.app.requests().len(), 1);
            sends(&mut browser, &page).await.is_page(409);
            assert_eq!(world.app.requests().len(), 1, "once");
        }
        world.app.clear();
    }
}

#[tokio::test]
async fn a_copy_of_the_cookie_sends_it_no_second_time_and_the_address_is_the_apps_again() {
    let world = World::with(KEEPING).await;
    let mut browser = world.browser();
    let page = posted_and_signed_in(&world, &mut browser, "a=1", ASTRID).await;
    let mut copy = browser.clone();
    assert_eq!(sends(&mut browser, &page).await.status, 200);
    sends(&mut copy, &page).await.is_page(409);
    assert_eq!(world.app.requests().len(), 1);
    for mut browser in [browser, copy] {
        let answer = browser.visit(&world.url("/orders?a=1&b=2")).await;
        assert_eq!(answer.body, "the app");
        assert_eq!(world.app.last().method, "GET");
    }
}

#[tokio::test]
async fn it_is_sent_for_nobody_but_the_person_who_was_signed_in_before() {
    let world = World::with(KEEPING).await;
    let mut browser = world.signed_in(ASTRID).await;
    world.turn_clock(3601);
    // At SuperID they are signed in no more.
    browser.jar.forget_host("127.0.0.1");
    let mut same = browser.clone();
    let other = posted_and_signed_in(&world, &mut browser, "sum=17", JONAS).await;
    other.is_page(409);
    assert!(
        !other.body.contains("sum=17") && other.body.contains("somebody else"),
        "{}",
        other.body
    );
    world.app.heard_nothing();
    assert_eq!(browser.visit(&world.url("/orders?a=1&b=2")).await.body, "the app");
    assert_eq!(world.app.last().method, "GET");
    world.app.clear();
    let page = posted_and_signed_in(&world, &mut same, "sum=17", ASTRID).await;
    assert_eq!(sends(&mut same, &page).await.status, 200);
    is_what_was_posted(&world.app.last(), &world, "sum=17");
}

#[tokio::test]
async fn nothing_is_kept_for_another_site_a_program_or_a_route_that_does_not_ask() {
    let world = World::with(KEEPING).await;
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let own = format!("Origin: {}\r\n", world.origin);
    let foreign = NAVIGATION.replace("Site: none", "Site: cross-site");
    let same = NAVIGATION.replace("Site: none", "Site: same-origin");
    for (path, headers) in [
        ("/orders", format!("{foreign}Origin: https://evil.example\r\n{form}")),
        ("/orders", format!("{foreign}{own}{form}")),
        ("/orders", format!("{same}Origin: null\r\n{form}")),
        ("/orders", format!("{same}{form}")),
        ("/orders", format!("Accept: */*\r\nSec-Fetch-Mode: cors\r\n{own}{form}")),
        ("/other", format!("{same}{own}{form}")),
    ] {
        let mut browser = world.browser();
        let url = world.url(path);
        let answer = browser.request("POST", &url, Way::SameSite, &headers, "a=1").await;
        assert_eq!(answer.status, 401, "{path} {headers}");
        assert_eq!(browser.jar.value("superid-gateway-post"), None);
    }
    world.app.heard_nothing();
}

#[tokio::test]
async fn what_our_page_sends_is_taken_from_that_page_alone() {
    let world = World::with(KEEPING).await;
    let mut browser = world.browser();
    let page = posted_and_signed_in(&world, &mut browser, "a=1", ASTRID).await;
    for headers in [
        NAVIGATION.replace("Site: none", "Site: cross-site") + "Content-Type: text/plain\r\n",
        NAVIGATION.to_owned() + "Content-Type: text/plain\r\n",
        NAVIGATION.replace("Site: none", "Site: same-origin") + "Content-Type: text/html\r\n",
    ] {
        let url = page.url.clone();
        browser.clone().request("POST", &url, Way::SameSite, &headers, INSTEAD).await;
        assert_eq!(world.app.last().body, INSTEAD, "it is an ordinary post to the app");
    }
    assert_eq!(sends(&mut browser, &page).await.status, 200);
    is_what_was_posted(&world.app.last(), &world, "a=1");
}

#[tokio::test]
async fn too_much_is_refused_and_so_is_more_than_there_is_room_for() {
    let world = World::with(KEEPING).await;
    let url = world.url("/orders");
    let too_large = "x".repeat((64 << 10) + 1);
    posts(&mut world.browser(), &url, "text/plain", &too_large).await.is_page(413);
    let large = "x".repeat(60_000);
    assert!(is_sent_to_superid(&posts(&mut world.browser(), &url, "text/plain", &large).await));
    posts(&mut world.browser(), &url, "text/plain", &large).await.is_page(503);
    assert!(is_sent_to_superid(&posts(&mut world.browser(), &url, "text/plain", "small").await));
    world.turn_clock(601);
    assert!(is_sent_to_superid(&posts(&mut world.browser(), &url, "text/plain", &large).await));
    assert_eq!(world.metric("limit_hits_total{limit=\"route.keep_post\"}").await, 1);
    assert_eq!(world.metric("limit_hits_total{limit=\"kept_posts\"}").await, 1);
}

#[tokio::test]
async fn who_asks_for_the_address_anew_has_given_up_what_they_posted() {
    let world = World::with(KEEPING).await;
    let mut browser = world.browser();
    let url = world.url("/orders");
    assert!(is_sent_to_superid(&posts(&mut browser, &url, "text/plain", "a=1").await));
    assert_eq!(browser.sign_in(&url, ASTRID).await.body, "the app");
    assert_eq!(world.app.last().method, "GET");
}

#[tokio::test]
async fn a_large_one_is_lost_with_the_process_and_the_person_is_told() {
    let world = World::with(KEEPING).await;
    let mut browser = world.browser();
    let large = "x".repeat(20_000);
    let kept = posts(&mut browser, &world.url("/orders"), "text/plain", &large).await;
    let world = world.taken_over("").await;
    let page = browser.arrive(kept).await;
    let answer = browser.pick(&page, ASTRID, "").await;
    let told = browser.arrive(answer).await;
    told.is_page(410);
    world.app.heard_nothing();
    assert_eq!(browser.visit(&world.url("/orders")).await.body, "the app");
}

#[tokio::test]
async fn a_small_one_outlives_the_process_and_both_end_with_the_attempt() {
    let world = World::with(KEEPING).await;
    let mut browser = world.browser();
    let url = world.url("/orders?a=1&b=2");
    let kept = posts(&mut browser, &url, "application/x-odd; v=1", "a=1").await;
    let world = world.taken_over("").await;
    let mut late = browser.clone();
    let page = browser.arrive(kept).await;
    let answer = browser.pick(&page, ASTRID, "").await;
    let page = browser.arrive(answer).await;
    assert_eq!(sends(&mut browser, &page).await.status, 200);
    is_what_was_posted(&world.app.last(), &world, "a=1");
    world.app.clear();
    world.clock.set(Timestamp(world.clock.now().0 + 601));
    let answer = late.sign_in(&world.url("/orders?a=1&b=2"), ASTRID).await;
    assert_eq!((answer.body.as_str(), world.app.last().method.as_str()), ("the app", "GET"));
}

#[tokio::test]
async fn a_fragment_comes_back_with_the_person() {
    let world = World::with(FRAGMENTS).await;
    let mut browser = world.browser();
    let page = browser.visit(&world.url("/board?x=1&y=%22")).await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'sha256-"));
    assert_eq!(page.header("cache-control"), "no-store");
    world.app.heard_nothing();
    let start = "/auth/start?rd=%2Fboard%3Fx%3D1%26y%3D%2522";
    assert_eq!(page.body.matches(&format!("\"{start}\"")).count(), 2, "{}", page.body);
    assert!(page.body.contains(&format!("0; url={start}\"></noscript>")), "{}", page.body);
    // What the script does.
    let on = world.url(&format!("{start}%23%2Forders%2F7%3Fa%3Db"));
    let answer = browser.sign_in(&on, ASTRID).await;
    assert_eq!((answer.status, answer.url), (200, world.url("/board?x=1&y=%22#/orders/7?a=b")));
    assert_eq!(world.app.last().target, "/board?x=1&y=%22", "no server sees it");
}

#[tokio::test]
async fn only_pages_are_asked_for_their_fragment() {
    let world = World::with(FRAGMENTS).await;
    let framed = NAVIGATION.replace("Dest: document", "Dest: iframe");
    let mut browser = world.browser();
    let url = world.url("/board");
    assert!(is_sent_to_superid(&browser.request("GET", &url, Way::SameSite, &framed, "").await));
    assert_eq!(world.api().get(&url).await.status, 401);
    let mut signed_in = world.signed_in(ASTRID).await;
    assert_eq!(signed_in.visit(&url).await.body, "the app");
}

#[tokio::test]
async fn what_one_browser_sent_another_one_cannot_be_made_to_send() {
    let world = World::with(KEEPING).await;
    let url = world.url("/orders?a=1&b=2");
    for body in ["sum=17".to_owned(), "large ".repeat(10_000)] {
        let mut mallory = world.browser();
        assert!(is_sent_to_superid(&posts(&mut mallory, &url, "text/plain", &body).await));
        let (cookie, value) = ("superid-gateway-post", mallory.jar.value("superid-gateway-post"));
        let mut victim = world.signed_in(ASTRID).await;
        victim.jar.keep("http", "localhost", &format!("{cookie}={}; Path=/", value.unwrap()), 0);
        let told = victim.visit(&url).await;
        assert_eq!((told.status, told.field("superid-gateway")), (410, None), "{told:?}");
        world.app.heard_nothing();
    }
}

#[tokio::test]
async fn what_was_kept_is_for_its_own_address_and_for_as_long_as_the_attempt() {
    let world = World::with(KEEPING).await;
    let mut browser = world.browser();
    posted_and_signed_in(&world, &mut browser, "a=1", ASTRID).await;
    let elsewhere = browser.visit(&world.url("/orders?a=1&b=3")).await;
    assert_eq!(elsewhere.body, "the app");
    assert_eq!(world.app.last().method, "GET");
    // A cookie that somebody keeps for longer than was said.
    let kept = browser.jar.value("superid-gateway-post").unwrap();
    world.turn_clock(601);
    browser.jar.keep("http", "localhost", &format!("superid-gateway-post={kept}; Path=/"), 0);
    assert_eq!(browser.visit(&world.url("/orders?a=1&b=2")).await.body, "the app");
    assert_eq!(world.app.last().method, "GET");
}

#[tokio::test]
async fn what_was_sent_makes_room_for_the_next() {
    let world = World::with(KEEPING).await;
    for _three in 0..3 {
        let mut browser = world.browser();
        let large = "x".repeat(60_000);
        let page = posted_and_signed_in(&world, &mut browser, &large, ASTRID).await;
        assert_eq!(sends(&mut browser, &page).await.status, 200);
        world.app.clear();
    }
}

#[tokio::test]
async fn whoever_signs_out_leaves_nothing_that_could_be_sent() {
    let world = World::with(KEEPING).await;
    let mut browser = world.browser();
    posted_and_signed_in(&world, &mut browser, "sum=17", ASTRID).await;
    assert!(browser.jar.value("superid-gateway-post").is_some());
    browser.visit(&world.url("/auth/sign_out")).await;
    assert_eq!(browser.jar.value("superid-gateway-post"), None);
    world.app.heard_nothing();
}

/// Settings under which replicas share what is kept.
fn sharing(redis: &RedisServer) -> String {
    let socket = redis.socket();
    let shared =
        format!("[session]\nreplicas = 2\n[redis]\nurl = \"unix://{}\"\n", socket.display());
    format!("{KEEPING}{shared}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_replica_kept_another_sends_and_of_all_of_them_one_once() {
    let Some(redis) = RedisServer::start() else { return };
    let world = World::with(&sharing(&redis)).await;
    let first = Door { address: world.gateway.addresses()[0].1, tls: None };
    for body in ["amount=7&text=bl%C3%A5", &"large ".repeat(10_000)] {
        world.net.lead(world.authority(), first.clone());
        let mut browser = world.browser();
        let target = world.url("/orders?a=1&b=2");
        let kept = posts(&mut browser, &target, "application/x-odd; v=1", body).await;
        assert!(is_sent_to_superid(&kept), "{kept:?}");
        // From here on the browser meets the other one.
        let other = world.beside("").await;
        let page = browser.arrive(kept).await;
        let answer = browser.pick(&page, ASTRID, "").await;
        let page = browser.arrive(answer).await;
        let mut copy = browser.clone();
        let answer = sends(&mut browser, &page).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "the app"));
        is_what_was_posted(&world.app.last(), &world, body);
        world.net.lead(world.authority(), first.clone());
        sends(&mut copy, &page).await.is_page(409);
        assert_eq!(world.app.requests().len(), 1, "once");
        assert_eq!(copy.visit(&target).await.body, "the app", "the address is the app's again");
        world.app.clear();
        other.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_store_is_down_nothing_is_sent_and_what_fits_no_cookie_is_not_kept() {
    let Some(mut redis) = RedisServer::start() else { return };
    let world = World::with(&sharing(&redis)).await;
    let mut browser = world.browser();
    let page = posted_and_signed_in(&world, &mut browser, "a=1", ASTRID).await;
    redis.kill();
    let answer = sends(&mut browser, &page).await;
    answer.is_page(503);
    assert!(answer.body.contains("Not sent yet"), "{}", answer.body);
    let mut stranger = world.browser();
    let large = "large ".repeat(10_000);
    posts(&mut stranger, &world.url("/orders"), "text/plain", &large).await.is_page(503);
    world.app.heard_nothing();
}
