//! An app's answer, as it comes.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;
use h2::client::ResponseFuture;
use http::{HeaderMap, Response};

/// What of an answer is next. Waiting for it can be given up and begun again.
pub(super) enum Answer {
    Head(ResponseFuture),
    Body(RecvStream),
    Over,
}

/// A part of an answer.
pub(super) enum Part {
    /// One before the answer itself (RFC 9110 §15.2).
    Informational(Response<()>),
    Head(Response<()>, Rest),
    Piece(Bytes),
    Trailers(HeaderMap),
    End,
}

/// Whether anything comes behind a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    Comes,
    Nothing,
}

impl Answer {
    /// The next part of it.
    ///
    /// # Errors
    /// When the app or its connection gave up.
    pub(super) async fn next(&mut self) -> Result<Part, h2::Error> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// The client's side has taken so many bytes: as many more may come.
    pub(super) fn was_taken(&mut self, bytes: usize) {
        if let Self::Body(body) = self {
            let _over_already = body.flow_control().release_capacity(bytes);
        }
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Part, h2::Error>> {
        match self {
            Self::Head(head) => {
                if let Poll::Ready(Some(early)) = head.poll_informational(context) {
                    return Poll::Ready(early.map(Part::Informational));
                }
                let (parts, mut body) = ready!(Pin::new(head).poll(context))?.into_parts();
                let rest = rest(&mut body, context);
                *self = if rest == Rest::Comes { Self::Body(body) } else { Self::Over };
                Poll::Ready(Ok(Part::Head(Response::from_parts(parts, ()), rest)))
            }
            Self::Body(body) => match ready!(poll_rest(body, context)) {
                Ok(Part::Piece(piece)) => Poll::Ready(Ok(Part::Piece(piece))),
                last => {
                    *self = Self::Over;
                    Poll::Ready(last)
                }
            },
            Self::Over => Poll::Ready(Ok(Part::End)),
        }
    }
}

/// A stream that is at its end may have been broken off there (h2's issue 806).
fn rest(body: &mut RecvStream, context: &mut Context<'_>) -> Rest {
    match body.is_end_stream() && matches!(body.poll_data(context), Poll::Ready(None)) {
        true => Rest::Nothing,
        false => Rest::Comes,
    }
}

fn poll_rest(body: &mut RecvStream, context: &mut Context<'_>) -> Poll<Result<Part, h2::Error>> {
    match ready!(body.poll_data(context)) {
        Some(Ok(piece)) => return Poll::Ready(Ok(Part::Piece(piece))),
        Some(Err(error)) => return Poll::Ready(Err(error)),
        None => {}
    }
    Poll::Ready(match ready!(body.poll_trailers(context)) {
        Ok(Some(trailers)) => Ok(Part::Trailers(trailers)),
        Ok(None) => Ok(Part::End),
        Err(error) => Err(error),
    })
}
