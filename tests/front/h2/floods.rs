//! Frames that are allowed one by one and never end: what a client can make a server do for ever.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::frames::*;
use super::talker::{Talker, goaway_in};

/// One way to keep a server busy.
#[derive(Clone, Copy)]
pub struct Flood {
    pub name: &'static str,
    /// Whether the client takes what it is told.
    pub reads: bool,
    /// Its settings.
    pub settings: &'static [(u16, u32)],
    /// What comes before.
    pub first: fn() -> Vec<u8>,
    /// One round of it; rounds are numbered from 0.
    pub round: fn(u32) -> Vec<u8>,
    pub rounds: u32,
}

/// How a flood ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The connection was closed, with the code of GOAWAY if one could be read.
    Closed(Option<u32>),
    /// Everything was taken, and the connection lives on.
    Taken,
}

/// Every flood that the gateway has to end by itself.
pub const FLOODS: &[Flood] = &[
    Flood { name: "rapid reset", round: |at| pair(at, |id| reset(id, 8)), ..RESETS },
    Flood { name: "made to reset: no window", round: |at| pair(at, |id| window(id, 0)), ..RESETS },
    Flood {
        name: "made to reset: too wide a window",
        round: |at| pair(at, |id| window(id, i32::MAX as u32)),
        ..RESETS
    },
    Flood {
        name: "made to reset: depends on itself",
        round: |at| pair(at, |id| frame(PRIORITY, 0, id, [&id.to_be_bytes()[..], &[9]].concat())),
        ..RESETS
    },
    Flood { name: "made to reset: a length that lies", round: lying, ..RESETS },
    Flood { name: "streams beyond the allowed", round: |at| get(odd(at), "/held"), ..RESETS },
    Flood {
        name: "CONTINUATION",
        first: begun,
        round: |_| frame(CONTINUATION, 0, 1, literal(b"a", &[b'x'; 16_000])),
        rounds: 2_000,
        ..ENDLESS
    },
    Flood {
        name: "empty CONTINUATION",
        first: begun,
        round: |_| frame(CONTINUATION, 0, 1, []),
        ..ENDLESS
    },
    Flood { name: "empty DATA", first: posted, round: |_| frame(DATA, 0, 1, []), ..ENDLESS },
    Flood {
        name: "DATA of padding",
        first: posted,
        round: |_| frame(DATA, PADDED, 1, [3, 0, 0, 0]),
        ..ENDLESS
    },
    Flood { name: "PING", round: |_| ping([7; 8]), ..ENDLESS },
    Flood { name: "PING, never reading", reads: false, round: |_| ping([7; 8]), ..ENDLESS },
    Flood { name: "SETTINGS", round: |at| settings(&[(4, at % 9)]), ..ENDLESS },
    Flood {
        name: "SETTINGS, never reading",
        reads: false,
        round: |at| settings(&[(4, at % 9)]),
        ..ENDLESS
    },
    Flood { name: "PRIORITY", round: |at| frame(PRIORITY, 0, odd(at), [0; 5]), ..ENDLESS },
    Flood { name: "WINDOW_UPDATE", round: |_| window(0, 1), ..ENDLESS },
    Flood { name: "unknown frames", round: |_| frame(0xbe, 0, 0, [0; 8]), ..ENDLESS },
    Flood { name: "headers of 240 kB", round: large, rounds: 200, ..ENDLESS },
    Flood { name: "headers that unfold", round: unfolding, rounds: 2_000, ..ENDLESS },
];

const ENDLESS: Flood = Flood {
    name: "",
    reads: true,
    settings: &[],
    first: Vec::new,
    round: |_| Vec::new(),
    rounds: 200_000,
};

/// Each round is a stream.
const RESETS: Flood = Flood { rounds: 20_000, ..ENDLESS };

impl Flood {
    /// Plays it to its end.
    pub async fn play(&self, mut talker: Talker) -> Ending {
        talker.greet(self.settings).await;
        let (mut reader, mut writer) = talker.split();
        let saying = async {
            let _closed = writer.write_all(&(self.first)()).await;
            let mut at = 0;
            while at < self.rounds {
                let mut bytes = Vec::new();
                while at < self.rounds && bytes.len() < AT_ONCE {
                    bytes.extend((self.round)(at));
                    at += 1;
                }
                if writer.write_all(&bytes).await.is_err() || writer.flush().await.is_err() {
                    return false;
                }
            }
            true
        };
        if !self.reads {
            let taken = saying.await;
            return if taken { Ending::Taken } else { Ending::Closed(None) };
        }
        let mut told = Vec::new();
        let hearing = async { while matches!(reader.read_buf(&mut told).await, Ok(1..)) {} };
        tokio::pin!(hearing);
        tokio::select! {
            () = &mut hearing => return Ending::Closed(goaway_in(&told)),
            true = saying => {}
            else => {}
        }
        match tokio::time::timeout(std::time::Duration::from_secs(3), hearing).await {
            Ok(()) => Ending::Closed(goaway_in(&told)),
            Err(_) => Ending::Taken,
        }
    }
}

/// A request, and what ends it.
fn pair(at: u32, end: fn(u32) -> Vec<u8>) -> Vec<u8> {
    let id = odd(at);
    [get(id, "/held"), end(id)].concat()
}

fn lying(at: u32) -> Vec<u8> {
    let block = request("POST", "/held", &[("content-length", "1")]);
    let id = odd(at);
    [frame(HEADERS, END_HEADERS, id, block), frame(DATA, END_STREAM, id, "xx")].concat()
}

fn large(at: u32) -> Vec<u8> {
    let block = [request("GET", "/held", &[]), literal(b"a", &[b'x'; 240_000])].concat();
    let mut pieces = block.chunks(16_384);
    let mut bytes = frame(HEADERS, END_STREAM, odd(at), pieces.next().unwrap());
    let last = pieces.len() - 1;
    for (number, piece) in pieces.enumerate() {
        let flags = if number == last { END_HEADERS } else { 0 };
        bytes.extend(frame(CONTINUATION, flags, odd(at), piece));
    }
    bytes
}

/// A field that takes the whole table, and then a byte for each time it is named.
fn unfolding(at: u32) -> Vec<u8> {
    let field = [&[0x40][..], &string(b"a"), &string(&[b'x'; 4_000])].concat();
    let block = [request("GET", "/held", &[]), field, vec![0xbe; 12_000]].concat();
    frame(HEADERS, WHOLE, odd(at), block)
}

fn begun() -> Vec<u8> {
    frame(HEADERS, END_STREAM, 1, request("GET", "/held", &[]))
}

fn posted() -> Vec<u8> {
    post(1, "/held")
}

fn odd(at: u32) -> u32 {
    2 * at + 1
}

/// Bytes said at once.
const AT_ONCE: usize = 16 << 10;
