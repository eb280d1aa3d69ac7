//! A request's way to an app that speaks HTTP/2, and the answer's way back.
//!
//! pingora's own way there takes what the app sends before its client takes it, and gives the client
//! nothing of the answer while the app takes no more of the body: a conversation whose sides both have
//! much to say would stand still. Here a piece of the body waits for the app while the answer goes on.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{Method, StatusCode};
use pingora::protocols::http::HttpTask;
use pingora::proxy::{ProxyHttp, Session as Downstream};
use pingora::upstreams::peer::{HttpPeer, Peer as _};
use pingora::{Error, ErrorType};
use tokio::time::{Duration, Sleep, sleep};

use crate::telemetry::Child;

use super::super::exchange::Exchange;
use super::super::flow::Flow;
use super::super::line::Line;
use super::super::living::Leash;
use super::super::{calls, entrance, journey};
use super::answer::{Answer, Part, Rest};
use super::faults::{of_app, unsent};
use super::heads;
use super::links::{Lease, lease};
use super::upload::{End, Upload, Wants};

/// Carries a request to its app and the answer back, through the same phases as pingora does.
///
/// # Errors
/// Why there is no answer, or not all of it.
pub(in crate::gateway) async fn carry<P>(
    phases: &P,
    downstream: &mut Downstream,
    exchange: &mut Exchange,
) -> pingora::Result<()>
where
    P: ProxyHttp<CTX = Exchange> + Sync,
{
    downstream.enable_retry_buffering();
    let mut tries = 1;
    loop {
        let Err(failed) = try_once(phases, downstream, exchange).await else { return Ok(()) };
        let unanswered = downstream.response_written().is_none();
        if !(failed.retry() && unanswered && tries < TRIES) {
            return Err(failed);
        }
        tries += 1;
    }
}

async fn try_once<P>(
    phases: &P,
    downstream: &mut Downstream,
    exchange: &mut Exchange,
) -> pingora::Result<()>
where
    P: ProxyHttp<CTX = Exchange> + Sync,
{
    exchange.asked = Some(Instant::now());
    exchange.upstream = exchange.open(Child::Upstream);
    let flow =
        Line::of(downstream).map_or_else(|| Arc::new(Flow::new(&Arc::default())), Line::flow);
    exchange.is_bound(Leash::Answer(Arc::downgrade(&flow)));
    exchange.flow = Some(flow.clone());
    if calls::lead(exchange).await?.is_some() {
        let wrong = "a call to a tenant was about to go to an app";
        return Err(Error::explain(ErrorType::InternalError, wrong));
    }
    let (peer, dial) = journey::peer(exchange).await?;
    let most = peer.options.connection_timeout;
    let whose = entrance::whose(downstream, exchange.client.as_ref());
    let mut lease = match lease(&dial, peer.address(), most, whose).await {
        Ok(lease) => lease,
        Err(error) => {
            return Err(phases.fail_to_connect(downstream, &peer, exchange, error.into_up()));
        }
    };
    let mut relay = Relay { phases, downstream, exchange, flow, patience: patience(&peer) };
    let carried = relay.carry(&mut lease, dial.scheme()).await;
    carried.map_err(|error| {
        if *error.etype() == ErrorType::ReadTimedout {
            // The app may be gone without a word.
            lease.retires();
        }
        phases.error_while_proxy(&peer, downstream, error, exchange, lease.is_reused)
    })
}

fn patience(peer: &HttpPeer) -> Duration {
    peer.options.read_timeout.unwrap_or(Duration::MAX)
}

/// Both directions of one request.
struct Relay<'a, P> {
    phases: &'a P,
    downstream: &'a mut Downstream,
    exchange: &'a mut Exchange,
    flow: Arc<Flow>,
    /// How long nothing may go either way.
    patience: Duration,
}

/// What happens next to a request.
enum Event {
    /// A piece of the body, or its end.
    Body(pingora::Result<Option<Bytes>>),
    /// A piece of the body has gone to the app.
    Sent,
    Answer(Result<Part, h2::Error>),
    /// The gateway's time is over, or the session's.
    Over,
    /// Nothing has gone either way for too long.
    Silence,
}

/// Whether an answer is whole.
enum Course {
    Ended,
    GoesOn,
}

impl<P> Relay<'_, P>
where
    P: ProxyHttp<CTX = Exchange> + Sync,
{
    async fn carry(&mut self, lease: &mut Lease, scheme: &str) -> pingora::Result<()> {
        let (mut upload, mut answer) = self.ask(lease, scheme).await?;
        let mut silence = pin!(sleep(self.patience));
        loop {
            match self.next(&mut upload, &mut answer, silence.as_mut()).await {
                Event::Body(body) => self.upload(&mut upload, body?).await?,
                Event::Sent => {}
                Event::Answer(part) => match self.give(part.map_err(of_app)?, &mut answer).await? {
                    Course::Ended => return Ok(()),
                    Course::GoesOn => {}
                },
                Event::Over => return Err(over()),
                Event::Silence => {
                    let late = Error::explain(ErrorType::ReadTimedout, "the app says nothing");
                    return Err(late.into_up());
                }
            }
            silence.set(sleep(self.patience));
        }
    }

    /// Sends the head, and of the body what was sent before.
    async fn ask(&mut self, lease: &mut Lease, scheme: &str) -> pingora::Result<(Upload, Answer)> {
        let mut request = heads::of_client(self.downstream.req_header());
        let (phases, downstream) = (self.phases, &mut *self.downstream);
        phases.upstream_request_filter(downstream, &mut request, self.exchange).await?;
        let request = heads::asked(request, scheme)?;
        let is_empty = downstream.as_mut().is_body_empty();
        let (answer, stream) = lease.sender.send_request(request, is_empty).map_err(unsent)?;
        let answer = Answer::Head(answer);
        if is_empty {
            return Ok((Upload::none(stream), answer));
        }
        let mut upload = Upload::new(stream);
        if let Some(again) = downstream.get_retry_buffer() {
            self.upload(&mut upload, Some(again)).await?;
        }
        Ok((upload, answer))
    }

    async fn next(
        &mut self,
        upload: &mut Upload,
        answer: &mut Answer,
        silence: Pin<&mut Sleep>,
    ) -> Event {
        let wants = upload.wants();
        tokio::select! {
            body = heard(self.downstream, wants) => Event::Body(body),
            () = upload.sent(), if wants == Wants::Room => Event::Sent,
            part = answer.next() => Event::Answer(part),
            () = self.flow.is_ended() => Event::Over,
            () = silence => Event::Silence,
        }
    }

    async fn upload(&mut self, upload: &mut Upload, body: Option<Bytes>) -> pingora::Result<()> {
        let mut body = body;
        let is_done = self.downstream.is_body_done();
        let (phases, downstream) = (self.phases, &mut *self.downstream);
        phases.request_body_filter(downstream, &mut body, is_done, self.exchange).await?;
        upload.give(body, End::at(is_done));
        Ok(())
    }

    /// Gives a part of the answer to the client, and waits until it takes it.
    async fn give(&mut self, part: Part, answer: &mut Answer) -> pingora::Result<Course> {
        match part {
            // HTTP/2 has no such change of protocol (RFC 9113 §8.6).
            Part::Informational(head) if head.status() == StatusCode::SWITCHING_PROTOCOLS => {
                Err(Error::explain(ErrorType::H2Error, "a 101 over HTTP/2").into_up())
            }
            Part::Informational(head) => {
                self.head(head, Rest::Comes).await?;
                Ok(Course::GoesOn)
            }
            Part::Head(head, rest) => {
                self.head(head, rest).await?;
                Ok(if rest == Rest::Nothing { Course::Ended } else { Course::GoesOn })
            }
            Part::Piece(piece) => {
                let bytes = piece.len();
                let mut piece = Some(piece);
                let (phases, downstream) = (self.phases, &mut *self.downstream);
                phases.response_body_filter(downstream, &mut piece, false, self.exchange)?;
                self.write(HttpTask::Body(piece, false)).await?;
                answer.was_taken(bytes);
                Ok(Course::GoesOn)
            }
            Part::Trailers(trailers) => {
                let trailers = heads::trailers(trailers, &self.exchange.site.spoofable);
                self.write(HttpTask::Trailer(Some(Box::new(trailers)))).await?;
                self.write(HttpTask::Done).await?;
                Ok(Course::Ended)
            }
            Part::End => {
                self.write(HttpTask::Done).await?;
                Ok(Course::Ended)
            }
        }
    }

    async fn head(&mut self, head: http::Response<()>, rest: Rest) -> pingora::Result<()> {
        let method: Method = self.downstream.req_header().method.clone();
        let mut head = heads::answered(head, rest, &method)?;
        let (phases, downstream) = (self.phases, &mut *self.downstream);
        phases.upstream_response_filter(downstream, &mut head, self.exchange).await?;
        phases.response_filter(downstream, &mut head, self.exchange).await?;
        heads::frame(&mut head, &method)?;
        self.write(HttpTask::Header(head, rest == Rest::Nothing)).await
    }

    async fn write(&mut self, task: HttpTask) -> pingora::Result<()> {
        let written = tokio::select! {
            written = self.downstream.write_response_tasks(vec![task]) => written,
            // Its client takes nothing.
            () = self.flow.is_ended() => return Err(over()),
        };
        written.map(|_is_ended| ()).map_err(|error| error.into_down())
    }
}

fn over() -> Box<Error> {
    Error::explain(ErrorType::ReadError, "its time is over").into_up()
}

/// The next piece of a body, where one is wanted; else that the client leaves.
async fn heard(downstream: &mut Downstream, wants: Wants) -> pingora::Result<Option<Bytes>> {
    let heard = match wants {
        Wants::Piece => downstream.read_body_or_idle(false).await,
        Wants::Nothing => downstream.read_body_or_idle(true).await,
        Wants::Room => match downstream.watch_h2_stream_close() {
            Some(left) => {
                let why = left.await;
                Error::e_explain(ErrorType::H2Error, format!("the client left: {why:?}"))
            }
            None => std::future::pending().await,
        },
    };
    heard.map_err(|error| error.into_down())
}

/// The first try among them.
const TRIES: usize = 5;
