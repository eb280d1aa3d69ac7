//! One request and its answer on a connection to an app, whatever is spoken there.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use pingora::http::ResponseHeader;

/// Both directions. Waiting for a step can be given up and begun again.
pub(super) trait Talk {
    /// What the request's body cannot go on without.
    fn wants(&self) -> Wants;

    /// The next piece of the body, none before it having to wait; or the end.
    ///
    /// # Errors
    /// When it is not the body the head has promised.
    fn give(&mut self, piece: Option<Bytes>, end: End) -> pingora::Result<()>;

    /// What happens next. Of the answer no more than `room` bytes are read for it.
    ///
    /// # Errors
    /// When the app or its connection gave up, or says what nobody understands.
    fn poll_step(&mut self, context: &mut Context<'_>, room: usize) -> Poll<pingora::Result<Step>>;

    /// A part of the answer that nobody has to wait for, and nothing is read for.
    ///
    /// # Errors
    /// As those of [`Talk::poll_step`].
    fn at_hand(&mut self) -> pingora::Result<Option<Part>>;

    /// Sends what waits of the body when the answer is over: an app may answer before it has read all.
    /// Ready with [`Wants::Piece`] where it takes more, and with [`Wants::Nothing`].
    fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<Wants>;

    /// The client's side has taken so many bytes of the answer: as many more may come.
    fn was_taken(&mut self, bytes: usize);
}

/// What happened.
#[derive(Debug)]
pub(super) enum Step {
    /// Of the body, all that was given is sent, or some of it, or the app wants no more.
    Sent,
    Answer(Part),
}

/// A part of an answer.
#[derive(Debug)]
pub(super) enum Part {
    /// One before the answer itself (RFC 9110 §15.2).
    Informational(Box<ResponseHeader>),
    Head(Box<ResponseHeader>, Rest),
    Piece(Bytes, Rest),
    Trailers(HeaderMap),
    End,
}

/// Whether anything comes behind a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    Comes,
    Nothing,
}

/// What a body waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    /// The client has nothing more to say.
    Nothing,
    /// The next one of the client's.
    Piece,
    /// The app's, for the piece that waits.
    Room,
}

/// Whether a piece is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Later,
    Now,
}

impl End {
    pub(super) fn at(is_done: impl Into<bool>) -> Self {
        if is_done.into() { Self::Now } else { Self::Later }
    }
}

/// Heads before an answer's own, of one answer.
pub(super) const MOST_EARLY: usize = 32;
