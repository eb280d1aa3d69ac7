//! However a message is cut into packets, what comes of it is the same.

use proptest::prelude::*;
use superid_gateway::server::{Fault, Guard, Opening, Terms};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::repeatable::repeatable;
use crate::stalls::terms;
use crate::strict;

const GOOD: &str = "POST /a?b=c HTTP/1.1\r\nHost: localhost\r\nX-Tab: a\tb\r\n\
    Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n";
const NEXT: &str = "\r\nPUT /2 HTTP/1.1\r\nhost:localhost\r\nContent-Length: 4\r\n\r\nbody";

/// What a guard made of a connection's bytes.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    /// Every message it handed out whole.
    messages: Vec<Vec<u8>>,
    /// What it handed out of one more.
    begun: Vec<u8>,
    fault: Option<Fault>,
}

#[test]
fn a_good_message_may_be_cut_anywhere() {
    let whole = format!("{GOOD}{NEXT}{GOOD}");
    let expected = through(&[whole.as_bytes()]);
    let next = NEXT.trim_start().as_bytes().to_vec();
    assert_eq!(expected.messages, [GOOD.as_bytes().to_vec(), next, GOOD.as_bytes().to_vec()]);
    assert_eq!(expected.fault, None);
    for cut in 1..whole.len() {
        let (one, other) = whole.as_bytes().split_at(cut);
        assert_eq!(through(&[one, other]), expected, "cut at {cut}");
    }
    let bytes: Vec<&[u8]> = whole.as_bytes().chunks(1).collect();
    assert_eq!(through(&bytes), expected, "byte by byte");
}

proptest! {
    #![proptest_config(repeatable(2_000))]

    #[test]
    fn any_cuts_give_the_same(spoilt in spoilt(), cuts in prop::collection::vec(0_usize..400, 0..8)) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(spoilt.len())).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts.into_iter().chain([spoilt.len()]) {
            pieces.push(&spoilt[from..cut]);
            from = cut;
        }
        let (cut, whole) = (through(&pieces), through(&[&spoilt]));
        prop_assert_eq!(cut.messages, whole.messages);
        prop_assert_eq!(cut.fault, whole.fault);
        for handed_out in [cut.begun, whole.begun] {
            let read = strict::request(&handed_out);
            prop_assert!(read.is_ok(), "{:?} in {}", read, handed_out.escape_ascii());
        }
    }
}

/// Two good messages with a few bytes changed, put in or taken out.
fn spoilt() -> impl Strategy<Value = Vec<u8>> {
    let byte =
        prop_oneof![prop::sample::select(b"\r\n \t:;,=\"#0a\0\x7f_-".to_vec()), any::<u8>(),];
    let change = (0_usize..300, 0..3_u8, byte);
    prop::collection::vec(change, 0..4).prop_map(|changes| {
        let mut bytes = format!("{GOOD}{NEXT}").into_bytes();
        for (at, kind, byte) in changes {
            let at = at.min(bytes.len() - 1);
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        bytes
    })
}

/// Sends the pieces, each seen on its own, and then closes.
fn through(pieces: &[&[u8]]) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (mut client, server) = tokio::io::duplex(1 << 20);
        let sending = async {
            for piece in pieces {
                let _refused = client.write_all(piece).await;
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
            }
            drop(client);
        };
        tokio::join!(received(server, terms()), sending).0
    })
}

async fn received(server: tokio::io::DuplexStream, terms: Terms) -> Outcome {
    let (mut guard, way_back) = Guard::new(Box::new(server), terms);
    let (mut messages, mut begun) = (Vec::new(), Vec::new());
    while guard.next_message().await == Opening::Message {
        let mut buffer = [0; 64];
        // Behind the message's end a read only ever says that the client has gone.
        while !matches!(strict::request(&begun), Ok(Some(_))) {
            match guard.read(&mut buffer).await {
                Ok(0) | Err(_) => break,
                Ok(count) => begun.extend_from_slice(&buffer[..count]),
            }
        }
        if matches!(strict::request(&begun), Ok(Some(_))) {
            messages.push(std::mem::take(&mut begun));
        }
    }
    drop(guard);
    Outcome { messages, begun, fault: way_back.take().unwrap().fault() }
}
