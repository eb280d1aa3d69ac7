//! One request and its answer on a connection of HTTP/2.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Method, Request};
use pingora::{Error, ErrorType};

use super::super::talk::{End, MOST_EARLY, Part, Step, Talk, Wants};
use super::answer::Answer;
use super::faults::unsent;
use super::links::Lease;
use super::upload::Upload;

/// Both directions, on a stream of its own.
pub(in crate::gateway) struct Talking {
    upload: Upload,
    answer: Answer,
    method: Method,
    /// Heads before the answer's own.
    early: usize,
}

impl Talking {
    /// Sends the head, on a connection that has a place for it; `end` says whether that is all.
    ///
    /// # Errors
    /// When it cannot be put on the connection.
    pub(in crate::gateway) fn begin(
        lease: &mut Lease,
        request: Request<()>,
        end: End,
    ) -> pingora::Result<Self> {
        let method = request.method().clone();
        let is_empty = end == End::Now;
        let (answer, stream) = lease.sender.send_request(request, is_empty).map_err(unsent)?;
        let upload = if is_empty { Upload::none(stream) } else { Upload::new(stream) };
        Ok(Self { upload, answer: Answer::Head(answer), method, early: 0 })
    }
}

impl Talk for Talking {
    fn wants(&self) -> Wants {
        self.upload.wants()
    }

    fn give(&mut self, piece: Option<Bytes>, end: End) -> pingora::Result<()> {
        self.upload.give(piece, end);
        Ok(())
    }

    fn poll_step(
        &mut self,
        context: &mut Context<'_>,
        _room: usize,
    ) -> Poll<pingora::Result<Step>> {
        if self.wants() == Wants::Room && self.upload.poll_sent(context).is_ready() {
            return Poll::Ready(Ok(Step::Sent));
        }
        let part = ready!(self.answer.poll_next(context, &self.method))?;
        if matches!(part, Part::Informational(_)) {
            self.early += 1;
        }
        if self.early > MOST_EARLY {
            let endless = "more heads than any answer has";
            return Poll::Ready(Err(Error::explain(ErrorType::H2Error, endless).into_up()));
        }
        Poll::Ready(Ok(Step::Answer(part)))
    }

    /// Frames are handed over one by one.
    fn at_hand(&mut self) -> pingora::Result<Option<Part>> {
        Ok(None)
    }

    fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<Wants> {
        while self.wants() == Wants::Room {
            ready!(self.upload.poll_sent(context));
        }
        Poll::Ready(if self.upload.is_wanted() { Wants::Piece } else { Wants::Nothing })
    }

    fn was_taken(&mut self, bytes: usize) {
        self.answer.was_taken(bytes);
    }
}
