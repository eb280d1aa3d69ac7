//! The session: what counts as one, how long it lives, and how it ends.

use std::time::{Duration, Instant};

use superid_gateway::emulator::{Fault, Kind};

use crate::world::{ASTRID, JONAS, World};

const SESSION: &str = "superid-gateway";
const OTHER_KEY: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
const FIRST_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

#[tokio::test]
async fn a_changed_cookie_is_no_session_whichever_byte_it_is() {
    let world = World::new().await;
    let browser = world.signed_in(ASTRID).await;
    let good = browser.jar.value(SESSION).unwrap();
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let headers = |value: &str| format!("Cookie: {SESSION}={value}\r\n");
    let whole = world.api().send("GET", &world.url("/x"), &headers(&good)).await;
    assert_eq!(whole.status, 200, "the unchanged one is good");
    world.app.clear();
    for at in (2..good.len()).step_by(good.len().div_ceil(400)).chain(2..40) {
        let old = good.as_bytes()[at];
        let place = alphabet.iter().position(|letter| *letter == old).unwrap();
        // The topmost bit of a letter is never one of those base64 leaves unused at the end.
        let mut bent = good.clone().into_bytes();
        bent[at] = alphabet[place ^ 32];
        let bent = String::from_utf8(bent).unwrap();
        let answer = world.api().send("GET", &world.url("/x"), &headers(&bent)).await;
        assert_eq!(answer.status, 401, "byte {at}");
    }
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_damaged_doubled_or_made_up_cookie_counts_as_not_presented() {
    let world = World::new().await;
    let browser = world.signed_in(ASTRID).await;
    let good = browser.jar.value(SESSION).unwrap();
    let binding = browser.jar.value("superid-gateway-binding").unwrap();
    let bare = good.strip_prefix("1.").unwrap().to_owned();
    let half = good.len() / 2;
    let pair = |value: &str| format!("{SESSION}={value}");
    for cookies in [
        pair(&good[..good.len() - 1]),
        pair(&good[..half]),
        pair(&good[half..]),
        pair(&format!("{good}A")),
        pair(&format!("{good}=")),
        pair(&format!("\"{good}\"")),
        pair(&good.to_ascii_lowercase()),
        pair(""),
        pair("1."),
        pair("1.AAAA"),
        pair(&bare),
        pair(&format!("0.{bare}")),
        pair(&format!("2.{bare}")),
        pair(&format!("99999999.{bare}")),
        pair(&format!("-1.{bare}")),
        pair(&format!("1.{binding}")),
        pair(&good.repeat(3)),
        format!("{}; {}", pair(&good), pair(&good)),
        format!("{}; {}", pair(&good), pair("x")),
        format!("{}; {}", pair("x"), pair(&good)),
        format!("Superid-Gateway={good}"),
        format!("__Host-{SESSION}={good}"),
        format!("{SESSION}.0={good}"),
        format!("{SESSION}.1={good}"),
        format!("{SESSION} {good}"),
        format!("{SESSION}; {good}"),
        format!("; ;{SESSION}; =; a"),
        format!("x={SESSION}={good}"),
    ] {
        let html = format!("Accept: text/html\r\nCookie: {cookies}\r\n");
        let answer = world.api().send("GET", &world.url("/x"), &html).await;
        assert_eq!(answer.status, 303, "{cookies}");
        let api = format!("Accept: */*\r\nCookie: {cookies}\r\n");
        let answer = world.api().send("GET", &world.url("/x"), &api).await;
        assert_eq!(answer.status, 401, "{cookies}");
    }
    world.app.heard_nothing();
}

#[tokio::test]
async fn no_authorization_header_opens_anything() {
    let world = World::new().await;
    let browser = world.signed_in(ASTRID).await;
    let good = browser.jar.value(SESSION).unwrap();
    for value in [
        "Bearer x",
        "Bearer 8A:Cust12345.x",
        &format!("Bearer {good}"),
        "Basic YWRtaW46YWRtaW4=",
        "SOTicket 7T:x",
        "SuperID x",
        "",
    ] {
        let headers = format!("Authorization: {value}\r\n");
        assert_eq!(world.api().send("GET", &world.url("/x"), &headers).await.status, 401);
    }
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_cookie_of_another_host_or_another_key_opens_nothing() {
    let world = World::with("[host.other]\norigin = \"http://127.0.0.1:$PORT\"").await;
    let browser = world.signed_in(ASTRID).await;
    let headers = format!("Cookie: {SESSION}={}\r\n", browser.jar.value(SESSION).unwrap());
    let other = format!("http://127.0.0.1:{}/x", world.port);
    assert_eq!(world.api().send("GET", &other, &headers).await.status, 401);
    world.app.heard_nothing();
    assert_eq!(world.api().send("GET", &world.url("/x"), &headers).await.status, 200);
    world.app.clear();

    let keys = format!("[session]\nkeys = [{{ value = \"{OTHER_KEY}\" }}]");
    let world = world.taken_over(&keys).await;
    assert_eq!(world.api().send("GET", &world.url("/x"), &headers).await.status, 401);
    world.app.heard_nothing();
}

#[tokio::test]
async fn keys_are_changed_without_signing_anybody_out() {
    let world = World::new().await;
    let mut browser = world.signed_in(ASTRID).await;
    let mut underway = world.browser();
    let callback = underway.until_callback(&world.url("/orders"), JONAS).await;
    let both =
        format!("[session]\nkeys = [{{ value = \"{OTHER_KEY}\" }}, {{ value = \"{FIRST_KEY}\" }}]");
    let world = world.taken_over(&both).await;
    assert_eq!(browser.visit(&world.url("/")).await.status, 200);
    assert_eq!(underway.open(&callback).await.status, 200, "sign-ins under way go on");
    world.turn_clock(601);
    let before = browser.jar.value(SESSION);
    assert_eq!(browser.visit(&world.url("/")).await.status, 200);
    assert_ne!(browser.jar.value(SESSION), before, "sealed anew, by the new key");

    let world =
        world.taken_over(&format!("[session]\nkeys = [{{ value = \"{OTHER_KEY}\" }}]")).await;
    assert_eq!(browser.visit(&world.url("/")).await.status, 200);
    assert_eq!(underway.visit(&world.url("/")).await.status, 200);
}

#[tokio::test]
async fn a_session_ends_after_its_idle_time() {
    let world = World::with("[session]\nidle = \"10m\"").await;
    // Its token outlives all this, so that none is had anew while the clock is turned.
    world.superid.faults().set(Fault::AccessLifetime { seconds: 100_000 });
    let mut browser = world.signed_in(ASTRID).await;
    for _ in 0..5 {
        world.turn_clock(599);
        assert_eq!(browser.visit(&world.url("/")).await.status, 200);
    }
    world.app.clear();
    world.turn_clock(600);
    assert_eq!(browser.visit(&world.url("/")).await.status, 303);
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_session_ends_after_its_absolute_time_however_busy_it_is() {
    let world = World::with("[session]\nidle = \"20m\"\nabsolute = \"40m\"").await;
    // Its token outlives all this, so that none is had anew while the clock is turned.
    world.superid.faults().set(Fault::AccessLifetime { seconds: 100_000 });
    let mut browser = world.signed_in(ASTRID).await;
    for _ in 0..3 {
        world.turn_clock(600);
        assert_eq!(browser.visit(&world.url("/")).await.status, 200);
    }
    world.app.clear();
    world.turn_clock(600);
    assert_eq!(browser.visit(&world.url("/")).await.status, 303);
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_session_is_renewed_once_in_a_tenth_of_its_idle_time_and_never_where_caches_share() {
    let world = World::with("[session]\nidle = \"10m\"").await;
    let mut browser = world.signed_in(ASTRID).await;
    let url = world.url("/");
    world.turn_clock(60);
    assert!(!browser.visit(&url).await.signs_in(), "too early");
    world.turn_clock(1);
    for shared in ["public, max-age=60", "max-age=1, PUBLIC", "s-maxage=5"] {
        world.app.says_with(&format!("Cache-Control: {shared}\r\n"));
        let answer = browser.visit(&url).await;
        assert!(!answer.signs_in(), "{shared}");
        assert_eq!(answer.header("cache-control"), shared);
    }
    world.app.says_with("");
    let answer = browser.visit(&url).await;
    assert!(answer.signs_in());
    assert_eq!(answer.header("cache-control"), "private", "nobody shares a Set-Cookie");
    let cookie = answer.all("set-cookie")[0].to_owned();
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
    assert!(!browser.visit(&url).await.signs_in(), "done for now");
    world.turn_clock(61);
    world.app.says_with("Cache-Control: no-cache\r\nSet-Cookie: app=1; Path=/\r\n");
    let answer = browser.visit(&url).await;
    assert!(answer.signs_in());
    assert_eq!(answer.all("cache-control"), ["no-cache", "private"]);
    assert_eq!(answer.all("set-cookie").len(), 2);
    for said in ["max-age=600", "immutable, max-age=60", "no-store", "private, max-age=5"] {
        world.turn_clock(61);
        world.app.says_with(&format!("Cache-Control: {said}\r\n"));
        let answer = browser.visit(&url).await;
        assert!(answer.signs_in(), "{said}");
        let kept = answer.all("cache-control").join(", ");
        assert!(kept.contains("private") || kept.contains("no-store"), "{said}: {kept}");
    }
    world.turn_clock(61);
    world.app.says_with("Cache-Control: max-age=5\r\nCDN-Cache-Control: max-age=600\r\n");
    assert!(!browser.visit(&url).await.signs_in(), "a network of caches was told to keep it");
}

#[tokio::test]
async fn what_a_signed_in_person_was_told_stays_out_of_shared_caches() {
    let world = World::new().await;
    let mut browser = world.signed_in(ASTRID).await;
    assert_eq!(browser.visit(&world.url("/me.css")).await.all("cache-control"), ["private"]);
    let public = world.api().get(&world.url("/public/site.css")).await;
    assert!(public.all("cache-control").is_empty(), "what is for anybody is the app's to say");
}

#[tokio::test]
async fn every_sign_in_makes_a_new_session_and_the_old_cookie_is_not_its_key() {
    let world = World::new().await;
    let mut browser = world.signed_in(ASTRID).await;
    let first = browser.jar.value(SESSION).unwrap();
    let again = browser.open(&world.url("/auth/start?rd=/orders")).await;
    assert_eq!(again.status, 200);
    let second = browser.jar.value(SESSION).unwrap();
    assert_ne!(first, second);
}

#[tokio::test]
async fn an_expired_access_token_is_had_anew_and_nobody_signs_in_again() {
    let world = World::with("[session]\nidle = \"2h\"").await;
    let mut browser = world.signed_in(ASTRID).await;
    let before = world.asked(Kind::Tokens);
    world.turn_clock(3_601);
    let answer = browser.visit(&world.url("/orders/7?x")).await;
    assert_eq!((answer.status, answer.url), (200, world.url("/orders/7?x")));
    assert_eq!(world.asked(Kind::Tokens), before + 1);
    assert_eq!(world.asked(Kind::Authorize), 1);
    let program = world.api();
    world.turn_clock(3_601);
    world.superid.tenants().revoke_consent("client-of-main", "Cust12345").unwrap();
    world.app.clear();
    let headers = format!("Cookie: {SESSION}={}\r\n", browser.jar.value(SESSION).unwrap());
    assert_eq!(program.send("GET", &world.url("/"), &headers).await.status, 401);
    world.app.heard_nothing();
}

#[tokio::test]
async fn hostile_numbers_of_pieces_cost_nothing() {
    let world = World::new().await;
    let piece = "x".repeat(80);
    let many: String = (1..200).map(|number| format!("; {SESSION}.{number}={piece}")).collect();
    let mut cases: Vec<String> =
        ["9", "99999999", "4294967296", "18446744073709551616", "-1", "1e9", "٣"]
            .map(|count| format!("{SESSION}={count}.{piece}{many}"))
            .into();
    cases.push((0..1_000).map(|number| format!("c{number}=1; ")).collect());
    let started = Instant::now();
    for cookies in &cases {
        let headers = format!("Cookie: {cookies}\r\n");
        let answer = world.api().send("GET", &world.url("/"), &headers).await;
        assert!(matches!(answer.status, 400 | 401), "{}", answer.status);
    }
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_session_of_one_relying_party_is_none_on_a_route_of_another() {
    let two = r#"
[relying_party.second]
environment = "emulator"
client_id = "client-of-second"
client_secret = { value = "secret of second" }
redirect_path = "/auth/second"
[route.app]
relying_parties = ["main"]
[route.second]
path = "/second"
upstream = "$APP"
relying_parties = ["second"]
"#;
    let world = World::with(two).await;
    let mut browser = world.signed_in(ASTRID).await;
    let answer = browser.visit(&world.url("/second")).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.parameter("client_id").unwrap(), "client-of-second");
    world.app.heard_nothing();
    let headers = format!("Cookie: {SESSION}=x\r\n");
    assert_eq!(world.api().send("GET", &world.url("/second"), &headers).await.status, 401);
    assert_eq!(browser.arrive(answer).await.status, 200, "SuperID knows them");
}

#[tokio::test]
async fn cookies_are_out_of_reach_of_scripts_and_of_other_sites() {
    let world = World::new().await;
    let mut browser = world.browser();
    let begun = browser.visit(&world.url("/orders")).await;
    let answer = browser.sign_in(&world.url("/orders"), ASTRID).await;
    assert_eq!(answer.status, 200);
    for cookie in browser.jar.named(SESSION) {
        assert!(cookie.http_only && cookie.same_site == "Lax" && cookie.path == "/");
        assert!(cookie.expires.is_none() || cookie.name.ends_with("-binding"));
    }
    assert_eq!(begun.all("set-cookie").len(), 1);
}

#[tokio::test]
async fn a_strict_session_survives_the_way_back_from_superid_and_links_from_elsewhere() {
    let world = World::with("[session]\nsame_site = \"strict\"").await;
    let mut browser = world.browser();
    let callback = browser.until_callback(&world.url("/orders?a=';%22&b"), ASTRID).await;
    let page = browser.follow_link(&callback).await;
    page.is_page(200);
    assert!(page.signs_in());
    assert!(page.body.contains("/orders?a=&#39;;%22&#38;b\">Go on<"), "{}", page.body);
    let answer = browser.arrive(page).await;
    assert_eq!((answer.status, answer.url), (200, world.url("/orders?a=';%22&b")));
    let kept = browser.jar.named(SESSION);
    let session = kept.iter().find(|cookie| cookie.name == SESSION).unwrap();
    assert_eq!(session.same_site, "Strict");

    let linked = browser.follow_link(&world.url("/linked")).await;
    assert_eq!(linked.status, 303, "nobody, as far as the link's request tells");
    let answer = browser.arrive(linked).await;
    assert_eq!((answer.status, answer.url), (200, world.url("/linked")));
}
