//! How long a ticket serves, and when a younger one is bought.

use superid_gateway::credentials::{Again, BuyFailure, NoTicket, TicketState};

use crate::source::{World, key};

#[tokio::test]
async fn a_ticket_that_is_used_is_renewed_behind_the_callers_back_about_once_an_hour() {
    let world = World::new();
    assert_eq!(world.get(&key(1)).await, "7T:Cust1-1");
    world.clock.advance(3_599);
    assert_eq!(world.get(&key(1)).await, "7T:Cust1-1");
    world.settle().await;
    assert_eq!(world.shop.asked(), 1);
    world.clock.advance(15 * 60 + 1);
    world.shop.close();
    // Everybody goes on with the living one while the younger is on its way.
    for _ in 0..100 {
        assert_eq!(world.get(&key(1)).await, "7T:Cust1-1");
    }
    world.shop.open();
    world.settle().await;
    assert_eq!(world.get(&key(1)).await, "7T:Cust1-2");
    assert_eq!(world.shop.asked(), 2);
}

#[tokio::test]
async fn a_day_of_use_costs_about_an_exchange_an_hour() {
    let world = World::new();
    for _ in 0..24 * 60 {
        world.get(&key(1)).await;
        world.settle().await;
        world.clock.advance(60);
    }
    assert!((19..=24).contains(&world.shop.asked()), "{}", world.shop.asked());
}

#[tokio::test]
async fn six_hours_without_super_id_fail_nobody_who_uses_a_living_ticket() {
    let world = World::new();
    let first = world.get(&key(1)).await;
    world.shop.fail(BuyFailure::Outage);
    for _ in 0..6 * 60 {
        world.clock.advance(60);
        assert_eq!(world.get(&key(1)).await, first);
        world.settle().await;
    }
    let during = world.shop.asked();
    assert!(during <= 1 + 6 * 4, "{during} attempts");
    world.shop.recover();
    for _ in 0..30 {
        world.clock.advance(60);
        world.get(&key(1)).await;
        world.settle().await;
    }
    assert_ne!(world.get(&key(1)).await, first);
}

#[tokio::test]
async fn a_ticket_nobody_used_for_six_hours_is_not_tried() {
    let world = World::new();
    world.get(&key(1)).await;
    world.clock.advance(6 * 3_600 - 15 * 60);
    assert_eq!(world.cache.held(&key(1)).map(|held| held.id()), None);
    assert_eq!(world.get(&key(1)).await, "7T:Cust1-2");
}

#[tokio::test]
async fn a_403_replaces_an_old_ticket_once_and_is_then_a_matter_of_rights() {
    let world = World::new();
    let (cache, path) = (&world.cache, "/api/v1/Contact/5");
    let old = cache.get(&key(1)).await.unwrap();
    world.clock.advance(15 * 60 + 1);
    assert_eq!(cache.forbidden(&key(1), &old, path), Again::Yes);
    let fresh = cache.get(&key(1)).await.unwrap();
    assert_eq!(fresh.ticket().reveal(), "7T:Cust1-2");
    assert_eq!(cache.forbidden(&key(1), &fresh, path), Again::No);
    assert_eq!(world.get(&key(1)).await, "7T:Cust1-2");
    // For 15 minutes nothing below that prefix costs a ticket; elsewhere it might.
    world.clock.advance(15 * 60 - 1);
    assert_eq!(cache.forbidden(&key(1), &fresh, "/cust1/API/v1/contact?top=1"), Again::No);
    world.clock.advance(2);
    assert_eq!(cache.forbidden(&key(1), &fresh, "/api/v1/Sale/1"), Again::Yes);
    assert_eq!(world.get(&key(1)).await, "7T:Cust1-3");
    assert_eq!(world.shop.asked(), 3);
}

#[tokio::test]
async fn a_thousand_403s_at_once_cost_one_exchange() {
    let world = World::new();
    let old = world.cache.get(&key(1)).await.unwrap();
    world.clock.advance(15 * 60 + 1);
    for _ in 0..1_000 {
        assert_eq!(world.cache.forbidden(&key(1), &old, "/api/v1/Sale"), Again::Yes);
    }
    world.get(&key(1)).await;
    // Whoever comes late with the old ticket tries again with the new one.
    assert_eq!(world.cache.forbidden(&key(1), &old, "/api/v1/Sale"), Again::Yes);
    assert_eq!(world.shop.asked(), 2);
}

#[tokio::test]
async fn a_ticket_doubted_because_of_a_403_serves_on_when_no_other_can_be_had() {
    let world = World::new();
    let old = world.cache.get(&key(1)).await.unwrap();
    world.clock.advance(15 * 60 + 1);
    world.shop.fail(BuyFailure::Outage);
    assert_eq!(world.cache.forbidden(&key(1), &old, "/api/v1/Sale"), Again::Yes);
    let same = world.cache.get(&key(1)).await.unwrap();
    assert_eq!(same.id(), old.id());
    assert_eq!(world.cache.forbidden(&key(1), &same, "/api/v1/Sale"), Again::No);
    assert_eq!(world.get(&key(1)).await, "7T:Cust1-1");
    assert_eq!(world.shop.asked(), 2);
}

#[tokio::test]
async fn a_doubted_ticket_that_dies_meanwhile_does_not_come_back() {
    let world = World::new();
    let old = world.cache.get(&key(1)).await.unwrap();
    world.clock.advance(15 * 60 + 1);
    world.shop.fail(BuyFailure::Outage);
    assert_eq!(world.cache.forbidden(&key(1), &old, "/api/v1/Sale"), Again::Yes);
    world.cache.died(&key(1), &old);
    let refused = world.cache.get(&key(1)).await.unwrap_err();
    assert!(matches!(refused, NoTicket::Failed { kind: BuyFailure::Outage, .. }), "{refused}");
}

#[tokio::test]
async fn four_exchanges_an_hour_are_all_a_tenant_gets() {
    let world = World::new();
    for _ in 0..100 {
        match world.cache.get(&key(1)).await {
            Ok(held) => world.cache.died(&key(1), &held),
            Err(refused) => assert_eq!(refused, NoTicket::TooManyExchanges { retry_after: 3_600 }),
        }
    }
    assert_eq!(world.shop.asked(), 4);
    // Forgetting does not start the hour anew.
    world.cache.forget(&key(1));
    assert!(world.cache.get(&key(1)).await.is_err());
    world.clock.advance(3_600);
    assert_eq!(world.get(&key(1)).await, "7T:Cust1-5");
}

#[tokio::test]
async fn with_the_hour_s_exchanges_gone_a_living_ticket_is_served() {
    let world = World::new();
    for _ in 0..3 {
        let held = world.cache.get(&key(1)).await.unwrap();
        world.cache.died(&key(1), &held);
    }
    let last = world.cache.get(&key(1)).await.unwrap();
    world.clock.advance(15 * 60 + 1);
    assert_eq!(world.cache.forbidden(&key(1), &last, "/api/v1/Sale"), Again::Yes);
    assert_eq!(world.cache.get(&key(1)).await.unwrap().id(), last.id());
    assert_eq!(world.shop.asked(), 4);
}

#[tokio::test]
async fn the_status_tells_ages_and_states_and_no_ticket() {
    let world = World::new();
    world.get(&key(2)).await;
    world.shop.fail(BuyFailure::NotInstalled);
    assert!(world.cache.get(&key(1)).await.is_err());
    world.clock.advance(10);
    let status = world.cache.status(10);
    let names: Vec<_> = status.iter().map(|one| one.key.to_string()).collect();
    assert_eq!(names, ["sod/client/Cust1", "sod/client/Cust2"]);
    assert_eq!((&status[1].state, status[1].age), (&TicketState::Living, Some(10)));
    assert_eq!((status[1].idle, status[1].exchanges), (Some(10), 1));
    assert_eq!((status[0].state.name(), status[0].exchanges), ("empty", 0));
    assert!(!format!("{status:?}{:?}", world.cache.held(&key(2))).contains("7T:"));
    assert_eq!(world.cache.status(1).len(), 1);
    assert_eq!(world.counters.lookups(), (1, 2));
    assert_eq!(world.counters.exchanges(), [1, 0, 0, 1]);
}
