//! What comes back from SuperID, or claims to: everything that is refused before, at and after
//! the redeeming of the code.

use superid_gateway::emulator::{App, Consent, Kind};

use crate::world::{ASTRID, JONAS, World};

/// Changes one parameter of a callback; an empty value takes it away.
fn changed(url: &str, name: &str, value: &str) -> String {
    let (address, query) = url.split_once('?').unwrap();
    let mut out = form_urlencoded::Serializer::new(String::new());
    let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(known, _)| known != name);
    out.extend_pairs(pairs);
    if !value.is_empty() {
        out.append_pair(name, value);
    }
    format!("{address}?{}", out.finish())
}

#[tokio::test]
async fn a_sign_in_from_before_something_else_was_asked_for_is_good_no_more() {
    for asked in ["response_type = \"code id_token\"", "response_mode = \"form_post\""] {
        let mut world = World::new().await;
        let mut browser = world.browser();
        let good = browser.until_callback(&world.url("/orders"), ASTRID).await;
        world.reload(&format!("[relying_party.main]\n{asked}")).unwrap();
        let before = world.asked(Kind::Tokens);
        let late = browser.visit(&good).await;
        late.is_page(400);
        assert!(!late.signs_in(), "{asked}");
        assert_eq!(world.asked(Kind::Tokens), before, "the code is not redeemed: {asked}");
    }
}

#[tokio::test]
async fn a_callback_without_a_readable_state_is_refused_before_anything_is_asked() {
    let world = World::new().await;
    let mut browser = world.browser();
    let good = browser.until_callback(&world.url("/orders"), ASTRID).await;
    let state = form_urlencoded::parse(good.split_once('?').unwrap().1.as_bytes())
        .find(|(name, _)| name == "state")
        .unwrap()
        .1
        .into_owned();
    let mut cut = state.clone();
    cut.pop();
    let mut bent = state.clone().into_bytes();
    bent[state.len() / 2] ^= 1;
    for (case, url) in [
        ("none", changed(&good, "state", "")),
        ("no query", world.url("/auth/callback")),
        ("twice", format!("{good}&state={state}")),
        ("twice in another case", format!("{good}&State={state}")),
        ("two codes", format!("{good}&code=other")),
        ("made up", changed(&good, "state", "bm90IG91cnM")),
        ("not base64", changed(&good, "state", "%%%")),
        ("shortened", changed(&good, "state", &cut)),
        ("lengthened", changed(&good, "state", &format!("{state}A"))),
        ("one bit changed", changed(&good, "state", &String::from_utf8_lossy(&bent))),
        ("huge", changed(&good, "state", &"A".repeat(7_000))),
    ] {
        let answer = browser.visit(&url).await;
        answer.is_page(400);
        assert!(!answer.signs_in(), "{case}");
        assert_eq!(world.asked(Kind::Tokens), 0, "{case}");
    }
    world.app.heard_nothing();
    assert_eq!(browser.open(&good).await.status, 200, "the true one is not spent by that");
}

#[tokio::test]
async fn an_attempt_ends_when_its_time_is_over() {
    let world = World::with("[session]\nattempt = \"5m\"").await;
    let mut browser = world.browser();
    let callback = browser.until_callback(&world.url("/orders"), ASTRID).await;
    world.turn_clock(301);
    let answer = browser.visit(&callback).await;
    answer.is_page(400);
    assert!(answer.body.contains("The sign-in took too long"), "{}", answer.body);
    assert!(answer.body.contains("/auth/start?rd=%2Forders"), "a way to try again");
    assert_eq!(world.asked(Kind::Tokens), 0);
    world.app.heard_nothing();
    assert_eq!(browser.open(&world.url("/orders")).await.status, 200, "SuperID still knows them");
}

#[tokio::test]
async fn a_callback_in_a_browser_that_began_nothing_is_refused() {
    let world = World::new().await;
    let callback = world.browser().until_callback(&world.url("/orders"), ASTRID).await;
    let mut victim = world.browser();
    let answer = victim.follow_link(&callback).await;
    answer.is_page(400);
    assert!(answer.body.contains("The sign-in began somewhere else"));
    assert!(!answer.signs_in());
    assert_eq!(world.asked(Kind::Tokens), 0, "the code is left alone");
    world.app.heard_nothing();
}

#[tokio::test]
async fn an_attackers_callback_in_a_browser_with_attempts_of_its_own_signs_nobody_in_as_them() {
    let world = World::new().await;
    let theirs = world.browser().until_callback(&world.url("/attackers"), JONAS).await;
    let mut victim = world.browser();
    victim.visit(&world.url("/mine")).await;
    let answer = victim.follow_link(&theirs).await;
    assert_eq!(answer.status, 303);
    assert!(
        answer.location().starts_with(world.superid.url()),
        "begun again: {}",
        answer.location()
    );
    assert!(!answer.signs_in());
    assert_eq!(world.asked(Kind::Tokens), 0, "the code is left to die unredeemed");
    world.app.heard_nothing();
}

#[tokio::test]
async fn an_attackers_callback_in_a_signed_in_browser_changes_nothing() {
    let world = World::new().await;
    let theirs = world.browser().until_callback(&world.url("/attackers"), JONAS).await;
    let mut victim = world.signed_in(ASTRID).await;
    let before = victim.jar.value("superid-gateway");
    let tokens = world.asked(Kind::Tokens);
    let answer = victim.follow_link(&theirs).await;
    assert_eq!(answer.location(), world.url("/attackers"));
    assert_eq!(victim.jar.value("superid-gateway"), before);
    assert_eq!(world.asked(Kind::Tokens), tokens);
    victim.step(&answer).await;
    assert_eq!(world.app.last().header("X-SuperOffice-User"), Some(ASTRID));
}

#[tokio::test]
async fn a_state_is_good_for_one_time() {
    let world = World::new().await;
    let mut browser = world.browser();
    let callback = browser.until_callback(&world.url("/orders"), ASTRID).await;
    assert_eq!(browser.open(&callback).await.status, 200);
    world.app.clear();
    let answer = browser.visit(&callback).await;
    answer.is_page(400);
    assert!(answer.body.contains("This sign-in was used already"));
    assert!(!answer.signs_in());
    assert_eq!(world.asked(Kind::Tokens), 1);
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_state_of_another_host_of_ours_does_not_open_here() {
    let world = World::with("[host.other]\norigin = \"http://127.0.0.1:$PORT\"").await;
    let mut browser = world.browser();
    let callback = browser.until_callback(&world.url("/orders"), ASTRID).await;
    let query = callback.split_once('?').unwrap().1;
    let moved = format!("http://127.0.0.1:{}/auth/callback?{query}", world.port);
    browser.visit(&format!("http://127.0.0.1:{}/begin", world.port)).await;
    browser.visit(&moved).await.is_page(400);
    assert_eq!(world.asked(Kind::Tokens), 0);
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_state_of_one_relying_party_is_no_good_at_the_callback_of_another() {
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
    let mut browser = world.browser();
    let callback = browser.until_callback(&world.url("/orders"), ASTRID).await;
    let moved = callback.replace("/auth/callback?", "/auth/second?");
    let answer = browser.visit(&moved).await;
    answer.is_page(400);
    assert!(!answer.signs_in());
    assert_eq!(world.asked(Kind::Tokens), 0);
    world.app.heard_nothing();
    assert_eq!(browser.open(&callback).await.status, 200);
}

#[tokio::test]
async fn an_error_wins_over_a_code_beside_it() {
    let world = World::new().await;
    for (error, status, words) in [
        ("access_denied", 403, "The app was not approved"),
        ("consent_required", 403, "The app was not approved"),
        ("temporarily_unavailable", 503, "SuperID does not answer"),
        ("server_error", 503, "SuperID does not answer"),
        ("invalid_request", 502, "<code>invalid_request</code>"),
        ("<script>alert(1)</script>", 502, "<code>scriptalert1script</code>"),
    ] {
        let mut browser = world.browser();
        let callback = browser.until_callback(&world.url("/orders"), ASTRID).await;
        let answer = browser.visit(&changed(&callback, "error", error)).await;
        answer.is_page(status);
        assert!(answer.body.contains(words), "{error}: {}", answer.body);
        assert!(!answer.signs_in());
        let again = browser.visit(&callback).await;
        again.is_page(400);
        assert!(again.body.contains("This sign-in was used already"));
    }
    assert_eq!(world.asked(Kind::Tokens), 0);
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_person_who_says_no_at_superid_sees_a_page_that_says_so() {
    let world = World::new().await;
    let mut app = App::new("client-of-main", "secret of main", &world.url("/auth/callback"));
    app.consent = Consent::Asked;
    world.superid.register(app);
    let mut browser = world.browser();
    let page = browser.open(&world.url("/")).await;
    let consent = browser.pick(&page, ASTRID, "").await;
    let request = consent.field("request").unwrap();
    let fields = [("request", request.as_str()), ("decision", "refuse")];
    let url = format!("{}/login/consent", world.superid.url());
    let refused = browser.submit(&consent.url, &url, &fields).await;
    let answer = browser.arrive(refused).await;
    answer.is_page(403);
    assert!(answer.body.contains("The app was not approved"));
    world.app.heard_nothing();

    let page = browser.open(&world.url("/")).await;
    let request = page.field("request").unwrap();
    let fields = [("request", request.as_str()), ("decision", "accept")];
    let accepted = browser.submit(&page.url, &url, &fields).await;
    assert_eq!(browser.arrive(accepted).await.status, 200);
}

#[tokio::test]
async fn a_callback_without_a_usable_code_is_refused_and_the_attempt_is_spent() {
    let world = World::new().await;
    for code in ["", "with space", "caf\u{e9}", &"x".repeat(513)] {
        let mut browser = world.browser();
        let callback = browser.until_callback(&world.url("/orders"), ASTRID).await;
        browser.visit(&changed(&callback, "code", code)).await.is_page(400);
        browser.visit(&callback).await.is_page(400);
    }
    assert_eq!(world.asked(Kind::Tokens), 0);
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_code_that_superid_does_not_know_signs_nobody_in() {
    let world = World::new().await;
    let mut browser = world.browser();
    let callback = browser.until_callback(&world.url("/orders"), ASTRID).await;
    let answer = browser.visit(&changed(&callback, "code", &"A".repeat(64))).await;
    answer.is_page(502);
    assert!(!answer.signs_in());
    assert_eq!(world.asked(Kind::Tokens), 1, "asked once, never again");
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_code_of_another_sign_in_is_refused() {
    let world = World::new().await;
    let theirs = world.browser().until_callback(&world.url("/"), JONAS).await;
    let stolen = theirs.split_once("code=").unwrap().1;
    let mut browser = world.browser();
    let mine = browser.until_callback(&world.url("/"), ASTRID).await;
    let answer = browser.visit(&changed(&mine, "code", stolen)).await;
    answer.is_page(502);
    assert!(!answer.signs_in(), "its verifier is another's");
    world.app.heard_nothing();
}

#[tokio::test]
async fn two_copies_of_a_callback_at_once_sign_in_once() {
    let world = World::new().await;
    let mut browser = world.browser();
    let callback = browser.until_callback(&world.url("/orders"), ASTRID).await;
    let (mut one, mut two) = (browser.clone(), browser.clone());
    let (first, second) = tokio::join!(one.visit(&callback), two.visit(&callback));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 400]);
    assert_eq!(world.asked(Kind::Tokens), 1);
}

#[tokio::test]
async fn only_get_is_taken_at_a_code_callback() {
    let world = World::new().await;
    let mut browser = world.browser();
    let callback = browser.until_callback(&world.url("/orders"), ASTRID).await;
    for method in ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"] {
        let headers = "Content-Length: 0\r\nOrigin: null\r\n";
        let answer = world.api().send(method, &callback, headers).await;
        assert_eq!(answer.status, 405, "{method}");
    }
    assert_eq!(world.asked(Kind::Tokens), 0);
    world.app.heard_nothing();
}
