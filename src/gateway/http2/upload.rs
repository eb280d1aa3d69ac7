//! A request's body on its way to an app.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::SendStream;

use super::super::talk::{End, Wants};

/// At most one piece waits; the next is read from the client when it is sent.
pub(super) struct Upload {
    stream: SendStream<Bytes>,
    piece: Bytes,
    stage: Stage,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// More is to come.
    Open,
    /// The piece that waits is the last.
    Last,
    /// All of it is sent.
    Sent,
    /// The app wants no more of it.
    Unwanted,
}

impl Upload {
    /// One that begins, on a stream that was opened for it.
    pub(super) fn new(stream: SendStream<Bytes>) -> Self {
        Self { stream, piece: Bytes::new(), stage: Stage::Open }
    }

    /// One that was over with the head.
    pub(super) fn none(stream: SendStream<Bytes>) -> Self {
        Self { stage: Stage::Sent, ..Self::new(stream) }
    }

    /// What it cannot go on without.
    pub(super) fn wants(&self) -> Wants {
        match self.stage {
            _ if !self.piece.is_empty() => Wants::Room,
            Stage::Sent => Wants::Nothing,
            Stage::Last | Stage::Open | Stage::Unwanted => Wants::Piece,
        }
    }

    /// Whether the app takes the next piece.
    pub(super) fn is_wanted(&self) -> bool {
        self.stage == Stage::Open
    }

    /// The next piece, none before it having to wait; or the end.
    pub(super) fn give(&mut self, piece: Option<Bytes>, end: End) {
        match (self.stage, end) {
            (Stage::Unwanted | Stage::Sent, End::Now) => self.stage = Stage::Sent,
            (Stage::Unwanted | Stage::Sent, End::Later) => {}
            (_, end) => {
                self.piece = piece.unwrap_or_default();
                if end == End::Now {
                    self.stage = Stage::Last;
                    self.finish();
                }
            }
        }
    }

    /// Ready when the piece that waits is sent, or some of it, or the app wants no more.
    pub(super) fn poll_sent(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.stream.reserve_capacity(self.piece.len());
        let mut room = self.stream.capacity();
        while room == 0 {
            match ready!(self.stream.poll_capacity(context)) {
                Some(Ok(now)) => room = now,
                Some(Err(_)) | None => {
                    self.is_unwanted();
                    return Poll::Ready(());
                }
            }
        }
        let part = self.piece.split_to(room.min(self.piece.len()));
        let end = self.piece.is_empty() && self.stage == Stage::Last;
        match self.stream.send_data(part, end) {
            Ok(()) if end => self.stage = Stage::Sent,
            Ok(()) => {}
            Err(_) => self.is_unwanted(),
        }
        Poll::Ready(())
    }

    /// An end without a piece needs no room.
    fn finish(&mut self) {
        if !self.piece.is_empty() {
            return;
        }
        match self.stream.send_data(Bytes::new(), true) {
            Ok(()) => self.stage = Stage::Sent,
            Err(_) => self.is_unwanted(),
        }
    }

    /// The stream is at its end; why, the answer's side hears.
    fn is_unwanted(&mut self) {
        self.piece = Bytes::new();
        self.stage = match self.stage {
            Stage::Last | Stage::Sent => Stage::Sent,
            Stage::Open | Stage::Unwanted => Stage::Unwanted,
        };
    }
}
