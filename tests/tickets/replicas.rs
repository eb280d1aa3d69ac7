//! Two replicas on one Redis: one exchange in all.

use std::sync::Arc;
use std::time::{Duration, Instant};

use superid_gateway::clock::{Clock, Timestamp};
use superid_gateway::credentials::{BuyFailure, NoTicket, SharedTickets, TicketCache, TicketState};
use superid_gateway::crypto::{KeyRing, Random, Secret};
use superid_gateway::redis_link::RedisLink;
use superid_gateway::telemetry::Metrics;
use tokio::task::JoinSet;

use crate::link::until;
use crate::redis_server::RedisServer;
use crate::source::{Shop, key};

/// Caches with a link each, as if in processes of their own, on one clock and one shop.
struct Replicas {
    caches: Vec<TicketCache>,
    clock: Clock,
    shop: Arc<Shop>,
}

impl Replicas {
    fn of(redis: &RedisServer, count: usize) -> Self {
        let clock = Clock::manual(Timestamp(1_000_000));
        let shop = Shop::new(&clock);
        let caches = (0..count).map(|_| cache(redis.link(), &shop, &clock)).collect();
        Self { caches, clock, shop }
    }

    /// So many callers at each, all at once: what they were given.
    async fn crowd(&self, callers: usize) -> Vec<String> {
        let mut waiting = JoinSet::new();
        for cache in self.caches.iter().flat_map(|cache| vec![cache; callers]) {
            let cache = cache.clone();
            waiting.spawn(
                async move { cache.get(&key(1)).await.unwrap().ticket().reveal().to_owned() },
            );
        }
        waiting.join_all().await
    }
}

#[tokio::test]
async fn a_thousand_callers_at_each_of_two_replicas_make_one_exchange_in_all() {
    let Some(redis) = RedisServer::start() else { return };
    let replicas = Replicas::of(&redis, 2);
    let begun = Instant::now();
    assert_eq!(replicas.crowd(1_000).await, vec!["7T:Cust1-1"; 2_000]);
    println!("2,000 callers at two replicas, cold: {:?}", begun.elapsed());
    assert_eq!(replicas.shop.asked(), 1);
    // The same at expiry.
    replicas.clock.advance(6 * 3_600);
    assert_eq!(replicas.crowd(1_000).await, vec!["7T:Cust1-2"; 2_000]);
    assert_eq!(replicas.shop.asked(), 2);
    // The same after a 401 at both.
    for cache in &replicas.caches {
        let held = cache.get(&key(1)).await.unwrap();
        cache.died(&key(1), &held);
    }
    assert_eq!(replicas.crowd(1_000).await, vec!["7T:Cust1-3"; 2_000]);
    assert_eq!(replicas.shop.asked(), 3);
}

#[tokio::test]
async fn a_ticket_that_died_at_one_replica_is_replaced_once_for_both() {
    let Some(redis) = RedisServer::start() else { return };
    let replicas = Replicas::of(&redis, 2);
    replicas.crowd(1).await;
    let [one, other] = &replicas.caches[..] else { panic!() };
    let (at_one, at_other) = (one.get(&key(1)).await.unwrap(), other.get(&key(1)).await.unwrap());
    assert_eq!(at_one.id(), at_other.id());
    one.died(&key(1), &at_one);
    let fresh = one.get(&key(1)).await.unwrap();
    // The other finds out by its own 401, later, and asks nobody but the store.
    other.died(&key(1), &at_other);
    assert_eq!(other.get(&key(1)).await.unwrap().id(), fresh.id());
    assert_eq!(replicas.shop.asked(), 2);
}

#[tokio::test]
async fn renewal_ahead_is_one_exchange_for_all_replicas() {
    let Some(redis) = RedisServer::start() else { return };
    let replicas = Replicas::of(&redis, 3);
    replicas.crowd(10).await;
    replicas.clock.advance(3_600 + 15 * 60);
    assert_eq!(replicas.crowd(100).await, vec!["7T:Cust1-1"; 300]);
    until(|| async {
        let tickets = replicas.crowd(1).await;
        tickets.iter().all(|ticket| ticket == "7T:Cust1-2")
    })
    .await;
    assert_eq!(replicas.shop.asked(), 2);
}

#[tokio::test]
async fn a_refusal_at_one_replica_is_the_answer_at_the_other() {
    let Some(redis) = RedisServer::start() else { return };
    let replicas = Replicas::of(&redis, 2);
    replicas.shop.fail(BuyFailure::Revoked);
    let mut waiting = JoinSet::new();
    for cache in replicas.caches.iter().flat_map(|cache| vec![cache; 100]) {
        let cache = cache.clone();
        waiting.spawn(async move { cache.get(&key(1)).await.unwrap_err() });
    }
    for refused in waiting.join_all().await {
        assert!(matches!(refused, NoTicket::Failed { kind: BuyFailure::Revoked, .. }));
    }
    assert_eq!(replicas.shop.asked(), 1);
    // A new consent at one: the other takes the ticket over although its refusal is not over.
    replicas.shop.recover();
    let [one, other] = &replicas.caches[..] else { panic!() };
    one.forget(&key(1));
    let fresh = one.get(&key(1)).await.unwrap();
    replicas.clock.advance(5);
    assert_eq!(other.get(&key(1)).await.unwrap().id(), fresh.id());
    assert_eq!(replicas.shop.asked(), 2);
}

#[tokio::test]
async fn four_exchanges_an_hour_are_counted_for_all_replicas_together() {
    let Some(redis) = RedisServer::start() else { return };
    let replicas = Replicas::of(&redis, 3);
    for round in 0..30 {
        let cache = &replicas.caches[round % 3];
        match cache.get(&key(1)).await {
            Ok(held) => replicas.caches.iter().for_each(|cache| cache.died(&key(1), &held)),
            Err(refused) => assert!(matches!(refused, NoTicket::TooManyExchanges { .. })),
        }
    }
    assert_eq!(replicas.shop.asked(), 4);
    replicas.clock.advance(3_600);
    replicas.crowd(1).await;
    assert_eq!(replicas.shop.asked(), 5);
}

#[tokio::test]
async fn what_was_forgotten_is_not_found_again_in_the_store() {
    let Some(redis) = RedisServer::start() else { return };
    let replicas = Replicas::of(&redis, 1);
    replicas.crowd(1).await;
    replicas.caches[0].forget(&key(1));
    replicas.shop.fail(BuyFailure::NotInstalled);
    let refused = replicas.caches[0].get(&key(1)).await.unwrap_err();
    assert!(matches!(refused, NoTicket::Failed { kind: BuyFailure::NotInstalled, .. }));
    until(|| async { !redis.ask(&["KEYS", "*"]).contains("test:ticket:") }).await;
    let newcomer = cache(redis.link(), &replicas.shop, &replicas.clock);
    assert!(newcomer.get(&key(1)).await.is_err());
}

#[tokio::test]
async fn where_one_replica_learns_that_a_consent_is_gone_the_others_do_at_their_next_look() {
    let Some(redis) = RedisServer::start() else { return };
    let replicas = Replicas::of(&redis, 2);
    replicas.crowd(1).await;
    replicas.shop.fail(BuyFailure::Revoked);
    replicas.clock.advance(3_600 + 15 * 60);
    for cache in &replicas.caches {
        assert!(cache.get(&key(1)).await.is_ok());
        until(|| async { cache.get(&key(1)).await.is_err() }).await;
    }
    assert_eq!(replicas.shop.asked(), 2);
    assert!(!redis.ask(&["KEYS", "*"]).contains("test:ticket:"));
}

#[test]
fn a_replica_that_dies_half_way_is_replaced_by_the_other() {
    let Some(redis) = RedisServer::start() else { return };
    let replicas = Replicas::of(&redis, 2);
    replicas.shop.close();
    let leader = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let leading = replicas.caches[0].clone();
    leader.spawn(async move { leading.get(&key(1)).await });
    leader.block_on(replicas.shop.one_has_begun());
    drop(leader);
    replicas.shop.open();
    let heir = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tickets = heir.block_on(replicas.crowd(500));
    assert_eq!(tickets, vec!["7T:Cust1-2"; 1_000]);
    assert_eq!(replicas.shop.asked(), 2);
}

#[tokio::test]
async fn without_redis_each_replica_buys_for_itself_and_nobody_is_refused() {
    let Some(mut redis) = RedisServer::start() else { return };
    let replicas = Replicas::of(&redis, 2);
    redis.kill();
    let begun = Instant::now();
    let tickets = replicas.crowd(1_000).await;
    println!("2,000 callers at two replicas without Redis: {:?}", begun.elapsed());
    assert_eq!(tickets.len(), 2_000);
    assert_eq!(replicas.shop.asked(), 2);
}

#[tokio::test]
async fn a_frozen_redis_delays_a_cold_tenant_by_a_second_or_two_and_nobody_else() {
    let Some(redis) = RedisServer::start() else { return };
    let replicas = Replicas::of(&redis, 2);
    replicas.crowd(1).await;
    redis.freeze();
    let begun = Instant::now();
    replicas.crowd(1_000).await;
    let hits = begun.elapsed();
    let begun = Instant::now();
    let cold = replicas.caches[0].get(&key(2)).await;
    println!("frozen: 2,000 hits {hits:?}, a cold tenant {:?}", begun.elapsed());
    assert!(cold.is_ok());
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    redis.thaw();
    // The next purchase is shared again, without a restart.
    until(|| async { redis.link().ping().await.is_ok() }).await;
    let mut number = 3;
    let shared = || {
        number += 1;
        let (one, other) = (&replicas.caches[0], &replicas.caches[1]);
        async move {
            let one = one.get(&key(number)).await.unwrap().id();
            one == other.get(&key(number)).await.unwrap().id()
        }
    };
    until(shared).await;
}

#[tokio::test]
async fn what_lies_in_redis_shows_neither_tickets_nor_tenants() {
    let Some(redis) = RedisServer::start() else { return };
    let replicas = Replicas::of(&redis, 1);
    replicas.crowd(1).await;
    replicas.shop.fail(BuyFailure::Revoked);
    assert!(replicas.caches[0].get(&key(2)).await.is_err());
    let names = redis.ask(&["KEYS", "*"]);
    let mut all = names.clone();
    for name in names.lines() {
        assert!(name.starts_with("test:"), "{name}");
        let life: i64 = redis.ask(&["TTL", name]).trim().parse().unwrap();
        assert!(life > 0, "{name} lives for ever");
        if !name.contains("exchanges:") {
            all += &redis.ask(&["GET", name]);
        }
    }
    assert!(names.contains("ticket:") && names.contains("refusal:"), "{names}");
    for secret in ["7T:", "Cust1", "Cust2", "luck", "client"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}

#[tokio::test]
async fn a_user_with_the_documented_commands_alone_is_enough() {
    let Some(redis) = RedisServer::start() else { return };
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/redis.md");
    let page = std::fs::read_to_string(page).unwrap();
    let line = page.split("ACL SETUSER").nth(1).unwrap().split("```").next().unwrap();
    let line = line.replace(">PASSWORD", ">right").replace("~superid-gateway:*", "~test:*");
    let words = ["ACL", "SETUSER"].into_iter().chain(line.split_whitespace());
    assert_eq!(redis.ask(&words.collect::<Vec<_>>()).trim(), "OK");
    redis.ask(&["ACL", "SETUSER", "default", "off"]);
    let mut config = redis.config();
    config.username = Some("gateway".to_owned());
    config.password = Some(Secret::new("right".to_owned()));
    let link = || RedisLink::open(&config, Random::system()).unwrap();
    let clock = Clock::manual(Timestamp(1_000_000));
    let shop = Shop::new(&clock);
    let (one, other) = (cache(link(), &shop, &clock), cache(link(), &shop, &clock));
    for round in 1..=4 {
        let held = one.get(&key(1)).await.unwrap();
        assert_eq!(other.get(&key(1)).await.unwrap().id(), held.id());
        assert_eq!(shop.asked(), round);
        one.died(&key(1), &held);
        other.died(&key(1), &held);
    }
    assert!(matches!(other.get(&key(1)).await, Err(NoTicket::TooManyExchanges { .. })));
    shop.fail(BuyFailure::NotInstalled);
    assert!(one.get(&key(2)).await.is_err());
    assert!(other.get(&key(2)).await.is_err());
    assert_eq!(shop.asked(), 5);
}

#[tokio::test]
async fn a_ticket_sealed_for_another_tenant_or_with_another_key_serves_nobody() {
    let Some(redis) = RedisServer::start() else { return };
    let replicas = Replicas::of(&redis, 1);
    replicas.crowd(1).await;
    let names = redis.ask(&["KEYS", "test:ticket:*"]);
    let sealed = redis.ask(&["GET", names.trim()]);
    // Somebody with access to Redis puts one tenant's ticket where another's belongs.
    replicas.caches[0].get(&key(2)).await.unwrap();
    for name in redis.ask(&["KEYS", "test:ticket:*"]).lines() {
        redis.ask(&["SET", name, sealed.trim()]);
    }
    let newcomer = cache(redis.link(), &replicas.shop, &replicas.clock);
    let ticket = newcomer.get(&key(2)).await.unwrap();
    assert!(ticket.ticket().reveal().starts_with("7T:Cust2-"), "{ticket:?}");
    assert_eq!(newcomer.get(&key(1)).await.unwrap().ticket().reveal(), "7T:Cust1-1");
    let counters = Metrics::default().tickets().clone();
    let others_key = SharedTickets::new(redis.link(), KeyRing::new(&[[9; 32]]), Random::system());
    let stranger =
        TicketCache::new(replicas.shop.clone(), replicas.clock.clone(), Random::system(), counters)
            .with_shared(others_key);
    assert_eq!(stranger.get(&key(1)).await.unwrap().ticket().reveal(), "7T:Cust1-4");
}

#[tokio::test]
async fn a_ticket_in_use_through_a_long_outage_is_there_for_a_newcomer() {
    let Some(redis) = RedisServer::start() else { return };
    let replicas = Replicas::of(&redis, 1);
    replicas.crowd(1).await;
    replicas.shop.fail(BuyFailure::Outage);
    for round in 1..=20 {
        replicas.clock.advance(26 * 60);
        replicas.crowd(1).await;
        // From the third on each round's caller tries for a younger one, behind its own back.
        let tried = || async {
            let state = &replicas.caches[0].status(1)[0].state;
            round < 3 || matches!(state, TicketState::LivingUnrenewed(_))
        };
        until(tried).await;
    }
    let newcomer = cache(redis.link(), &replicas.shop, &replicas.clock);
    assert_eq!(newcomer.get(&key(1)).await.unwrap().ticket().reveal(), "7T:Cust1-1");
}

pub fn cache(link: RedisLink, shop: &Arc<Shop>, clock: &Clock) -> TicketCache {
    let shared = SharedTickets::new(link, KeyRing::new(&[[7; 32]]), Random::system());
    let counters = Metrics::default().tickets().clone();
    TicketCache::new(shop.clone(), clock.clone(), Random::system(), counters).with_shared(shared)
}
