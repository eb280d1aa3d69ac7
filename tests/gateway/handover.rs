//! From a posted token to a session: only in the browser that began, only once, only soon.

use crate::legacy::{LEGACY, draft, post, told};
use crate::world::{ASTRID, JONAS, World};

#[tokio::test]
async fn a_posted_token_in_a_browser_that_began_nothing_signs_nobody_in() {
    let world = World::with(LEGACY).await;
    let token = world.superid.mint().legacy("x", JONAS, "Cust12345").unwrap().sign();
    let mut victim = world.browser();
    let handed = post(&world, &mut victim, &[("jwt", &token)]).await;
    let answer = victim.arrive(handed).await;
    answer.is_page(400);
    assert!(answer.body.contains("The sign-in began somewhere else"));
    assert!(victim.jar.value("superid-gateway").is_none());
    victim.visit(&world.url("/orders")).await;
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_posted_token_does_not_replace_the_session_of_somebody_who_began_nothing() {
    let world = World::with(LEGACY).await;
    let mut victim = world.signed_in(ASTRID).await;
    let before = victim.jar.value("superid-gateway");
    let token = world.superid.mint().legacy("x", JONAS, "Cust12345").unwrap().sign();
    let handed = post(&world, &mut victim, &[("jwt", &token)]).await;
    let landed = victim.step(&handed).await;
    assert_eq!(landed.location(), world.url("/"), "as whoever they are already");
    assert!(!landed.signs_in());
    assert_eq!(victim.jar.value("superid-gateway"), before);
    victim.visit(&world.url("/orders")).await;
    assert_eq!(world.app.last().header("X-SuperOffice-User"), Some(ASTRID));
}

#[tokio::test]
async fn a_hand_over_without_the_binding_is_nobodys() {
    let world = World::with(LEGACY).await;
    let (browser, handed) = told(&world, &draft(&world).sign()).await;
    assert_eq!(handed.status, 303);
    let mut without = browser.clone();
    without.jar.forget("superid-gateway-binding");
    without.visit(&world.url("/auth/finish")).await.is_page(400);
    assert!(without.jar.value("superid-gateway").is_none());

    let mut anothers = world.browser();
    anothers.visit(&world.url("/mine")).await;
    let binding = anothers.jar.value("superid-gateway-binding").unwrap();
    let mut bent = browser.clone();
    bent.jar.change("superid-gateway-binding", &binding.replace('A', "B"));
    bent.visit(&world.url("/auth/finish")).await.is_page(400);
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_sign_in_is_finished_once() {
    let world = World::with(LEGACY).await;
    let (mut browser, handed) = told(&world, &draft(&world).sign()).await;
    let mut copy = browser.clone();
    assert!(browser.step(&handed).await.signs_in());
    let again = copy.step(&handed).await;
    again.is_page(400);
    assert!(again.body.contains("This sign-in was used already"), "{}", again.body);
    assert!(!again.signs_in());
    let later = browser.visit(&world.url("/auth/finish")).await;
    assert_eq!((later.location(), later.signs_in()), (world.url("/").as_str(), false));
}

#[tokio::test]
async fn a_hand_over_ends_after_a_minute() {
    let world = World::with(LEGACY).await;
    let (browser, handed) = told(&world, &draft(&world).sign()).await;
    let (mut late, mut sharp) = (browser.clone(), browser.clone());
    world.turn_clock(61);
    late.jar = browser.jar.clone();
    let answer = late.step(&handed).await;
    answer.is_page(400);
    assert!(!answer.signs_in());
    let kept = browser.jar.named("superid-gateway").into_iter();
    let pairs: Vec<String> = kept.map(|kept| format!("{}={}", kept.name, kept.value)).collect();
    let headers = format!("Cookie: {}\r\nAccept: text/html\r\n", pairs.join("; "));
    let kept = world.api().send("GET", &world.url("/auth/finish"), &headers).await;
    kept.is_page(400);
    assert!(!kept.signs_in(), "also in a browser that keeps cookies too long");
    sharp.jar.forget_host("localhost");
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_legacy_attempt_ends_when_its_time_is_over() {
    let world = World::with(&format!("{LEGACY}[session]\nattempt = \"5m\"")).await;
    let mut browser = world.browser();
    browser.visit(&world.url("/orders")).await;
    world.turn_clock(301);
    let token = draft(&world).sign();
    let handed = post(&world, &mut browser, &[("jwt", &token)]).await;
    browser.arrive(handed).await.is_page(400);
    world.app.heard_nothing();
}

#[tokio::test]
async fn of_several_attempts_the_newest_wins_and_the_others_land_on_the_root() {
    let world = World::with(LEGACY).await;
    let mut browser = world.browser();
    for number in 0..6 {
        browser.visit(&world.url(&format!("/tab/{number}"))).await;
    }
    let mut landed = Vec::new();
    for number in 0..5 {
        let token = draft(&world).claim("jti", number).sign();
        let handed = post(&world, &mut browser, &[("jwt", &token)]).await;
        let answer = browser.step(&handed).await;
        landed.push(if answer.status == 303 {
            answer.location().to_owned()
        } else {
            String::new()
        });
    }
    let root = world.url("/");
    let others = vec![root; 4];
    assert_eq!(landed, [vec![world.url("/tab/5")], others].concat());
}

#[tokio::test]
async fn ten_tabs_that_sign_in_at_once_all_end_up_signed_in() {
    let world = World::with(LEGACY).await;
    let mut browser = world.browser();
    for number in 0..10 {
        let mut fresh = world.browser();
        fresh.visit(&world.url(&format!("/tab/{number}"))).await;
        browser.jar = fresh.jar;
    }
    let mut handed = Vec::new();
    for number in 0..10 {
        let token = draft(&world).claim("jti", number).sign();
        handed.push(post(&world, &mut browser, &[("jwt", &token)]).await);
    }
    for one in handed {
        let answer = browser.arrive(one).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "the app"));
    }
}

#[tokio::test]
async fn long_targets_keep_the_one_cookie_small() {
    let world = World::with(LEGACY).await;
    let mut browser = world.browser();
    for number in 0..6 {
        browser.visit(&world.url(&format!("/tab/{number}?{}", "x".repeat(number * 1_200)))).await;
        let kept = browser.jar.named("superid-gateway");
        assert_eq!(kept.len(), 1);
        assert!(kept[0].value.len() < 4_000);
    }
}
