//! Refusals: remembered, spread out, and forgotten when there is reason to.

use std::sync::Arc;

use superid_gateway::clock::{Clock, Timestamp};
use superid_gateway::credentials::{BuyFailure, NoTicket, TicketCache};
use superid_gateway::crypto::Random;
use superid_gateway::telemetry::Metrics;

use crate::source::{Shop, World, key};

#[tokio::test]
async fn a_refusal_is_the_answer_until_its_time_is_over() {
    let world = World::new();
    world.shop.fail(BuyFailure::Revoked);
    let first = world.cache.get(&key(1)).await.unwrap_err();
    assert!((30..=37).contains(&first.retry_after()), "{first:?}");
    for _ in 0..100 {
        assert_eq!(world.cache.get(&key(1)).await.unwrap_err(), first);
    }
    assert_eq!(world.shop.asked(), 1);
    world.clock.advance(first.retry_after());
    let second = world.cache.get(&key(1)).await.unwrap_err();
    assert!((240..=300).contains(&second.retry_after()), "{second:?}");
    assert_eq!(world.shop.asked(), 2);
}

#[tokio::test]
async fn success_and_forgetting_end_a_row_of_refusals() {
    let world = World::new();
    for kind in [BuyFailure::NotInstalled, BuyFailure::UnknownTenant] {
        world.shop.fail(kind);
        assert!(world.cache.get(&key(1)).await.is_err());
        world.cache.forget(&key(1));
    }
    world.shop.recover();
    let held = world.cache.get(&key(1)).await.unwrap();
    world.cache.died(&key(1), &held);
    world.shop.fail(BuyFailure::Refused);
    let refused = world.cache.get(&key(1)).await.unwrap_err();
    assert!((30..=37).contains(&refused.retry_after()), "{refused:?}");
}

#[tokio::test]
async fn what_never_reached_super_id_costs_no_exchange() {
    let world = World::new();
    world.shop.fail(BuyFailure::Unreachable);
    for _ in 0..20 {
        let refused = world.cache.get(&key(1)).await.unwrap_err();
        assert!(refused.retry_after() <= 37, "{refused:?}");
        world.clock.advance(refused.retry_after());
    }
    world.shop.recover();
    assert_eq!(world.get(&key(1)).await, "7T:Cust1-21");
    assert_eq!(world.cache.status(1)[0].exchanges, 1);
}

#[tokio::test]
async fn an_outage_costs_at_most_four_exchanges_an_hour() {
    let world = World::new();
    world.shop.fail(BuyFailure::Outage);
    for _ in 0..3_600 {
        assert!(world.cache.get(&key(1)).await.is_err());
        world.clock.advance(1);
    }
    assert!((3..=4).contains(&world.shop.asked()), "{}", world.shop.asked());
}

#[tokio::test]
async fn a_living_ticket_ends_when_its_consent_is_found_to_be_gone_and_for_no_other_reason() {
    use BuyFailure::*;
    let ends = [NotConfigured, NotInstalled, Revoked];
    let kinds = [BadSignature, BadTime, Outage, Refused, Unreachable, UnknownTenant, Untrusted];
    for kind in ends.into_iter().chain(kinds).chain([VaultFailed]) {
        let world = World::new();
        world.get(&key(1)).await;
        world.shop.fail(kind);
        world.clock.advance(3_600 + 15 * 60);
        assert!(world.cache.get(&key(1)).await.is_ok(), "{kind}");
        world.settle().await;
        assert_eq!(world.cache.get(&key(1)).await.is_ok(), !ends.contains(&kind), "{kind}");
    }
}

#[tokio::test]
async fn what_was_bought_before_forgetting_is_given_to_nobody() {
    let world = Arc::new(World::new());
    world.shop.close();
    let caller = {
        let world = world.clone();
        tokio::spawn(async move { world.get(&key(1)).await })
    };
    world.shop.one_has_begun().await;
    world.cache.forget(&key(1));
    world.shop.open();
    assert_eq!(caller.await.unwrap(), "7T:Cust1-2");
}

#[tokio::test]
async fn where_every_place_is_needed_one_tenant_more_is_told_to_wait() {
    let clock = Clock::manual(Timestamp(0));
    let counters = Metrics::default().tickets().clone();
    let shop = Shop::new(&clock);
    let cache = TicketCache::new(shop, clock, Random::counting(), counters).with_room(1);
    let mut refused = 0;
    for number in 0..100 {
        match cache.get(&key(number)).await {
            Ok(_) => {}
            Err(no) => {
                assert!(matches!(no, NoTicket::TooManyTenants { retry_after: 60 }));
                refused += 1;
            }
        }
    }
    assert_eq!(cache.tenants() + refused, 100);
    assert!(refused > 80, "{refused}");
}
