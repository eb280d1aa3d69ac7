//! An app's answer, as it comes.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use h2::RecvStream;
use h2::client::ResponseFuture;
use http::{Method, Response};

use super::super::talk::{Part, Rest};
use super::faults::of_app;
use super::heads::answered;

/// What of an answer is next.
pub(super) enum Answer {
    Head(ResponseFuture),
    Body(RecvStream),
    Over,
}

impl Answer {
    /// The client's side has taken so many bytes: as many more may come.
    pub(super) fn was_taken(&mut self, bytes: usize) {
        if let Self::Body(body) = self {
            let _over_already = body.flow_control().release_capacity(bytes);
        }
    }

    /// The next part of the answer to a request of this method.
    ///
    /// # Errors
    /// When the app or its connection gave up, or the head is none.
    pub(super) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        method: &Method,
    ) -> Poll<pingora::Result<Part>> {
        match self {
            Self::Head(head) => {
                if let Poll::Ready(Some(early)) = head.poll_informational(context) {
                    let head = answered(early.map_err(of_app)?, Rest::Comes, method)?;
                    return Poll::Ready(Ok(Part::Informational(head)));
                }
                let answer = ready!(Pin::new(head).poll(context)).map_err(of_app)?;
                let (parts, mut body) = answer.into_parts();
                let rest = rest(&mut body, context);
                *self = if rest == Rest::Comes { Self::Body(body) } else { Self::Over };
                let head = answered(Response::from_parts(parts, ()), rest, method)?;
                Poll::Ready(Ok(Part::Head(head, rest)))
            }
            Self::Body(body) => match ready!(poll_rest(body, context)) {
                Ok(Part::Piece(piece, rest)) => Poll::Ready(Ok(Part::Piece(piece, rest))),
                last => {
                    *self = Self::Over;
                    Poll::Ready(last.map_err(of_app))
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
        Some(Ok(piece)) => return Poll::Ready(Ok(Part::Piece(piece, Rest::Comes))),
        Some(Err(error)) => return Poll::Ready(Err(error)),
        None => {}
    }
    Poll::Ready(match ready!(body.poll_trailers(context)) {
        Ok(Some(trailers)) => Ok(Part::Trailers(trailers)),
        Ok(None) => Ok(Part::End),
        Err(error) => Err(error),
    })
}
