//! Whole gateways that share what they keep: on one Redis, one exchange for all; over one vault, upgrade after upgrade.
#![cfg(feature = "emulator")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and tells what it measured"
)]

#[path = "../gateway/api_client.rs"]
#[allow(dead_code, reason = "it is shared with the tests of the gateway")]
mod api_client;
#[path = "../gateway/browser.rs"]
#[allow(dead_code, reason = "it is shared with the tests of the gateway")]
mod browser;
#[path = "../jobs/client.rs"]
#[allow(dead_code, reason = "it is shared with the tests of jobs")]
mod client;
mod crowd;
mod installers;
#[path = "../gateway/jar.rs"]
#[allow(dead_code, reason = "it is shared with the tests of the gateway")]
mod jar;
mod one_clock;
#[path = "../jobs/partner.rs"]
#[allow(dead_code, reason = "it is shared with the tests of jobs")]
mod partner;
mod process;
mod processes;
#[path = "../gateway/recorder.rs"]
#[allow(dead_code, reason = "it is shared with the tests of the gateway")]
mod recorder;
#[path = "../tickets/redis_server.rs"]
#[allow(dead_code, reason = "it is shared with the tests of tickets")]
mod redis_server;
mod refreshing;
mod upgraded;
mod vault_upgrades;
#[path = "../gateway/wire.rs"]
#[allow(dead_code, reason = "it is shared with the tests of the gateway")]
mod wire;
mod world;
