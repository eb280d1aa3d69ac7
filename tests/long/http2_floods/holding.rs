//! Clients that do next to nothing: they hold what they have.

use std::net::SocketAddr;

use rustls::pki_types::CertificateDer;

use crate::floods::Ending;
use crate::frames::*;
use crate::talker::Talker;
use crate::{Hold, Most};

/// Every way to hold a connection, by name, and what it may cost. Of a large answer pingora
/// holds six pieces of 64 KiB between the app and the client, which nobody can set: half a megabyte
/// a stream, in all.
pub const EVERY: &[(&str, Most, Hold)] = &[
    ("99 pages, windows never open", Most::FLOOD, |address, certificate| {
        Box::pin(held(address, certificate, Asks { settings: SHUT, path: "/page" }, Reads::Yes))
    }),
    ("99 pages, never reading", Most::FLOOD, |address, certificate| {
        Box::pin(held(address, certificate, Asks { settings: OPEN, path: "/page" }, Reads::No))
    }),
    ("99 large answers, windows never open", Most::LARGE, |address, certificate| {
        Box::pin(held(address, certificate, Asks { settings: SHUT, path: "/large" }, Reads::Yes))
    }),
    ("99 large answers, never reading", Most::LARGE, |address, certificate| {
        Box::pin(held(address, certificate, Asks { settings: OPEN, path: "/large" }, Reads::No))
    }),
    ("no preface", Most::FLOOD, |address, certificate| Box::pin(silent(address, certificate, b""))),
    ("half a preface", Most::FLOOD, |address, certificate| {
        Box::pin(silent(address, certificate, b"PRI * HTTP"))
    }),
    ("no settings", Most::FLOOD, |address, certificate| {
        Box::pin(silent(address, certificate, PREFACE))
    }),
    ("nothing after the settings", Most::FLOOD, |address, certificate| {
        Box::pin(idle(address, certificate, &[]))
    }),
    ("half a frame", Most::FLOOD, |address, certificate| {
        Box::pin(idle(address, certificate, &[0, 0, 9, 1]))
    }),
];

struct Asks {
    settings: &'static [(u16, u32)],
    path: &'static str,
}

/// INITIAL_WINDOW_SIZE, of nothing and of all.
const SHUT: &[(u16, u32)] = &[(4, 0)];
const OPEN: &[(u16, u32)] = &[(4, i32::MAX as u32)];

#[derive(Clone, Copy, PartialEq)]
enum Reads {
    Yes,
    No,
}

/// A request and its answer, after which everything has been used once.
pub async fn one_request(address: SocketAddr, certificate: &CertificateDer<'static>) {
    let mut talker = Talker::connect(address, certificate).await;
    talker.greet(&[]).await;
    talker.say(get(1, "/small")).await;
    while talker.hear().await.unwrap().kind != DATA {}
}

async fn held(
    address: SocketAddr,
    certificate: &CertificateDer<'static>,
    asks: Asks,
    reads: Reads,
) -> Ending {
    let mut talker = Talker::connect(address, certificate).await;
    talker.greet(asks.settings).await;
    talker.say(window(0, i32::MAX as u32 - 65_535)).await;
    for number in 0..99 {
        talker.say(get(2 * number + 1, asks.path)).await;
    }
    if reads == Reads::Yes {
        return Ending::Closed(talker.ending().await);
    }
    // Only the gateway's end can be seen without reading: what is said is no longer taken.
    loop {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        if !talker.say(frame(0xbe, 0, 0, [])).await {
            return Ending::Closed(None);
        }
    }
}

async fn silent(address: SocketAddr, certificate: &CertificateDer<'static>, said: &[u8]) -> Ending {
    let mut talker = Talker::connect(address, certificate).await;
    talker.say(said).await;
    Ending::Closed(talker.ending().await)
}

async fn idle(address: SocketAddr, certificate: &CertificateDer<'static>, said: &[u8]) -> Ending {
    let mut talker = Talker::connect(address, certificate).await;
    talker.greet(&[]).await;
    talker.say(said).await;
    Ending::Closed(talker.ending().await)
}
