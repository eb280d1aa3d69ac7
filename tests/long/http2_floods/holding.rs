//! Clients that do next to nothing: they hold what they have.

use std::net::SocketAddr;

use rustls::pki_types::CertificateDer;

use crate::Hold;
use crate::floods::Ending;
use crate::frames::*;
use crate::talker::Talker;

/// Every way to hold a connection, by name.
pub const EVERY: &[(&str, Hold)] = &[
    ("99 pages, windows never open", |address, certificate| {
        Box::pin(held(address, certificate, Asks { settings: SHUT, path: "/page" }, Reads::Yes))
    }),
    ("99 pages, never reading", |address, certificate| {
        Box::pin(held(address, certificate, Asks { settings: OPEN, path: "/page" }, Reads::No))
    }),
    ("99 large answers, windows never open", |address, certificate| {
        Box::pin(held(address, certificate, Asks { settings: SHUT, path: "/large" }, Reads::Yes))
    }),
    ("99 large answers, never reading", |address, certificate| {
        Box::pin(held(address, certificate, Asks { settings: OPEN, path: "/large" }, Reads::No))
    }),
    ("99 large answers over https, windows never open", |address, certificate| {
        Box::pin(held(address, certificate, Asks { settings: SHUT, path: LARGE }, Reads::Yes))
    }),
    ("99 large answers over https, never reading", |address, certificate| {
        Box::pin(held(address, certificate, Asks { settings: OPEN, path: LARGE }, Reads::No))
    }),
    ("no preface", |address, certificate| Box::pin(silent(address, certificate, b""))),
    ("half a preface", |address, certificate| {
        Box::pin(silent(address, certificate, b"PRI * HTTP"))
    }),
    ("no settings", |address, certificate| Box::pin(silent(address, certificate, PREFACE))),
    ("nothing after the settings", |address, certificate| {
        Box::pin(idle(address, certificate, &[]))
    }),
    ("half a frame", |address, certificate| Box::pin(idle(address, certificate, &[0, 0, 9, 1]))),
];

/// Of the app that speaks https.
const LARGE: &str = "/https/large";

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
    for (stream, path) in [(1, "/small"), (3, "/https/small")] {
        talker.say(get(stream, path)).await;
        while talker.hear().await.unwrap().kind != DATA {}
    }
}

/// Takes `rounds` times as many large answers at once as asked for, as fast as they come; says how
/// many megabytes they were.
pub async fn taken(
    address: SocketAddr,
    certificate: &CertificateDer<'static>,
    path: &str,
    at_once: u32,
    rounds: u32,
) -> f64 {
    let mut talker = Talker::connect(address, certificate).await;
    talker.greet(OPEN).await;
    talker.say(window(0, i32::MAX as u32 - 65_535)).await;
    let mut bytes = 0;
    for round in 0..rounds {
        for number in 0..at_once {
            talker.say(get(2 * (round * at_once + number) + 1, path)).await;
        }
        let mut ended = 0;
        while ended < at_once {
            let heard = talker.hear().await.expect("a large answer");
            bytes += heard.payload.len();
            ended += u32::from(heard.kind == DATA && heard.flags & END_STREAM != 0);
        }
    }
    bytes as f64 / 1e6
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
