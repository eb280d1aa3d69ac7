//! A newer program takes over again and again while administrators install: no token is lost.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Instant;

use superid_gateway::emulator::{self, App, Consent, Emulator, Seed};

use crate::installers::{CLIENT, Installers, TENANTS, WRITERS};
use crate::partner;
use crate::upgraded::Upgraded;
use crate::wire::{Door, Net};
use crate::world::until;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn upgrades_while_the_vault_is_written_lose_no_acknowledged_token() {
    let web = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = web.local_addr().unwrap();
    let authority = format!("localhost:{}", address.port());
    let superid = Arc::new(superid(&authority).await);
    let mut gateway = Upgraded::start(web, superid.url());
    let mut processes = BTreeSet::from([gateway.process().await]);
    let net = Net::default();
    net.lead(&authority, Door { address, tls: None });
    let installers = Installers::new(superid, net, format!("http://{authority}/install"));
    let mut writers = installers.begin(WRITERS);
    let begun = Instant::now();
    let mut within = Vec::new();
    for number in 1..=upgrades() {
        some_more(&installers).await;
        let before = installers.told();
        let said = gateway.upgrade().await;
        within.push(installers.told() - before);
        assert!(processes.insert(gateway.process().await), "a process of its own: {said}");
        some_more(&installers).await;
        let book = installers.book.lock().unwrap().clone();
        let tokens = gateway.tokens().await;
        assert_eq!(book.lost(|ctx| tokens.get(ctx).cloned()), [""; 0], "upgrade {number}: {said}");
    }
    let took = begun.elapsed();
    installers.end();
    while let Some(ended) = writers.join_next().await {
        ended.unwrap();
    }
    let mut book = installers.book.lock().unwrap().clone();
    let tokens = gateway.tokens().await;
    let lost = book.lost(|ctx| tokens.get(ctx).cloned());
    let (verified, report) = gateway.told(&["vault", "verify"]).await;
    let logged = gateway.stop().await;
    println!(
        "{} upgrades in {took:.1?}, sign-ins that ended during each: {within:?}; {} installations \
         of {} tenants acknowledged, {} sign-ins failed; {} tokens lost, {} in the vault, {} \
         writes in the log; vault verify ended with {verified}: {}",
        upgrades(),
        book.count(),
        book.tenants(),
        book.failed.len(),
        lost.len(),
        tokens.len(),
        logged.stored,
        report.trim(),
    );
    assert_eq!(book.failed, [""; 0]);
    assert_eq!(lost, [""; 0]);
    assert_eq!(logged.troubles, [""; 0]);
    assert_eq!(verified, 0, "{report}");
    assert!(within.iter().all(|sign_ins| *sign_ins > 0), "nothing was written: {within:?}");
    assert_eq!(tokens.len(), book.tenants());
    // That the book is held against the vault at all.
    book.acknowledge("Cust999999", "client-never".to_owned());
    assert_eq!(book.lost(|ctx| tokens.get(ctx).cloned()).len(), 1);
}

/// Waits until every writer has written, twice on average.
async fn some_more(installers: &Installers) {
    let enough = installers.told() + 2 * WRITERS as usize;
    until("sign-ins", async || installers.told() >= enough).await;
}

async fn superid(authority: &str) -> Emulator {
    let options = emulator::Options {
        apps: vec![App {
            consent: Consent::Asked,
            system_user: true,
            system_user_keys: vec![partner::KEY.1.clone()],
            ..App::new(CLIENT, "secret", &format!("http://{authority}/auth/callback"))
        }],
        seed: Seed::crowd(TENANTS),
        ..emulator::Options::default()
    };
    Emulator::start(options).await.unwrap()
}

/// Two, or what `VAULT_UPGRADES` says.
fn upgrades() -> usize {
    std::env::var("VAULT_UPGRADES").map_or(2, |count| count.parse().unwrap())
}
