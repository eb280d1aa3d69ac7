//! A client's connection as it may be seen: one strict message at a time.
//!
//! ```text
//! Between ──head read and found good──▶ Message ──next_message──▶ Between …
//!    │                                     │ └──101 written──▶ Tunnel
//!    └──────────── what is not ───────────┴──▶ Broken
//! ```

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};
use pingora::protocols::IO;
use tokio::io::ReadBuf;
use tokio::time::Instant;

use crate::telemetry::Limit;

use super::body::Body;
use super::chunks::Outcome;
use super::conversation::Tunnel;
use super::farewell::Farewell;
use super::fault::Fault;
use super::head::{Head, HeadScan};
use super::outgoing::Outgoing;
use super::pace::{Pace, Patience};
use super::parting::{Parted, Rest, WayBack};
use super::terms::Terms;

/// Reads hand out one message, checked before it is handed out, and then wait, seeing only whether
/// the client is still there, until [`Guard::next_message`]. What a client sends ahead is kept, in
/// bounds. Dropped, it gives the connection back by its [`WayBack`].
pub struct Guard<S: IO> {
    /// In a box, because it changes hands and a TLS connection has 4 kB.
    inner: Option<Box<S>>,
    way_back: WayBack<S>,
    pub(super) farewell: Farewell,
    pub(super) terms: Terms,
    /// Bytes that came and were not handed out yet.
    pub(super) arrived: BytesMut,
    pub(super) phase: Phase,
    /// Whether a message has been handed out.
    in_use: bool,
    /// The limit over which its client was given up without a word.
    pub(super) given_up: Option<Limit>,
    pub(super) out: Outgoing,
    pub(super) pace: Pace,
}

/// How waiting for a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// The client closed, or was silent for too long.
    Closed,
    /// Its header is whole and good.
    Message,
    /// It may not be passed on. The guard is to be dropped, and the way back gives the answer.
    Refused(Fault),
}

/// Where in its life a connection is.
pub(super) enum Phase {
    Between { scan: HeadScan, since: Instant },
    Broken { fault: Fault, answer: Answer },
    Message(Message),
    Tunnel(Tunnel),
}

/// A message that is being handed out.
pub(super) struct Message {
    /// Bytes of its header not handed out yet.
    pub(super) head_left: usize,
    pub(super) body: Body,
    pub(super) patience: Patience,
    pub(super) asks_upgrade: bool,
    /// Its client waits for 100 Continue before it sends its body.
    pub(super) awaits_continue: bool,
    pub(super) answer: Answer,
}

/// How far the answer to a message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Its final header is written, or begun.
    Final,
    /// Nothing, or only 1xx headers.
    Open,
}

impl<S: IO> Guard<S> {
    /// Guards a fresh connection.
    pub fn new(inner: Box<S>, terms: Terms) -> (Self, WayBack<S>) {
        let way_back = WayBack::new();
        let guard = Self {
            inner: Some(inner),
            way_back: way_back.clone(),
            farewell: Farewell::default(),
            phase: Phase::Between { scan: HeadScan::new(&terms), since: Instant::now() },
            in_use: false,
            given_up: None,
            terms,
            arrived: BytesMut::new(),
            out: Outgoing::default(),
            pace: Pace::default(),
        };
        (guard, way_back)
    }

    /// Ends the message before, if it was handed out whole, and waits for the header of the next.
    /// May be dropped and called again.
    pub async fn next_message(&mut self) -> Opening {
        self.end_message();
        match &self.phase {
            Phase::Between { .. } => {}
            Phase::Message(_) | Phase::Tunnel(_) => return Opening::Closed,
            Phase::Broken { fault, .. } => return Opening::Refused(*fault),
        }
        poll_fn(|context| self.poll_head(context)).await
    }

    fn end_message(&mut self) {
        if let Phase::Message(message) = &self.phase
            && message.is_handed_out()
        {
            let scan = HeadScan::new(&self.terms);
            self.phase = Phase::Between { scan, since: Instant::now() };
        }
    }

    /// By which it can be told that the time of what has no end is over.
    pub fn farewell(&self) -> Farewell {
        self.farewell.clone()
    }

    /// Whether no byte of a next message has come: then the connection may be closed at any time
    /// (RFC 9112 §9.5).
    pub fn is_idle(&self) -> bool {
        match &self.phase {
            Phase::Between { scan, .. } => !scan.has_begun(&self.arrived),
            _ => false,
        }
    }

    /// Whether the message that begins asks for another protocol.
    pub fn asks_upgrade(&self) -> bool {
        matches!(&self.phase, Phase::Message(message) if message.asks_upgrade)
    }

    /// Since when it has been idle, or has been at this header; now, if it is at a message. Ends
    /// one that was handed out whole, as [`Guard::next_message`] does.
    pub fn idle_since(&mut self) -> Instant {
        self.end_message();
        match &self.phase {
            Phase::Between { since, .. } => *since,
            _ => Instant::now(),
        }
    }

    pub(super) fn inner(&mut self) -> &mut S {
        inner(&mut self.inner)
    }

    pub(super) fn inner_ref(&self) -> &S {
        self.inner.as_ref().expect(HELD)
    }

    /// The connection below and what waits to be written to it.
    pub(super) fn outward(&mut self) -> (&mut S, &mut Outgoing) {
        (inner(&mut self.inner), &mut self.out)
    }

    /// Reads more into `arrived`; 0 when the client closed. One that is silent takes no memory.
    pub(super) fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut scratch = [MaybeUninit::uninit(); READ];
        let mut read = ReadBuf::uninit(&mut scratch);
        ready!(Pin::new(inner(&mut self.inner)).poll_read(context, &mut read))?;
        self.arrived.extend_from_slice(read.filled());
        Poll::Ready(Ok(read.filled().len()))
    }

    /// Ends all reading: from here on the client is only answered.
    pub(super) fn break_off(&mut self, fault: Fault) {
        let answer = match &self.phase {
            Phase::Message(message) => message.answer,
            _ => Answer::Open,
        };
        self.phase = Phase::Broken { fault, answer };
    }

    fn poll_head(&mut self, context: &mut Context<'_>) -> Poll<Opening> {
        let mut idle = false;
        loop {
            let Phase::Between { scan, .. } = &mut self.phase else {
                return Poll::Ready(Opening::Closed);
            };
            match scan.advance(&self.arrived) {
                Ok(Some(head)) => return Poll::Ready(self.opened(head)),
                // Most headers come whole, and their time needs no clock.
                Ok(None) if idle && !self.is_idle() => self.begins(),
                Ok(None) => {}
                Err(fault) => return Poll::Ready(self.refused(fault)),
            }
            idle = self.is_idle();
            match self.poll_fill(context) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Opening::Closed),
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => return self.poll_too_late(context),
            }
        }
    }

    /// The first byte has come: from here the whole header has its time. That of the first header
    /// runs from the connection's begin: nobody keeps one for nothing.
    fn begins(&mut self) {
        if let (Phase::Between { since, .. }, true) = (&mut self.phase, self.in_use) {
            *since = Instant::now();
        }
    }

    fn poll_too_late(&mut self, context: &mut Context<'_>) -> Poll<Opening> {
        let since = self.idle_since();
        if !self.is_idle() {
            ready!(self.pace.poll_passed(context, since + self.terms.header_timeout));
            return Poll::Ready(self.refused(Fault::HeaderTooSlow));
        }
        if self.arrived.is_empty() && self.arrived.capacity() > 0 {
            self.arrived = BytesMut::new();
        }
        let (limit, most) = match self.in_use {
            true => (Limit::IdleTimeout, self.terms.idle_timeout),
            false => (Limit::HeaderTimeout, self.terms.header_timeout),
        };
        ready!(self.pace.poll_passed(context, since + most));
        self.given_up = Some(limit);
        Poll::Ready(Opening::Closed)
    }

    /// What has come of a body is looked at now: a fault found here is answered before anybody has
    /// heard of the request.
    fn opened(&mut self, head: Head) -> Opening {
        let mut body = head.body;
        if let (_, Outcome::Broken(fault)) = body.pass(&self.arrived[head.range.end..]) {
            return self.refused(fault);
        }
        self.in_use = true;
        self.arrived.advance(head.range.start);
        self.phase = Phase::Message(Message {
            head_left: head.range.len(),
            body: head.body,
            patience: Patience::new(self.terms.body_grace),
            asks_upgrade: head.asks_upgrade,
            awaits_continue: head.expects_continue,
            answer: Answer::Open,
        });
        Opening::Message
    }

    fn refused(&mut self, fault: Fault) -> Opening {
        self.break_off(fault);
        Opening::Refused(fault)
    }

    /// What is left to do once nobody holds the guard.
    fn rest(&self) -> (Option<Fault>, Rest) {
        if self.given_up.is_some() {
            return (None, Rest::Nothing);
        }
        match &self.phase {
            Phase::Tunnel(tunnel) if tunnel.client_heard() => (None, Rest::Drain),
            Phase::Between { .. } | Phase::Tunnel(_) => (None, Rest::Nothing),
            Phase::Broken { fault: Fault::CutShort, .. } => (Some(Fault::CutShort), Rest::Nothing),
            Phase::Broken { fault, answer: Answer::Open } => (Some(*fault), Rest::Answer),
            Phase::Broken { fault, answer: Answer::Final } => (Some(*fault), Rest::Drain),
            Phase::Message(message) if message.is_handed_out() && self.arrived.is_empty() => {
                (None, Rest::Nothing)
            }
            Phase::Message(_) => (None, Rest::Drain),
        }
    }
}

impl Message {
    pub(super) fn is_handed_out(&self) -> bool {
        self.head_left == 0 && self.body.is_complete()
    }
}

impl<S: IO> Drop for Guard<S> {
    fn drop(&mut self) {
        let (fault, rest) = self.rest();
        if let Some(inner) = self.inner.take() {
            self.way_back.give(Parted::new(inner, (fault, self.given_up), rest));
        }
    }
}

/// Names no byte of a client's: pingora prints streams into its log.
impl<S: IO> fmt::Debug for Guard<S> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match &self.phase {
            Phase::Between { .. } => "between",
            Phase::Broken { .. } => "broken",
            Phase::Message(_) => "message",
            Phase::Tunnel(_) => "tunnel",
        };
        out.debug_struct("Guard").field("phase", &phase).finish_non_exhaustive()
    }
}

fn inner<S>(inner: &mut Option<Box<S>>) -> &mut S {
    inner.as_mut().expect(HELD)
}

const HELD: &str = "a guard lets go of its connection only when dropped";
/// Bytes read at once.
const READ: usize = 4 << 10;
