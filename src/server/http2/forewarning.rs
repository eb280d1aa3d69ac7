//! What a client hears before the library tells it to go, so that no request is lost on the way.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::frames::{ACK, Frame, GOAWAY, PING};

/// Tells the client of a watched connection that it is to go, a round before the library does.
///
/// The library says GOAWAY with a ping behind it, and counts no request that comes after the answer.
/// But pings are answered before anything else (RFC 9113 §6.7): a client that had made a request and
/// not sent it yet sends it behind that answer, in vain. With a GOAWAY and a ping before, it makes no
/// more by then, and what it had made was sent a round ago.
pub struct Forewarning {
    says: oneshot::Sender<()>,
    heard: oneshot::Receiver<()>,
}

/// How far it has come.
#[derive(Debug, Default)]
pub(super) enum Forewarned {
    Waits {
        told: oneshot::Receiver<()>,
        heard: oneshot::Sender<()>,
    },
    Due(oneshot::Sender<()>),
    Said(oneshot::Sender<()>),
    /// The client has answered, or nobody will say anything.
    #[default]
    Over,
}

impl Forewarning {
    pub(super) fn new() -> (Self, Forewarned) {
        let ((says, told), (answers, heard)) = (oneshot::channel(), oneshot::channel());
        (Self { says, heard }, Forewarned::Waits { told, heard: answers })
    }

    /// Ready when the client has answered, or cannot any more.
    pub async fn say(self) {
        let _over = self.says.send(());
        let _over = self.heard.await;
    }
}

impl Forewarned {
    /// Whether it is to be said now; else the task is woken when it is.
    pub(super) fn is_due(&mut self, context: &mut Context<'_>) -> bool {
        let Self::Waits { told, .. } = self else { return matches!(self, Self::Due(_)) };
        let Poll::Ready(said) = Pin::new(told).poll(context) else { return false };
        if let (Self::Waits { heard, .. }, Ok(())) = (std::mem::take(self), said) {
            *self = Self::Due(heard);
        }
        matches!(self, Self::Due(_))
    }

    /// The words, once.
    pub(super) fn words(&mut self) -> Option<[u8; WORDS.len()]> {
        match std::mem::take(self) {
            Self::Due(heard) => *self = Self::Said(heard),
            other => {
                *self = other;
                return None;
            }
        }
        Some(WORDS)
    }

    /// A frame came from the client.
    pub(super) fn hear(&mut self, frame: Frame) {
        let answers = frame.kind == PING && frame.flags & ACK != 0;
        if !answers || !frame.begins.starts_with(NAME) {
            return;
        }
        match std::mem::take(self) {
            Self::Said(heard) => _ = heard.send(()),
            other => *self = other,
        }
    }
}

/// GOAWAY that counts every stream there can be and blames nobody, and a ping (RFC 9113 §6.7, §6.8).
const WORDS: [u8; 34] = [
    0, 0, 8, GOAWAY, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0, //
    0, 0, 8, PING, 0, 0, 0, 0, 0, b'f', b'a', b'r', b'e', b'w', b'e', b'l', b'l',
];
/// What the ping brings, by which its answer is known.
const NAME: &[u8] = b"farewell";
