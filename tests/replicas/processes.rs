//! Two processes, each a whole gateway, with one Redis and one SuperID.

use std::time::{Duration, Instant};

use superid_gateway::clock::Clock;
use superid_gateway::emulator::{Fault, Kind};

use crate::crowd::{Crowd, callers};
use crate::process::Process;
use crate::world::{TENANT, World, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_on_one_redis_make_one_exchange_for_all_callers() {
    let Some(world) = World::on(Clock::system()).await else { return };
    let mut gateways = [Process::start(&world).await, Process::start(&world).await];
    let at = gateways.each_ref().map(|gateway| gateway.jobs);
    let begun = Instant::now();
    // Held, so that everybody is there before the ticket is.
    world.superid.faults().set(HELD);
    let crowd = Crowd::of(callers(), &at);
    for gateway in &gateways {
        gateway.has_waiting(callers() / 2).await;
    }
    world.superid.faults().end(&HELD);
    crowd.all_served().await;
    println!("{} callers at two gateways, cold: {:?}", callers(), begun.elapsed());
    assert_eq!(world.exchanges(), 1);
    // The same after a 401, which everybody meets.
    let begun = Instant::now();
    world.superid.tenants().kill_tickets(TENANT);
    Crowd::of(callers(), &at).all_served().await;
    println!("after a 401: {:?}", begun.elapsed());
    assert_eq!(world.exchanges(), 2);
    // Gateways that are started anew find the ticket there.
    gateways.iter_mut().for_each(Process::kill);
    let gateways = [Process::start(&world).await, Process::start(&world).await];
    let at = gateways.each_ref().map(|gateway| gateway.jobs);
    Crowd::of(callers(), &at).all_served().await;
    assert_eq!(world.exchanges(), 2);
    world.assert_nothing_astray();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_gateway_that_buys_is_killed_the_other_makes_the_only_further_exchange() {
    let Some(world) = World::on(Clock::system()).await else { return };
    let mut leader = Process::start(&world).await;
    let heir = Process::start(&world).await;
    world.superid.faults().set(HELD);
    let lost = Crowd::of(callers() / 2, &[leader.jobs]);
    until("the exchange", async || world.exchanges() == 1).await;
    let crowd = Crowd::of(callers() / 2, &[heir.jobs]);
    heir.has_waiting(callers() / 2).await;
    assert_eq!(world.exchanges(), 1, "the other waits");
    leader.kill();
    let begun = Instant::now();
    world.superid.faults().end(&HELD);
    crowd.all_served().await;
    let waited = begun.elapsed();
    println!("after SIGKILL of the leader all were served in {waited:?}");
    assert_eq!(world.exchanges(), 2);
    assert!(waited < LEASE * 2, "{waited:?}");
    drop(lost);
    world.assert_nothing_astray();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_without_its_redis_serves_on_and_says_what_that_means() {
    let Some(mut world) = World::on(Clock::system()).await else { return };
    let gateway = Process::start(&world).await;
    Crowd::of(2, &[gateway.jobs]).all_served().await;
    let ready: serde_json::Value = told(&gateway);
    assert_eq!(ready["redis"]["vault"]["state"], "up");
    assert_eq!(gateway.metric("redis_up{link=\"vault\"}"), 1);
    let answered = "redis_commands_total{link=\"tickets\",outcome=\"answered\"}";
    assert!(gateway.metric(answered) > 3);
    world.redis.kill();
    // A link that nobody uses finds out by a sign of life, every five seconds.
    until("word of the outage", async || {
        let links = told(&gateway)["redis"].take();
        ["tickets", "vault"].iter().all(|link| {
            let reason = links[link]["reason"].as_str().unwrap_or_default();
            links[link]["state"] == "down" && reason.starts_with("redis cannot be reached")
        })
    })
    .await;
    let ready = told(&gateway);
    assert_eq!(ready["status"], "ready", "others would be no better");
    assert_eq!(ready["redis"]["tickets"]["meaning"], "each replica buys tickets of its own");
    let meaning = ready["redis"]["vault"]["meaning"].as_str().unwrap();
    assert!(meaning.starts_with("tenants without a living ticket cannot be called"), "{meaning}");
    assert_eq!(gateway.metric("redis_up{link=\"tickets\"}"), 0);
    Crowd::of(2, &[gateway.jobs]).all_served().await;
    world.redis.restart();
    until("the link", async || gateway.metric("redis_up{link=\"vault\"}") == 1).await;
}

fn told(gateway: &Process) -> serde_json::Value {
    serde_json::from_str(&gateway.told("/ready").unwrap()).unwrap()
}

const HELD: Fault = Fault::Hold { endpoint: Kind::SystemUser };
/// How long a gateway that was killed keeps the others waiting.
const LEASE: Duration = Duration::from_secs(5);
