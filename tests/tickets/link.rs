//! The link to Redis: bounded in time whatever the server does, and back without a restart.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use superid_gateway::clock::Timestamp;
use superid_gateway::config::{Redis, RedisAddress, RedisNode, RedisTls};
use superid_gateway::crypto::{Random, Secret};
use superid_gateway::redis_link::{LinkFailed, LinkState, RedisLink, Turn, Window};
use tokio::task::JoinSet;

use crate::redis_server::{RedisServer, config};

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn values_are_set_compared_and_removed() {
    let Some(redis) = RedisServer::start() else { return };
    let link = redis.link();
    link.set("a", b"1", HOUR).await.unwrap();
    assert_eq!(link.get("a").await.unwrap().as_deref(), Some(&b"1"[..]));
    assert!(!link.compare_and_set("a", None, b"2", HOUR).await.unwrap());
    assert!(!link.compare_and_set("a", Some(b"0"), b"2", HOUR).await.unwrap());
    // Carried out twice it is still done once.
    for _ in 0..2 {
        assert!(link.compare_and_set("a", Some(b"1"), b"2", HOUR).await.unwrap());
    }
    assert!(!link.compare_and_delete("a", b"1").await.unwrap());
    assert!(link.compare_and_delete("a", b"2").await.unwrap());
    assert!(link.compare_and_set("a", None, b"3", HOUR).await.unwrap());
    link.delete("a").await.unwrap();
    assert_eq!(link.get("a").await.unwrap(), None);
    assert_eq!(link.state(), LinkState::Up);
}

#[tokio::test]
async fn a_window_counts_for_everybody_and_slides() {
    let Some(redis) = RedisServer::start() else { return };
    let (one, other) = (redis.link(), redis.link());
    let window = Window { name: "w", most: 2, span: 100 };
    assert_eq!(one.count_in(window, "a", Timestamp(1_000)).await.unwrap(), Ok(()));
    assert_eq!(other.count_in(window, "b", Timestamp(1_010)).await.unwrap(), Ok(()));
    assert_eq!(other.count_in(window, "b", Timestamp(1_011)).await.unwrap(), Ok(()));
    assert_eq!(one.count_in(window, "c", Timestamp(1_020)).await.unwrap(), Err(80));
    other.count_out(window, "b").await.unwrap();
    assert_eq!(one.count_in(window, "c", Timestamp(1_020)).await.unwrap(), Ok(()));
    assert_eq!(one.count_in(window, "d", Timestamp(1_099)).await.unwrap(), Err(1));
    assert_eq!(one.count_in(window, "d", Timestamp(1_100)).await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_lease_has_one_holder_who_keeps_it_beyond_its_life() {
    let Some(redis) = RedisServer::start() else { return };
    let (one, other) = (redis.link(), redis.link());
    let life = Duration::from_millis(200);
    let held = one.lease("x", life).await.unwrap().unwrap();
    let look = || async { Ok::<Option<()>, LinkFailed>(None) };
    let waited = other.turn("x", life, life * 4, look).await.unwrap();
    assert!(matches!(waited, Turn::Waited));
    assert!(!held.is_lost());
    held.release().await;
    let next = other.lease("x", life).await.unwrap().unwrap();
    assert!(next.fencing() > 1);
    // Dropping one is enough to let the next have it.
    drop(next);
    let turn = one.turn("x", life, Duration::from_secs(5), look).await.unwrap();
    assert!(matches!(turn, Turn::Mine(_)));
}

#[tokio::test]
async fn who_lost_a_lease_does_not_overwrite_what_the_next_one_did() {
    let Some(redis) = RedisServer::start() else { return };
    let link = redis.link();
    let late = link.lease("x", HOUR).await.unwrap().unwrap();
    link.delete("lease:x").await.unwrap();
    let next = link.lease("x", HOUR).await.unwrap().unwrap();
    assert!(next.fencing() > late.fencing());
    assert!(link.set_leased("v", b"new", HOUR, &next).await.unwrap());
    assert!(!link.set_leased("v", b"old", HOUR, &late).await.unwrap());
    assert_eq!(link.get("v").await.unwrap().unwrap(), b"new");
    // Nor does it take the lease from the next one.
    late.release().await;
    assert!(link.lease("x", HOUR).await.unwrap().is_none());
}

#[tokio::test]
async fn whoever_waits_for_a_lease_finds_what_its_holder_brought() {
    let Some(redis) = RedisServer::start() else { return };
    let (one, other) = (redis.link(), redis.link());
    let lease = one.lease("x", HOUR).await.unwrap().unwrap();
    let waiting = tokio::spawn(async move {
        let look = || async { other.get("v").await };
        match other.turn("x", HOUR, HOUR, look).await.unwrap() {
            Turn::Found(found) => found,
            Turn::Mine(_) | Turn::Waited => panic!("nothing was found"),
        }
    });
    one.set_leased("v", b"brought", HOUR, &lease).await.unwrap();
    assert_eq!(waiting.await.unwrap(), b"brought");
}

#[tokio::test]
async fn a_frozen_redis_holds_nobody_longer_than_the_timeout_and_recovers_by_itself() {
    let Some(redis) = RedisServer::start() else { return };
    let link = redis.link();
    link.ping().await.unwrap();
    redis.freeze();
    let mut commands = JoinSet::new();
    for number in 0..6_000 {
        let link = link.clone();
        commands.spawn(async move {
            let begun = Instant::now();
            let failed = link.get(&format!("{number}")).await.unwrap_err();
            (begun.elapsed(), failed)
        });
    }
    let ends = commands.join_all().await;
    let longest = ends.iter().map(|(time, _)| *time).max().unwrap();
    let busy = ends.iter().filter(|(_, failed)| *failed == LinkFailed::Busy).count();
    println!("6,000 commands to a frozen server: the longest took {longest:?}, {busy} at once");
    assert!(longest < Duration::from_secs(1), "{longest:?}");
    assert!(busy >= 1_000, "{busy} were told that it is too much");
    // Once it is known to be down, nobody waits at all.
    until(|| async { matches!(link.state(), LinkState::Down(_)) }).await;
    let begun = Instant::now();
    for _ in 0..1_000 {
        assert!(link.get("a").await.is_err());
    }
    println!("1,000 more: {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    redis.thaw();
    let begun = Instant::now();
    until(|| async { link.ping().await.is_ok() }).await;
    println!("after it went on: {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_restarted_redis_costs_no_command() {
    let Some(mut redis) = RedisServer::start() else { return };
    let link = redis.link();
    for round in 0..5 {
        link.set("a", b"1", HOUR).await.unwrap();
        redis.restart();
        assert_eq!(link.get("a").await, Ok(None), "round {round}");
    }
}

#[tokio::test]
async fn many_at_once_over_one_connection_get_their_own_answers() {
    let Some(redis) = RedisServer::start() else { return };
    let link = redis.link();
    let mut commands = JoinSet::new();
    for number in 0..2_000_u32 {
        let link = link.clone();
        commands.spawn(async move {
            let name = format!("{}", number % 500);
            let value = name.clone().into_bytes();
            link.set(&name, &value, HOUR).await.unwrap();
            assert_eq!(link.get(&name).await.unwrap().unwrap(), value);
        });
    }
    commands.join_all().await;
}

#[tokio::test]
async fn a_wrong_password_is_said_clearly_and_never_shown() {
    let Some(redis) = RedisServer::start_with(Some("right")) else { return };
    redis.link().ping().await.unwrap();
    for password in [None, Some("hunter2-wrong")] {
        let link = RedisLink::open(&config(redis.socket(), password), Random::system()).unwrap();
        let failed = link.ping().await.unwrap_err();
        println!("{failed}");
        assert!(matches!(failed, LinkFailed::Refused(_)), "{failed:?}");
        assert!(!format!("{failed} {failed:?} {link:?}").contains("hunter2"));
    }
    let mut named = redis.config();
    named.username = Some("nobody".to_owned());
    named.password = Some(Secret::new("right".to_owned()));
    let link = RedisLink::open(&named, Random::system()).unwrap();
    assert!(matches!(link.ping().await.unwrap_err(), LinkFailed::Refused(_)));
}

#[tokio::test]
async fn tls_wants_an_authority_that_is_trusted_and_the_right_name() {
    let Some((redis, port, certificate)) = RedisServer::start_with_tls() else { return };
    superid_gateway::crypto::install_provider();
    let ping = async |host: &str, ca: Option<PathBuf>| {
        let address = RedisAddress::Server(RedisNode { host: host.to_owned(), port });
        let tls = Some(RedisTls { ca, client: None });
        let link = RedisLink::open(&Redis { address, tls, ..redis.config() }, Random::system());
        link.unwrap().ping().await
    };
    assert_eq!(ping("localhost", Some(certificate.clone())).await, Ok(()));
    for (host, ca) in [("localhost", None), ("127.0.0.1", Some(certificate))] {
        let failed = ping(host, ca).await.unwrap_err();
        println!("{failed}");
        assert!(matches!(failed, LinkFailed::Down(_)), "{failed:?}");
    }
    let tls = Some(RedisTls { ca: Some("/gone.pem".into()), client: None });
    let failed = RedisLink::open(&Redis { tls, ..redis.config() }, Random::system());
    assert!(matches!(failed, Err(LinkFailed::Unusable(_))), "{failed:?}");
}

#[tokio::test]
async fn where_nobody_listens_it_fails_at_once_and_works_once_somebody_does() {
    let Some(mut redis) = RedisServer::start() else { return };
    redis.kill();
    let link = redis.link();
    let begun = Instant::now();
    let failed = link.ping().await.unwrap_err();
    println!("{failed}");
    assert!(matches!(failed, LinkFailed::Down(_)), "{failed:?}");
    assert!(begun.elapsed() < Duration::from_millis(900), "{:?}", begun.elapsed());
    redis.restart();
    until(|| async { link.ping().await.is_ok() }).await;
}

#[test]
fn the_link_outlives_the_runtimes_that_use_it() {
    let Some(redis) = RedisServer::start() else { return };
    let link = redis.link();
    for _ in 0..5 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            link.set("a", b"1", HOUR).await.unwrap();
            assert_eq!(link.get("a").await.unwrap().unwrap(), b"1");
        });
    }
}

/// Waits for something that comes within half a minute.
pub async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < Duration::from_secs(30), "it did not come");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
