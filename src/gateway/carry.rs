//! A request's way to its app or tenant, and the answer's way back.
//!
//! pingora's own way there reads ahead of clients that take little, gives the client nothing of an
//! answer while the app takes no more of the body, and costs as much as everything else we do. Here
//! nothing is read from the app while a piece of its answer waits for the client, and a piece of the
//! body waits for the app while the answer goes on.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::downstream::Downstream;
use bytes::Bytes;
use http::header::{EXPECT, TE};
use http::{StatusCode, Version};
use pingora::protocols::http::HttpTask;
use pingora::{Error, ErrorType};
use tokio::time::{Sleep, sleep};

use crate::config::UpstreamProtocol;
use crate::telemetry::Child;
use crate::web::ProxyHeader;

use super::exchange::Exchange;
use super::flow::Flow;
use super::line::Line;
use super::living::Leash;
use super::outbound::Outbound;
use super::talk::{End, Part, Rest, Step, Talk, Wants};
use super::way::Led;
use super::{calls, entrance, heads, http1, http2, journey, phases};

/// Carries a request there and the answer back; sends it once more where that is safe and helps.
///
/// # Errors
/// Why there is no answer, or not all of it.
pub(super) async fn carry(
    downstream: &mut Downstream<'_>,
    exchange: &mut Exchange,
) -> pingora::Result<()> {
    downstream.keeps_body();
    let mut tries = 1;
    loop {
        let Err(failed) = try_once(downstream, exchange).await else { return Ok(()) };
        let unanswered = heads::answered(downstream).is_none();
        if !(failed.retry() && unanswered && tries < TRIES) {
            return Err(failed);
        }
        tries += 1;
    }
}

async fn try_once(downstream: &mut Downstream<'_>, exchange: &mut Exchange) -> pingora::Result<()> {
    exchange.asked = Some(Instant::now());
    exchange.upstream = exchange.open(Child::Upstream);
    let (led, whose) = match calls::lead(exchange).await? {
        Some(led) => (led, ProxyHeader::Nobodys),
        None => {
            let led = journey::lead(exchange).await?;
            let whose = match led.dial.introduces() {
                true => entrance::whose(downstream, exchange.client.as_ref()),
                false => ProxyHeader::Nobodys,
            };
            (led, whose)
        }
    };
    let flow = flow(downstream, led.dial.protocol());
    exchange.is_bound(Leash::Answer(Arc::downgrade(&flow)));
    exchange.flow = Some(flow.clone());
    let patience = led.patience.read;
    let relay = Relay { downstream, exchange, flow, patience, is_told_to_go_on: false };
    match led.dial.protocol() {
        UpstreamProtocol::Http1 => relay.by_http1(&led, whose).await,
        UpstreamProtocol::Http2 => Box::pin(relay.by_http2(&led, whose)).await,
    }
}

/// Answers of a client that has many at a time share the room of all, and hear of its connection's end.
fn flow(downstream: &Downstream<'_>, protocol: UpstreamProtocol) -> Arc<Flow> {
    let shares = downstream.is_http2() || protocol == UpstreamProtocol::Http2;
    let line = downstream.line().filter(|_| shares);
    line.map_or_else(|| Arc::new(Flow::alone()), Line::flow)
}

/// Both directions of one request.
struct Relay<'a, 'd> {
    downstream: &'a mut Downstream<'d>,
    exchange: &'a mut Exchange,
    flow: Arc<Flow>,
    /// How long nothing may go either way.
    patience: Duration,
    /// The app has said that it wants the body (RFC 9110 §15.2.1).
    is_told_to_go_on: bool,
}

/// What happens next to a request.
enum Event {
    /// A piece of the body, or its end.
    Body(pingora::Result<Option<Bytes>>),
    /// The gateway's time is over, or the session's.
    Over,
    /// Nothing has gone either way for too long.
    Silence,
    Step(pingora::Result<Step>),
}

/// Whether an answer is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    Ended,
    GoesOn,
}

impl Relay<'_, '_> {
    async fn by_http1(mut self, led: &Led, whose: ProxyHeader) -> pingora::Result<()> {
        let line = self.downstream.line().filter(|_| self.downstream.is_http2());
        let handshakes = line.map(|line| line.handshakes().clone());
        let connection = match http1::connect(led, whose, handshakes).await {
            Ok(connection) => connection,
            Err(error) => return Err(phases::unreachable(self.exchange, error.into_up())),
        };
        self.flow.comes_by(connection.used);
        let carried = self.talked_by_http1(connection).await;
        carried.map_err(|error| phases::broken(self.downstream, self.exchange, error))
    }

    async fn talked_by_http1(&mut self, connection: http1::Connection) -> pingora::Result<()> {
        let with = match self.downstream.is_body_empty() {
            true => http1::With::NoBody,
            false => http1::With::ABody,
        };
        let asked = self.request(|mut request| {
            // Trailers of such an app go nowhere.
            request.leave_out(TE);
            http1::Asked::of(request, with)
        })?;
        let mut talk = http1::Talking::begin(connection, asked);
        talk.sends().await;
        self.talk(&mut talk).await?;
        talk.ends();
        Ok(())
    }

    async fn by_http2(mut self, led: &Led, whose: ProxyHeader) -> pingora::Result<()> {
        let most = Some(led.patience.connect);
        let mut lease = match http2::lease(&led.dial, &led.address, most, whose).await {
            Ok(lease) => lease,
            Err(error) => return Err(phases::unreachable(self.exchange, error.into_up())),
        };
        self.flow.comes_by(lease.used);
        let carried = self.talked_by_http2(&mut lease, led.dial.scheme()).await;
        carried.map_err(|error| {
            if *error.etype() == ErrorType::ReadTimedout {
                // The app may be gone without a word.
                lease.retires();
            }
            phases::broken(self.downstream, self.exchange, error)
        })
    }

    async fn talked_by_http2(
        &mut self,
        lease: &mut http2::Lease,
        scheme: &str,
    ) -> pingora::Result<()> {
        let request = self.request(|request| http2::asked(&request, scheme))?;
        let end = End::at(self.downstream.is_body_empty());
        let mut talk = http2::Talking::begin(lease, request, end)?;
        self.talk(&mut talk).await
    }

    /// The head that leaves, as it is made for its connection. Where no body follows, that may be wrong by
    /// itself.
    fn request<T>(
        &mut self,
        made: impl FnOnce(Outbound<'_>) -> pingora::Result<T>,
    ) -> pingora::Result<T> {
        let mut request = Outbound::of_client(self.downstream.req_header())?;
        phases::leave(&mut request, self.exchange)?;
        let request = made(request)?;
        if self.downstream.is_body_empty() {
            phases::body(self.downstream, &mut None, End::Now, self.exchange)?;
        }
        Ok(request)
    }

    async fn talk(&mut self, talk: &mut impl Talk) -> pingora::Result<()> {
        // Of a try before. One that is over without a byte, an empty chunked one, has its end to be told.
        let again = self.downstream.kept_body();
        let is_over = self.downstream.is_body_done() && !self.downstream.is_body_empty();
        if again.is_some() || is_over {
            self.upload(talk, again)?;
        }
        let mut silence = pin!(sleep(self.patience));
        loop {
            match self.next(talk, silence.as_mut()).await {
                Event::Body(body) => self.upload(talk, body?)?,
                Event::Step(step) => match step? {
                    Step::Sent => {}
                    Step::Answer(part) => match self.give(part, talk).await? {
                        Course::Ended if talk.wants() == Wants::Nothing => return Ok(()),
                        Course::Ended => {
                            Box::pin(self.rest(talk)).await;
                            return Ok(());
                        }
                        Course::GoesOn => {}
                    },
                },
                Event::Over => return Err(over()),
                Event::Silence => {
                    let late = Error::explain(ErrorType::ReadTimedout, "the app says nothing");
                    return Err(late.into_up());
                }
            }
            // Later than before, which costs the runtime nothing.
            silence.as_mut().reset(tokio::time::Instant::now() + self.patience);
        }
    }

    /// What is left of the body, for an app that answered before it had read all. The client has its
    /// answer: nothing that goes wrong now is told.
    async fn rest(&mut self, talk: &mut impl Talk) {
        while talk.wants() != Wants::Nothing && self.comes_on() {
            let wants = tokio::select! {
                wants = poll_fn(|context| talk.poll_rest(context)) => wants,
                () = self.flow.is_ended() => return,
                () = sleep(self.patience) => return,
            };
            if wants == Wants::Nothing {
                return;
            }
            let body = tokio::select! {
                body = heard(self.downstream, Wants::Piece) => body,
                () = self.flow.is_ended() => return,
                () = sleep(self.patience) => return,
            };
            let Ok(body) = body else { return };
            if self.upload(talk, body).is_err() {
                return;
            }
        }
    }

    /// Whether the client sends its body without having been asked to, or was asked to.
    fn comes_on(&self) -> bool {
        let request = self.downstream.req_header();
        // HTTP/1.0 knows no such thing (RFC 9110 §10.1.1).
        let waits = request.version != Version::HTTP_10 && request.headers.contains_key(EXPECT);
        self.is_told_to_go_on || !waits
    }

    async fn next(&mut self, talk: &mut impl Talk, silence: Pin<&mut Sleep>) -> Event {
        let (wants, room) = (talk.wants(), self.flow.room());
        tokio::select! {
            step = poll_fn(|context| talk.poll_step(context, room)) => Event::Step(step),
            body = heard(self.downstream, wants) => Event::Body(body),
            () = self.flow.is_ended() => Event::Over,
            () = silence => Event::Silence,
        }
    }

    fn upload(&mut self, talk: &mut impl Talk, body: Option<Bytes>) -> pingora::Result<()> {
        let mut body = body;
        // Over HTTP/2 trailers may come behind the last piece: then it is done without being over.
        let end = End::at(body.is_none() || self.downstream.is_body_done());
        phases::body(self.downstream, &mut body, end, self.exchange)?;
        talk.give(body, end)
    }

    /// Gives a part of the answer to the client, with what is at hand behind it, and waits until that
    /// is taken.
    async fn give(&mut self, part: Part, talk: &mut impl Talk) -> pingora::Result<Course> {
        let mut tasks = Vec::with_capacity(AT_ONCE);
        let mut bytes = 0;
        let mut next = Some(part);
        let mut course = Course::GoesOn;
        while let Some(part) = next.take() {
            if let Part::Piece(piece, _) = &part {
                bytes += piece.len();
            }
            course = self.pass(part, &mut tasks)?;
            if course == Course::GoesOn && tasks.len() < AT_ONCE {
                next = talk.at_hand()?;
            }
        }
        if tasks.is_empty() {
            return Ok(course);
        }
        let written = tokio::select! {
            written = self.downstream.write(tasks) => written,
            // A client that takes nothing holds up no end.
            () = self.flow.is_ended() => return Err(over()),
        };
        written.map_err(|error| error.into_down())?;
        talk.was_taken(bytes);
        Ok(course)
    }

    /// A part of the answer as it goes to the client.
    fn pass(&mut self, part: Part, tasks: &mut Vec<HttpTask>) -> pingora::Result<Course> {
        let (task, rest) = match part {
            // HTTP/2 has no such change of protocol (RFC 9113 §8.6).
            Part::Informational(head) if head.status == StatusCode::SWITCHING_PROTOCOLS => {
                return Err(Error::explain(ErrorType::H2Error, "a 101 over HTTP/2").into_up());
            }
            // A client of HTTP/1.0 would take it for the answer (RFC 9110 §15.2).
            Part::Informational(_) if self.downstream.req_header().version == Version::HTTP_10 => {
                return Ok(Course::GoesOn);
            }
            Part::Informational(mut head) => {
                self.is_told_to_go_on |= head.status == StatusCode::CONTINUE;
                phases::before_the_answer(&mut head, self.exchange)?;
                (HttpTask::Header(head, false), Rest::Comes)
            }
            Part::Head(mut head, rest) => {
                phases::answer(self.downstream, &mut head, self.exchange)?;
                heads::frame(&mut head, self.downstream)?;
                (HttpTask::Header(head, rest == Rest::Nothing), rest)
            }
            Part::Piece(piece, rest) => (HttpTask::Body(Some(piece), rest == Rest::Nothing), rest),
            Part::Trailers(trailers) => {
                let trailers = heads::trailers(trailers, &self.exchange.site.spoofable);
                tasks.push(HttpTask::Trailer(Some(Box::new(trailers))));
                (HttpTask::Done, Rest::Nothing)
            }
            Part::End => (HttpTask::Done, Rest::Nothing),
        };
        tasks.push(task);
        Ok(if rest == Rest::Nothing { Course::Ended } else { Course::GoesOn })
    }
}

fn over() -> Box<Error> {
    Error::explain(ErrorType::ReadError, "its time is over").into_up()
}

/// The next piece of a body, where one is wanted; else that the client leaves.
async fn heard(downstream: &mut Downstream<'_>, wants: Wants) -> pingora::Result<Option<Bytes>> {
    let heard = match wants {
        Wants::Piece => downstream.piece_or_leaves().await,
        Wants::Nothing => downstream.leaves().await,
        Wants::Room => downstream.leaves_unread().await,
    };
    heard.map_err(|error| error.into_down())
}

/// The first try among them.
const TRIES: usize = 5;
/// Parts of an answer that are written together.
const AT_ONCE: usize = 8;
