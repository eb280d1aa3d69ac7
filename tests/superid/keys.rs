//! When keys are fetched, how long they serve, and what cannot take their place.

use superid_gateway::superid::{ClaimsRefused, Outage, SignInFailed};

use crate::double::Reply;
use crate::mint::{FIRST, SECOND, legacy};
use crate::world::World;

/// What became of a token: judged by a key, by none, or not at all.
#[derive(Debug, PartialEq)]
enum Fate {
    /// Its signature was right; only its tenant's serial is not known.
    Judged,
    NotJudged,
    UnknownKey,
}

fn fate(posted: Result<(), SignInFailed>) -> Fate {
    match posted {
        Err(SignInFailed::Untrusted(ClaimsRefused::SerialUnknown)) => Fate::Judged,
        Err(SignInFailed::Untrusted(ClaimsRefused::KeyUnknown)) => Fate::UnknownKey,
        Err(SignInFailed::Outage(_)) => Fate::NotJudged,
        other => panic!("{other:?}"),
    }
}

async fn first(world: &World) -> Fate {
    fate(world.post_good().await)
}

async fn second(world: &World) -> Fate {
    fate(world.post(&SECOND.sign(&legacy())).await)
}

fn fetches(world: &World) -> usize {
    world.double.asked("/jwks").len()
}

#[tokio::test]
async fn keys_are_fetched_once_an_hour() {
    let world = World::start().await;
    assert_eq!(fetches(&world), 0, "nothing is fetched before the first sign-in");
    for _ in 0..3 {
        assert_eq!(first(&world).await, Fate::Judged);
    }
    world.clock.advance(3_599);
    assert_eq!((first(&world).await, fetches(&world)), (Fate::Judged, 1));
    world.clock.advance(1);
    assert_eq!((first(&world).await, fetches(&world)), (Fate::Judged, 2));
}

#[tokio::test]
async fn made_up_keys_cause_one_fetch_in_thirty_seconds() {
    let world = World::start().await;
    for _ in 0..10 {
        assert_eq!(second(&world).await, Fate::UnknownKey);
    }
    assert_eq!(fetches(&world), 1);
    world.clock.advance(29);
    assert_eq!((second(&world).await, fetches(&world)), (Fate::UnknownKey, 1));
    world.clock.advance(1);
    for _ in 0..10 {
        assert_eq!(second(&world).await, Fate::UnknownKey);
    }
    assert_eq!(fetches(&world), 2);
}

#[tokio::test]
async fn a_rotated_key_is_found_after_the_cool_down_and_the_old_one_is_gone() {
    let world = World::start().await;
    assert_eq!(first(&world).await, Fate::Judged);
    world.double.says("/jwks", Reply::ok(SECOND.jwks()));
    world.clock.advance(30);
    assert_eq!(second(&world).await, Fate::Judged);
    assert_eq!(first(&world).await, Fate::UnknownKey);
}

#[tokio::test]
async fn garbage_never_replaces_good_keys() {
    let world = World::start().await;
    assert_eq!(first(&world).await, Fate::Judged);
    for garbage in [
        Reply::ok("<html>"),
        Reply::ok(r#"{"keys":[]}"#),
        Reply::ok(r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#),
        Reply::status(404, &SECOND.jwks()),
        Reply::CutOff,
    ] {
        world.double.says("/jwks", garbage.clone());
        world.clock.advance(30);
        assert_eq!(second(&world).await, Fate::NotJudged, "whose key it is, nobody knows");
        assert_eq!(first(&world).await, Fate::Judged, "{garbage:?}");
    }
    assert_eq!(fetches(&world), 6);
}

#[tokio::test]
async fn good_keys_outlive_an_outage_by_a_day_and_no_more() {
    let world = World::start().await;
    assert_eq!(first(&world).await, Fate::Judged);
    world.double.says("/jwks", Reply::status(503, ""));
    world.clock.advance(86_399);
    assert_eq!(first(&world).await, Fate::Judged);
    world.clock.advance(1);
    assert_eq!(first(&world).await, Fate::NotJudged);
}

#[tokio::test]
async fn without_any_keys_nothing_is_judged_until_superid_is_back() {
    let world = World::start().await;
    world.double.says("/jwks", Reply::status(500, ""));
    for _ in 0..3 {
        assert_eq!(first(&world).await, Fate::NotJudged);
    }
    assert_eq!(fetches(&world), 1, "nor is SuperID hammered");
    world.double.says("/jwks", Reply::ok(FIRST.jwks()));
    world.clock.advance(30);
    assert_eq!(first(&world).await, Fate::Judged);
}

#[tokio::test]
async fn a_clock_set_back_neither_trusts_old_keys_nor_stretches_the_cool_down() {
    let world = World::start().await;
    world.clock.advance(10_000);
    assert!(world.post_good().await.is_err());
    world.clock.set(superid_gateway::clock::Timestamp(crate::world::NOW));
    assert_eq!((first(&world).await, fetches(&world)), (Fate::Judged, 2));
}

#[tokio::test]
async fn those_who_come_together_wait_for_one_fetch() {
    let world = World::start().await;
    world.double.shut();
    let callers = (0..20).map(|_| {
        let (superid, legacy_party) = (world.superid.clone(), world.legacy.clone());
        tokio::spawn(async move {
            superid.verify_posted(&legacy_party, &FIRST.sign(&legacy())).await.map(|_claims| ())
        })
    });
    let callers: Vec<_> = callers.collect();
    world.double.is_asked().await;
    world.double.open();
    for caller in callers {
        assert_eq!(fate(caller.await.unwrap()), Fate::Judged);
    }
    assert_eq!(fetches(&world), 1);
}

#[tokio::test]
async fn a_caller_who_gives_up_does_not_take_the_fetch_along() {
    let world = World::start().await;
    world.double.shut();
    let (superid, party) = (world.superid.clone(), world.legacy.clone());
    let impatient = tokio::spawn(async move {
        superid.verify_posted(&party, &FIRST.sign(&legacy())).await.map(|_claims| ())
    });
    world.double.is_asked().await;
    impatient.abort();
    assert!(impatient.await.unwrap_err().is_cancelled());
    world.double.open();
    assert_eq!((first(&world).await, fetches(&world)), (Fate::Judged, 1));
}

#[tokio::test]
async fn the_reason_of_an_outage_is_kept() {
    let world = World::start().await;
    world.double.says("/jwks", Reply::status(502, ""));
    let Err(SignInFailed::Outage(outage)) = world.post_good().await else { panic!("an outage") };
    assert!(matches!(*outage, Outage::Status(502)), "{outage}");
}
