//! What goes wrong, and what is made of it.

use std::fs;

use crate::authority::{Authority, LIFE};
use crate::gate::{Gate, NOW, ask, leaf};

#[tokio::test]
async fn a_nonce_that_is_refused_is_fetched_anew() {
    let mut gate = Gate::with("http-01", "", |authority| authority.state().bad_nonces = 2).await;
    gate.stored(1).await;
    assert_eq!(gate.authority.state().refused_nonces, 2);
    assert!(gate.trusting().await.is_ok());
}

#[tokio::test]
async fn an_authority_that_is_down_is_tried_again_and_says_so_until_then() {
    let mut gate = Gate::with("http-01", "", |authority| authority.state().down = true).await;
    failed(&gate, "unreachable", 1).await;
    let standing = gate.standing().await;
    assert_eq!(
        (&standing["state"], &standing["outcome"]),
        (&"awaited".into(), &"unreachable".into())
    );
    let next = standing["next_order"].as_u64().unwrap();
    assert!((NOW + 60..NOW + 120).contains(&next), "{standing}");
    gate.authority.state().down = false;
    gate.clock.advance(120);
    gate.stored(1).await;
    assert_eq!(gate.metric("failures", "").await, Some(0.0));

    // Later it is down when the certificate should be renewed: the one there is goes on.
    let first = leaf(&gate.trusting().await.unwrap());
    gate.authority.state().down = true;
    gate.clock.advance(LIFE * 3 / 4);
    failed(&gate, "unreachable", 1).await;
    let mut stream = gate.trusting().await.unwrap();
    assert_eq!(ask(&mut stream).await, Some(200));
    assert_eq!(leaf(&stream), first);
    gate.authority.state().down = false;
    gate.clock.advance(7_200);
    gate.stored(2).await;
}

/// Waits until so many orders have failed since one did not.
async fn failed(gate: &Gate, outcome: &str, count: u32) {
    gate.turning("an order has failed", async || {
        gate.metric("failures", "").await == Some(f64::from(count))
    })
    .await;
    let labels = format!(",outcome=\"{outcome}\"");
    assert!(gate.metric("orders_total", &labels).await >= Some(1.0), "{outcome}");
}

#[tokio::test]
async fn an_authority_that_has_enough_is_left_alone_for_as_long_as_it_says_over_restarts_too() {
    let tell = |authority: &Authority| authority.state().limited = Some(200_000);
    let gate = Gate::with("http-01", "", tell).await;
    failed(&gate, "rate_limited", 1).await;
    assert!(gate.standing().await["next_order"].as_u64().unwrap() >= NOW + 200_000);
    gate.authority.state().limited = None;

    let mut gate = gate.restarted().await;
    gate.clock.set(superid_gateway::clock::Timestamp(NOW + 190_000));
    // Another wish is one more order as well.
    gate.reload("\"www.app.example\"", "\"shop.app.example\"").unwrap();
    looked(&gate).await;
    assert_eq!(gate.authority.state().asked, 1, "nobody asks before");
    gate.clock.advance(10_100);
    gate.stored(1).await;
    assert_eq!(gate.authority.state().asked, 2);
}

/// Waits until everything was looked at once more.
async fn looked(gate: &Gate) {
    let before = gate.clock.now().0;
    gate.turning("time has passed", async || gate.clock.now().0 > before + 40).await;
    let state = async || !gate.standing().await.is_null();
    gate.turning("it is looked at", state).await;
}

#[tokio::test]
async fn who_cannot_be_found_by_the_authority_is_told_why_and_does_not_ask_at_once_again() {
    let mut gate = Gate::with("http-01", "", |authority| {
        authority.state().looks_away = true;
    })
    .await;
    gate.turning("both hosts are laid out", async || gate.laid() == 2).await;
    // Port 80 leads elsewhere from here on.
    gate.authority.state().looks_away = false;
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let elsewhere = gone.local_addr().unwrap();
    gate = gate.restarted().await;
    gate.authority.state().http = Some(elsewhere);
    drop(gone);
    failed(&gate, "refused", 1).await;
    let standing = gate.standing().await;
    assert!(standing["reason"].as_str().unwrap().contains("app.example"), "{standing}");
    let next = standing["next_order"].as_u64().unwrap();
    assert!(next >= gate.clock.now().0 + 600, "{standing}");
    assert_eq!(gate.laid(), 0);

    // Mended in the configuration, it is asked at once.
    gate.authority.state().http = Some(gate.plain);
    gate.reload("[\"app.example\", \"www.app.example\"]", "[\"app.example\"]").unwrap();
    gate.clock.advance(20);
    assert!(gate.clock.now().0 < next, "without waiting");
    gate.stored_at_once(1).await;
}

#[tokio::test]
async fn a_folder_that_takes_nothing_costs_no_order() {
    let gate = Gate::with("http-01", "", |authority| {
        authority.state().down = true;
    })
    .await;
    failed(&gate, "unreachable", 1).await;
    // A folder where a file should be written keeps it from being written, whoever runs this.
    fs::remove_file(gate.folder.path().join("app.json")).unwrap();
    fs::create_dir_all(gate.folder.path().join("app.json/in-the-way")).unwrap();
    gate.authority.state().down = false;
    gate.clock.advance(3_600);
    gate.turning("it is seen", async || {
        gate.metric("orders_total", ",outcome=\"not_kept\"").await >= Some(1.0)
    })
    .await;
    assert_eq!(gate.authority.state().asked, 0);
    fs::remove_dir_all(gate.folder.path().join("app.json")).unwrap();
    let mut gate = gate;
    gate.clock.advance(3_600);
    gate.stored(1).await;
}

#[tokio::test]
async fn what_is_damaged_or_forgotten_is_ordered_anew() {
    let mut gate = Gate::new("http-01").await;
    gate.stored(1).await;
    fs::write(gate.folder.path().join("app.pem"), "half a certif").unwrap();
    gate.authority.state().forget_accounts();
    gate.clock.advance(120);
    failed(&gate, "refused", 1).await;
    gate.clock.advance(1_200);
    gate.stored(2).await;
    assert!(gate.trusting().await.is_ok());
    assert_eq!(gate.authority.state().accounts().len(), 1, "a new account");
}
