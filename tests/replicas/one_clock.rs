//! Two whole gateways in one process, on a clock that is turned by hand.

use std::path::Path;

use superid_gateway::clock::{Clock, Timestamp};
use superid_gateway::config;
use superid_gateway::crypto::Random;
use superid_gateway::server::{Options, Running};

use crate::crowd::{Crowd, callers};
use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_make_one_exchange_when_the_ticket_has_come_to_its_end() {
    let clock = Clock::manual(Timestamp(1_700_000_000));
    let Some(world) = World::on(clock.clone()).await else { return };
    let gateways = [start(&world).await, start(&world).await];
    let at = gateways.each_ref().map(|gateway| gateway.addresses()[0].1);
    for round in 1..=3 {
        Crowd::of(callers(), &at).all_served().await;
        assert_eq!(world.exchanges(), round);
        // Six hours without a call end a ticket; addresses of tenants end too.
        clock.advance(6 * 3_600 + 60);
    }
    world.assert_nothing_astray();
}

async fn start(world: &World) -> Running {
    let text = world.configuration("127.0.0.1:0", "enabled = false");
    let loaded = config::load_text(&text, "test", Path::new("."), &|_| None);
    let settings = loaded.unwrap_or_else(|problems| panic!("{problems}")).settings;
    let options = Options {
        clock: world.clock.clone(),
        random: Random::system(),
        workers: 1,
        ..Options::ordinary()
    };
    Running::start(settings, options).await.unwrap()
}
