//! A SuperID that is down, slow, changes its keys or has another clock.

use std::time::Duration;

use superid_gateway::emulator::{App, Fault, Kind};

use crate::world::{ASTRID, JONAS, World};

#[tokio::test]
async fn a_client_secret_superid_does_not_know_is_the_operators_matter() {
    let world = World::new().await;
    let mut browser = world.browser();
    let callback = browser.until_callback(&world.url("/"), ASTRID).await;
    let app = App::new("client-of-main", "another", &world.url("/auth/callback"));
    world.superid.register(app);
    let answer = browser.visit(&callback).await;
    answer.is_page(500);
    assert!(answer.body.contains("The app is not set up correctly"));
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_superid_that_is_down_is_a_503_with_a_time_to_come_back() {
    let world = World::new().await;
    let faults = [Kind::Tokens, Kind::Jwks].into_iter().flat_map(|endpoint| {
        [
            Fault::Status { endpoint, code: 500 },
            Fault::Status { endpoint, code: 503 },
            Fault::Status { endpoint, code: 429 },
            Fault::Status { endpoint, code: 302 },
            Fault::Garbage { endpoint },
            Fault::DropConnection { endpoint },
        ]
    });
    for fault in faults {
        world.turn_clock(40);
        let mut browser = world.browser();
        let callback = browser.until_callback(&world.url("/orders"), ASTRID).await;
        world.superid.faults().set(fault.clone());
        let answer = browser.visit(&callback).await;
        world.superid.faults().clear();
        assert_eq!(answer.status, 503, "{fault:?}");
        answer.is_page(503);
        assert!(!answer.header("retry-after").is_empty());
        assert!(answer.body.contains("SuperID does not answer"));
        assert!(!answer.signs_in());
    }
    world.app.heard_nothing();
    world.turn_clock(40);
    assert_eq!(world.browser().sign_in(&world.url("/"), ASTRID).await.status, 200);
}

#[tokio::test]
async fn a_superid_that_is_down_signs_nobody_out() {
    let world = World::new().await;
    let mut browser = world.signed_in(ASTRID).await;
    for endpoint in [Kind::Tokens, Kind::Jwks, Kind::Authorize, Kind::Discovery] {
        world.superid.faults().set(Fault::DropConnection { endpoint });
    }
    world.turn_clock(600);
    for _ in 0..10 {
        assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
    }
    let asked = world.superid.journal().entries().len();
    browser.visit(&world.url("/orders")).await;
    assert_eq!(world.superid.journal().entries().len(), asked, "it is not even asked");
}

#[tokio::test]
async fn a_superid_that_is_slow_is_given_up() {
    let world = World::tuned("", |settings| {
        settings.limits.superid_timeout = Duration::from_millis(60);
    })
    .await;
    let mut browser = world.browser();
    let callback = browser.until_callback(&world.url("/orders"), ASTRID).await;
    world.superid.faults().slow(Kind::Tokens, Duration::from_secs(5));
    browser.visit(&callback).await.is_page(503);
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_token_under_an_unknown_key_is_refused() {
    let world = World::new().await;
    world.superid.faults().set(Fault::WrongKey);
    let mut browser = world.browser();
    let callback = browser.until_callback(&world.url("/orders"), ASTRID).await;
    let answer = browser.visit(&callback).await;
    answer.is_page(400);
    assert!(answer.body.contains("The sign-in could not be verified"));
    assert!(!answer.signs_in());
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_new_key_of_superids_is_fetched_when_a_token_names_it() {
    let world = World::new().await;
    world.signed_in(ASTRID).await;
    world.turn_clock(31);
    world.superid.faults().set(Fault::RotateKey);
    world.signed_in(JONAS).await;
    assert_eq!(world.asked(Kind::Jwks), 2);
}

#[tokio::test]
async fn strange_keys_do_not_make_us_ask_superid_again_and_again() {
    let world = World::new().await;
    world.signed_in(ASTRID).await;
    world.superid.faults().set(Fault::WrongKey);
    world.turn_clock(31);
    for _ in 0..5 {
        let mut browser = world.browser();
        let callback = browser.until_callback(&world.url("/orders"), ASTRID).await;
        browser.visit(&callback).await.is_page(400);
    }
    assert_eq!(world.asked(Kind::Jwks), 2);
}

#[tokio::test]
async fn a_clock_that_is_a_little_off_is_forgiven_and_one_that_is_not_is_named() {
    let world = World::new().await;
    for (seconds, good) in [(50, true), (-350, true), (121, false), (-361, false), (9_999, false)] {
        world.superid.faults().clear();
        world.superid.faults().set(Fault::ClockSkew { seconds });
        let mut browser = world.browser();
        let callback = browser.until_callback(&world.url("/orders"), ASTRID).await;
        let answer = browser.visit(&callback).await;
        assert_eq!(answer.signs_in(), good, "{seconds}: {}", answer.body);
        if !good {
            answer.is_page(500);
            assert!(answer.body.contains("clock and ours disagree"), "{seconds}");
            assert!(answer.body.contains("clock"), "{seconds}: {}", answer.body);
        }
    }
    world.app.heard_nothing();
}
