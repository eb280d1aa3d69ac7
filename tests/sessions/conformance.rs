//! One contract, kept by every kind of store, on a clock turned by hand.

use std::sync::Arc;
use std::time::{Duration, Instant};

use superid_gateway::clock::Timestamp;
use superid_gateway::crypto::Random;
use superid_gateway::session::{Loaded, NotKept, SessionState, Store};
use superid_gateway::telemetry::Unfit;

use crate::kinds::{Browser, KEY, Kind, NOW, OTHER_KEY, astrid, each_kind};
use crate::redis_server::RedisServer;

#[tokio::test]
async fn every_store_keeps_the_contract() {
    for kind in each_kind() {
        println!("{}", kind.name);
        gives_what_was_kept(&kind).await;
        ends_what_is_idle_and_what_is_old(&kind).await;
        ends_every_copy_at_once(&kind).await;
        revives_nobody_by_a_late_write(&kind).await;
        opens_nowhere_else(&kind).await;
        rotates_keys_without_signing_anybody_out(&kind).await;
        tells_nobody_apart_by_what_is_damaged(&kind).await;
    }
}

async fn gives_what_was_kept(kind: &Kind) {
    let (one, other) = (astrid(NOW), astrid(NOW));
    let (browser, another) =
        (Browser::sign_in(&kind.here, &one).await, Browser::sign_in(&kind.here, &other).await);
    for sessions in [&kind.here, &kind.there] {
        for (browser, state) in [(&browser, &one), (&another, &other)] {
            let Loaded::Live(found) = browser.asks(sessions, NOW.plus(1)).await else { panic!() };
            assert_eq!(found.keys.len(), 1, "what it is sealed with is known of it");
            let found = SessionState { keys: Vec::new(), ..(*found).clone() };
            assert_eq!(format!("{found:?}"), format!("{state:?}"));
        }
        let nobody = Browser::default();
        assert!(matches!(nobody.asks(sessions, NOW).await, Loaded::NotPresented));
    }
}

async fn ends_what_is_idle_and_what_is_old(kind: &Kind) {
    let mut browser = Browser::sign_in(&kind.here, &astrid(NOW)).await;
    assert!(browser.is_signed_in(&kind.there, NOW.plus(99)).await);
    let over = browser.asks(&kind.there, NOW.plus(100)).await;
    assert!(matches!(over, Loaded::Rejected(Unfit::Idle)), "{over:?}");
    let mut now = NOW;
    while now < NOW.plus(950) {
        now = now.plus(50);
        let Loaded::Live(state) = browser.asks(&kind.here, now).await else { panic!("{now:?}") };
        assert!(
            kind.here.is_due(&state, browser.cookies(), now)
                && !kind.here.is_due(&state, browser.cookies(), state.seen.plus(10))
        );
        let set = kind.here.renew(&state, &Random::system(), (browser.cookies(), now));
        assert_eq!(set.is_empty(), kind.name != "cookie", "a handle stays the same");
        browser.keep(&set);
        is_seen(kind, &browser, now).await;
    }
    assert!(browser.is_signed_in(&kind.there, NOW.plus(999)).await);
    let over = browser.asks(&kind.there, NOW.plus(1_000)).await;
    assert!(matches!(over, Loaded::Rejected(Unfit::TooOld)), "{over:?}");
}

/// Nobody waits for a session that is written again; it comes, for every gateway.
async fn is_seen(kind: &Kind, browser: &Browser, now: Timestamp) {
    let begun = Instant::now();
    loop {
        let Loaded::Live(state) = browser.asks(&kind.there, now).await else { panic!("{now:?}") };
        if state.seen == now {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "it was not written");
    }
}

async fn ends_every_copy_at_once(kind: &Kind) {
    let state = astrid(NOW);
    let browser = Browser::sign_in(&kind.here, &state).await;
    let bystander = Browser::sign_in(&kind.here, &astrid(NOW)).await;
    assert!(browser.is_signed_in(&kind.there, NOW).await);
    kind.here.end(&state, NOW).await.unwrap();
    for sessions in [&kind.here, &kind.there] {
        let over = browser.asks(sessions, NOW).await;
        assert!(matches!(over, Loaded::Rejected(Unfit::Ended | Unfit::Gone)), "{over:?}");
        assert!(bystander.is_signed_in(sessions, NOW).await);
    }
    kind.here.end(&state, NOW).await.unwrap();
}

async fn revives_nobody_by_a_late_write(kind: &Kind) {
    let mut browser = Browser::sign_in(&kind.here, &astrid(NOW)).await;
    let Loaded::Live(state) = browser.asks(&kind.there, NOW.plus(50)).await else { panic!() };
    kind.here.end(&state, NOW.plus(50)).await.unwrap();
    // A request that was let in before is about to say that the session is in use.
    let set = kind.there.renew(&state, &Random::system(), (browser.cookies(), NOW.plus(50)));
    browser.keep(&set);
    for sessions in [&kind.there, &kind.here] {
        assert!(!browser.is_signed_in(sessions, NOW.plus(50)).await);
    }
}

async fn opens_nowhere_else(kind: &Kind) {
    let browser = Browser::sign_in(&kind.here, &astrid(NOW)).await;
    let elsewhere = kind.with(&[KEY], "https://other.example");
    assert!(!browser.is_signed_in(&elsewhere, NOW).await, "another host");
    let stranger = kind.with(&[OTHER_KEY], "https://app.example");
    assert!(!browser.is_signed_in(&stranger, NOW).await, "other keys over the same store");
    assert!(browser.is_signed_in(&kind.here, NOW).await);
}

async fn rotates_keys_without_signing_anybody_out(kind: &Kind) {
    let mut browser = Browser::sign_in(&kind.here, &astrid(NOW)).await;
    let rotated = kind.with(&[OTHER_KEY, KEY], "https://app.example");
    let now = NOW.plus(50);
    let Loaded::Live(state) = browser.asks(&rotated, now).await else { panic!() };
    browser.keep(&rotated.renew(&state, &Random::system(), (browser.cookies(), now)));
    let begun = Instant::now();
    while !matches!(browser.asks(&rotated, now).await, Loaded::Live(state) if state.seen == now) {
        assert!(begun.elapsed() < Duration::from_secs(10), "it was not written");
    }
    // Whoever was there since needs the older key no more.
    let later = kind.with(&[OTHER_KEY], "https://app.example");
    assert!(browser.is_signed_in(&later, now).await);
}

async fn tells_nobody_apart_by_what_is_damaged(kind: &Kind) {
    let browser = Browser::sign_in(&kind.here, &astrid(NOW)).await;
    let mut bent = browser.clone();
    let pair = browser.cookies().one("__Host-superid-gateway").unwrap().to_vec();
    let mut value = String::from_utf8(pair).unwrap();
    let letter = value.len() - 4..value.len() - 3;
    let other = if &value[letter.clone()] == "A" { "Q" } else { "A" };
    value.replace_range(letter, other);
    bent.keep(&[format!("__Host-superid-gateway={value}").parse().unwrap()]);
    let over = bent.asks(&kind.here, NOW).await;
    assert!(matches!(over, Loaded::Rejected(Unfit::Unreadable)), "{over:?}");
}

#[tokio::test]
async fn what_redis_has_names_nobody_and_a_made_up_cookie_does_not_reach_it() {
    let Some(kind) = each_kind().into_iter().find(|kind| kind.name == "redis") else { return };
    let redis = kind.redis.as_ref().unwrap();
    let browser = Browser::sign_in(&kind.here, &astrid(NOW)).await;
    let keys = redis.ask(&["keys", "*"]);
    assert!(!keys.contains("astrid") && !keys.contains("Cust12345"), "{keys}");
    // Beside it, it may be in the lists of its person and tenant.
    let (own, lists): (Vec<&str>, Vec<&str>) =
        keys.split_whitespace().partition(|key| key.starts_with("test:session:"));
    assert!(
        own.len() == 1 && lists.iter().all(|key| key.starts_with("test:sessions-of:")),
        "{keys}"
    );
    for list in lists {
        let entries = redis.ask(&["zrange", list, "0", "-1"]);
        assert!(!entries.contains("astrid") && !entries.contains("nordlys"), "{entries}");
    }
    let value = redis.ask(&["get", own[0]]);
    assert!(value.len() > 100 && !value.contains("astrid") && !value.contains("nordlys"));
    let life: i64 = redis.ask(&["pttl", own[0]]).trim().parse().unwrap();
    assert!((390_000..=400_000).contains(&life), "idle, and five minutes for clocks: {life}");
    let gets = || {
        let stats = redis.ask(&["info", "commandstats"]);
        let line = stats.lines().find(|line| line.starts_with("cmdstat_get:")).unwrap();
        line.split(',').next().unwrap().to_owned()
    };
    let before = gets();
    let mut forged = Browser::default();
    let value = format!("__Host-superid-gateway=1.{}", "A".repeat(108));
    forged.keep(&[value.parse().unwrap()]);
    assert!(matches!(forged.asks(&kind.here, NOW).await, Loaded::Rejected(Unfit::Unreadable)));
    assert_eq!(gets(), before);
    // Another session's value under this name opens for nobody.
    let other = Browser::sign_in(&kind.there, &astrid(NOW)).await;
    let all = redis.ask(&["keys", "*"]);
    let mut sessions = all.split_whitespace().filter(|key| key.starts_with("test:session:"));
    let stranger = sessions.find(|key| *key != own[0]).unwrap();
    redis.ask(&["copy", stranger, own[0], "replace"]);
    assert!(other.is_signed_in(&kind.here, NOW).await, "opened here lately");
    assert!(!browser.is_signed_in(&kind.here, NOW).await);
    assert!(!browser.is_signed_in(&kind.there, NOW).await);
}

#[tokio::test]
async fn a_store_that_is_not_there_is_no_answer() {
    let Some(mut redis) = RedisServer::start() else { return };
    let store = superid_gateway::session::SharedRecords::always_asking(redis.link());
    let kind = each_kind().remove(0);
    let sessions = kind.over(Store::Redis(Arc::new(store)));
    let state = astrid(NOW);
    let browser = Browser::sign_in(&sessions, &state).await;
    redis.kill();
    let fresh = superid_gateway::session::SharedRecords::always_asking(redis.link());
    let fresh = kind.over(Store::Redis(Arc::new(fresh)));
    assert!(matches!(browser.asks(&fresh, NOW).await, Loaded::Unavailable));
    let made = fresh.make(&astrid(NOW), &Random::system(), browser.cookies()).await;
    assert!(matches!(made, Err(NotKept::Unavailable(_))), "{made:?}");
    let ended = fresh.end(&state, NOW).await;
    assert!(matches!(ended, Err(NotKept::Unavailable(_))), "{ended:?}");
}
