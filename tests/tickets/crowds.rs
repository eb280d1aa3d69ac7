//! Many callers, one exchange.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use superid_gateway::credentials::{BuyFailure, NoTicket};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::source::{World, key};

#[tokio::test]
async fn a_thousand_callers_on_a_cold_tenant_make_one_exchange() {
    let world = World::new();
    assert_eq!(crowd(&world, 1_000).await, vec!["7T:Cust1-1"; 1_000]);
    assert_eq!(world.shop.asked(), 1);
}

#[tokio::test]
async fn a_thousand_callers_at_expiry_and_after_a_401_make_one_exchange_each() {
    let world = World::new();
    world.get(&key(1)).await;
    world.clock.advance(6 * 3_600);
    assert_eq!(crowd(&world, 1_000).await, vec!["7T:Cust1-2"; 1_000]);
    let held = world.cache.get(&key(1)).await.unwrap();
    for _ in 0..1_000 {
        world.cache.died(&key(1), &held);
    }
    assert_eq!(crowd(&world, 1_000).await, vec!["7T:Cust1-3"; 1_000]);
    // Late callers with the dead ticket do not take the new one along.
    world.cache.died(&key(1), &held);
    assert_eq!(world.get(&key(1)).await, "7T:Cust1-3");
    assert_eq!(world.shop.asked(), 3);
}

#[test]
fn callers_on_several_runtimes_share_one_exchange() {
    let world = Arc::new(World::new());
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let world = world.clone();
            std::thread::spawn(move || {
                let runtime = Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async { crowd(&world, 200).await })
            })
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), vec!["7T:Cust1-1"; 200]);
    }
    assert_eq!(world.shop.asked(), 1);
}

#[test]
fn when_the_runtime_that_buys_dies_a_waiter_on_another_takes_over() {
    let world = Arc::new(World::new());
    world.shop.close();
    let leader = Builder::new_current_thread().enable_all().build().unwrap();
    let leading = world.clone();
    leader.spawn(async move { leading.cache.get(&key(1)).await });
    leader.block_on(world.shop.one_has_begun());
    let heirs = Builder::new_current_thread().enable_all().build().unwrap();
    let tickets = heirs.block_on(async {
        let mut callers = JoinSet::new();
        for _ in 0..100 {
            let world = world.clone();
            callers.spawn(async move { world.get(&key(1)).await });
        }
        world.settle().await;
        // A runtime does not end inside another, so it ends beside.
        std::thread::spawn(move || drop(leader)).join().unwrap();
        world.shop.open();
        callers.join_all().await
    });
    assert_eq!(tickets, vec!["7T:Cust1-2"; 100]);
    assert_eq!(world.shop.asked(), 2);
}

#[tokio::test]
async fn a_caller_who_gives_up_does_not_take_the_exchange_down() {
    let world = Arc::new(World::new());
    world.shop.close();
    let first = {
        let world = world.clone();
        tokio::spawn(async move { world.get(&key(1)).await })
    };
    world.shop.one_has_begun().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    world.shop.open();
    assert_eq!(world.get(&key(1)).await, "7T:Cust1-1");
    assert_eq!(world.shop.asked(), 1);
}

#[tokio::test]
async fn a_failure_is_shared_by_those_who_wait() {
    let world = Arc::new(World::new());
    world.shop.fail(BuyFailure::Revoked);
    let mut callers = JoinSet::new();
    for _ in 0..1_000 {
        let world = world.clone();
        callers.spawn(async move { world.cache.get(&key(1)).await.unwrap_err() });
    }
    for refused in callers.join_all().await {
        assert!(matches!(refused, NoTicket::Failed { kind: BuyFailure::Revoked, .. }));
    }
    assert_eq!(world.shop.asked(), 1);
}

#[tokio::test]
async fn tenants_do_not_wait_for_each_other_and_never_get_each_others_tickets() {
    let world = Arc::new(World::new());
    let mut callers = JoinSet::new();
    for number in 0..500 {
        for _ in 0..20 {
            let world = world.clone();
            callers.spawn(async move { (number, world.get(&key(number)).await) });
        }
    }
    for (number, ticket) in callers.join_all().await {
        assert!(ticket.starts_with(&format!("7T:Cust{number}-")), "{number}: {ticket}");
    }
    assert_eq!(world.shop.asked.load(Ordering::SeqCst), 500);
}

/// So many callers at once, and what they were given.
async fn crowd(world: &World, callers: usize) -> Vec<String> {
    let mut waiting = JoinSet::new();
    for _ in 0..callers {
        let cache = world.cache.clone();
        waiting
            .spawn(async move { cache.get(&key(1)).await.unwrap().ticket().reveal().to_owned() });
    }
    waiting.join_all().await
}
