//! A request on its way to an app: its head, and the body behind it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use http::{HeaderValue, Method, header};
use pingora::{Error, ErrorType};
use tokio::io::AsyncWrite;

use super::super::outbound::Outbound;
use super::super::talk::{End, Wants};
use super::head::spelled;

/// At most one piece waits; the next is read from the client when it is sent.
pub(super) struct Upload {
    /// Sent before the piece.
    before: BytesMut,
    piece: Bytes,
    /// Sent behind the piece.
    after: &'static [u8],
    is_flushed: bool,
    framing: Framing,
    stage: Stage,
}

/// How the app hears where the body ends (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Chunked,
    /// So many bytes are still to come.
    Length(u64),
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// More is to come.
    Open,
    /// What waits is the last.
    Given,
    /// The app wants no more of it, and more is to come.
    Unwanted,
    /// The app wanted no more of it, and no more is to come.
    Broken,
}

/// Whether a request has a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gateway) enum With {
    ABody,
    NoBody,
}

/// A request whose head is spelled, credentials and all: neither it nor what sends it can be printed.
pub(in crate::gateway) struct Asked {
    pub(super) method: Method,
    pub(super) upload: Upload,
}

impl Asked {
    /// One that begins with this head; where it has a body, the head may not tell of it yet.
    ///
    /// # Errors
    /// When the head says what no body has.
    pub(in crate::gateway) fn of(request: Outbound<'_>, with: With) -> pingora::Result<Self> {
        let mut request = request;
        let (framing, stage) = match with {
            With::ABody => (framed(&mut request)?, Stage::Open),
            With::NoBody => (Framing::Length(0), Stage::Given),
        };
        let upload = Upload {
            before: spelled(&request),
            piece: Bytes::new(),
            after: &[],
            is_flushed: false,
            framing,
            stage,
        };
        Ok(Self { method: request.method().clone(), upload })
    }
}

fn framed(request: &mut Outbound<'_>) -> pingora::Result<Framing> {
    let is_coded = request.all(&header::TRANSFER_ENCODING).next().is_some();
    let length = request.all(&header::CONTENT_LENGTH).next().filter(|_| !is_coded);
    if let Some(length) = length {
        let length = length.to_str().ok().and_then(|length| length.parse().ok());
        return length.map(Framing::Length).ok_or_else(|| wrong("a length that is no number"));
    }
    request.leave_out(header::CONTENT_LENGTH);
    request.set(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    Ok(Framing::Chunked)
}

impl Upload {
    /// What it cannot go on without.
    pub(super) fn wants(&self) -> Wants {
        match self.stage {
            _ if self.has_to_go() => Wants::Room,
            Stage::Given | Stage::Broken => Wants::Nothing,
            Stage::Open | Stage::Unwanted => Wants::Piece,
        }
    }

    /// Whether the app has been sent all of it.
    pub(super) fn is_sent(&self) -> bool {
        self.stage == Stage::Given && !self.has_to_go()
    }

    /// The next piece, none before it having to wait; or the end.
    ///
    /// # Errors
    /// When it is not as long as the head has promised.
    pub(super) fn give(&mut self, piece: Option<Bytes>, end: End) -> pingora::Result<()> {
        let piece = piece.unwrap_or_default();
        match (self.stage, end) {
            (Stage::Open, _) => {}
            (Stage::Given | Stage::Broken, _) | (Stage::Unwanted, End::Later) => return Ok(()),
            (Stage::Unwanted, End::Now) => {
                self.stage = Stage::Broken;
                return Ok(());
            }
        }
        match &mut self.framing {
            Framing::Length(left) => {
                let fits = left.checked_sub(piece.len() as u64);
                *left = fits.ok_or_else(|| wrong("a body longer than its head says"))?;
                if end == End::Now && *left > 0 {
                    return Err(wrong("a body shorter than its head says"));
                }
                self.queue(piece, b"");
            }
            Framing::Chunked if piece.is_empty() => {}
            Framing::Chunked => {
                self.before.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                self.queue(piece, b"\r\n");
            }
        }
        if end == End::Now {
            self.stage = Stage::Given;
            if self.framing == Framing::Chunked {
                self.finish();
            }
        }
        Ok(())
    }

    /// Ready when all that waits is sent.
    ///
    /// # Errors
    /// The connection's: it takes no more.
    pub(super) fn poll_sent(
        &mut self,
        stream: &mut (impl AsyncWrite + Unpin),
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let mut stream = Pin::new(stream);
        while !(self.before.is_empty() && self.piece.is_empty() && self.after.is_empty()) {
            let next = match () {
                () if !self.before.is_empty() => &self.before[..],
                () if !self.piece.is_empty() => &self.piece[..],
                () => self.after,
            };
            let count = ready!(stream.as_mut().poll_write(context, next))?;
            match () {
                () if count == 0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                () if !self.before.is_empty() => self.before.advance(count),
                () if !self.piece.is_empty() => self.piece.advance(count),
                () => self.after = &self.after[count..],
            }
        }
        ready!(stream.poll_flush(context))?;
        self.is_flushed = true;
        Poll::Ready(Ok(()))
    }

    /// The app takes no more; why, its answer may say.
    pub(super) fn is_unwanted(&mut self) {
        (self.before, self.piece, self.after) = (BytesMut::new(), Bytes::new(), &[]);
        self.is_flushed = true;
        self.stage = match self.stage {
            Stage::Given | Stage::Broken => Stage::Broken,
            Stage::Open | Stage::Unwanted => Stage::Unwanted,
        };
    }

    /// Whether something waits to be sent.
    pub(super) fn has_to_go(&self) -> bool {
        !self.is_flushed
    }

    /// A small piece is copied behind what goes before it, so that it leaves in the same packet.
    fn queue(&mut self, piece: Bytes, after: &'static [u8]) {
        if piece.is_empty() {
            return;
        }
        self.is_flushed = false;
        if piece.len() <= SMALL {
            self.before.extend_from_slice(&piece);
            self.before.extend_from_slice(after);
        } else {
            (self.piece, self.after) = (piece, after);
        }
    }

    fn finish(&mut self) {
        self.is_flushed = false;
        match self.piece.is_empty() {
            true => self.before.extend_from_slice(b"0\r\n\r\n"),
            false => self.after = b"\r\n0\r\n\r\n",
        }
    }
}

fn wrong(what: &'static str) -> Box<Error> {
    Error::explain(ErrorType::InternalError, what)
}

/// Bytes that are cheaper to copy than to send by themselves.
const SMALL: usize = 8 << 10;
