//! What a client hears a round before it is told to go, between the library's own frames.

use std::pin::pin;

use superid_gateway::server::{Forewarning, Watched};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use super::frames::*;
use super::stalls::terms;

#[tokio::test]
async fn it_is_said_at_a_flush_and_heard_when_its_own_ping_is_answered() {
    let (mut client, mut watched, forewarning) = scene().await;
    watched.flush().await.unwrap();
    let mut saying = pin!(forewarning.say());
    assert!(is_waiting(&mut saying).await);
    watched.flush().await.unwrap();
    watched.flush().await.unwrap();
    let words = [&frame(GOAWAY, 0, 0, GOING)[..], &ping(*b"farewell")].concat();
    assert_eq!(said(&mut client, words.len()).await, words);
    for other in [ping(*b"farewell"), frame(PING, ACK, 0, *b"another1")] {
        hears(&mut client, &mut watched, &other).await;
        assert!(is_waiting(&mut saying).await, "{other:x?}");
    }
    hears(&mut client, &mut watched, &frame(PING, ACK, 0, *b"farewell")).await;
    saying.await;
    drop(watched);
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"", "once");
}

#[tokio::test]
async fn it_never_stands_inside_another_frame() {
    let (mut client, mut watched, forewarning) = scene().await;
    let data = frame(DATA, 0, 1, [7; 100]);
    let (first, second) = data.split_at(50);
    let mut saying = pin!(forewarning.say());
    assert!(is_waiting(&mut saying).await);
    watched.write_all(first).await.unwrap();
    watched.flush().await.unwrap();
    assert_eq!(said(&mut client, 50).await, first);
    watched.write_all(second).await.unwrap();
    watched.flush().await.unwrap();
    let rest = [second, &frame(GOAWAY, 0, 0, GOING), &ping(*b"farewell")].concat();
    assert_eq!(said(&mut client, rest.len()).await, rest);
}

#[tokio::test]
async fn nobody_waits_for_a_client_that_is_gone() {
    let (_client, watched, forewarning) = scene().await;
    drop(watched);
    forewarning.say().await;
}

async fn scene() -> (DuplexStream, Watched<DuplexStream>, Forewarning) {
    let (mut client, server) = tokio::io::duplex(1 << 20);
    let mut watched = Watched::new(server, terms(), Box::new(|_| {}));
    let forewarning = watched.forewarning();
    hears(&mut client, &mut watched, &[PREFACE, &settings(&[])].concat()).await;
    (client, watched, forewarning)
}

async fn hears(client: &mut DuplexStream, watched: &mut Watched<DuplexStream>, bytes: &[u8]) {
    client.write_all(bytes).await.unwrap();
    watched.read_exact(&mut vec![0; bytes.len()]).await.unwrap();
}

async fn said(client: &mut DuplexStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    client.read_exact(&mut bytes).await.unwrap();
    bytes
}

/// Asks it once.
async fn is_waiting(saying: &mut (impl Future<Output = ()> + Unpin)) -> bool {
    tokio::select! {
        biased;
        () = saying => false,
        () = std::future::ready(()) => true,
    }
}

/// The last stream there can be, and no error.
const GOING: [u8; 8] = [0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0];
