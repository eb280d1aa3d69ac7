//! Requests that are in flight when the process is told to end.

use super::downstream::Downstream;
use http::header;
use pingora::http::ResponseHeader;
use pingora::protocols::http::HttpTask;
use pingora::{Error, ErrorSource};

use crate::pages::Trouble;
use crate::telemetry::Outcome;

use super::ending::End;
use super::exchange::Exchange;
use super::heads;
use super::respond::Refused;
use super::site::Site;

/// Lets an answer say that its connection closes, where the process is about to end, or where its
/// client has to come anew with another certificate. HTTP/2 says it once for a connection, by GOAWAY.
pub(super) fn last_answer(downstream: &mut Downstream<'_>, site: &Site) {
    let line = downstream.line();
    let lapsed = line.filter(|line| line.jobs.as_ref().is_some_and(|door| door.has_lapsed()));
    if let Some(line) = lapsed {
        line.send_away();
    }
    if lapsed.is_some() || site.metrics.drain().has_begun() {
        downstream.is_last();
    }
}

/// What a client hears whose request is not done at the end of its time; `None` while there is
/// time.
pub(super) fn too_late(exchange: &Exchange, error: &Error) -> Option<Refused> {
    let over = exchange.site.metrics.drain().is_grace_over();
    let told = exchange.flow.as_ref().is_some_and(|flow| flow.end() == Some(End::Drain));
    let ours = over && (told || *error.esource() == ErrorSource::Downstream);
    ours.then(|| Refused::new(Trouble::TooBusy, "the drain time is over"))
}

/// Gives an event stream the end it has not by itself.
pub(super) async fn close(downstream: &mut Downstream<'_>) {
    if heads::answered(downstream).is_some_and(is_event_stream) {
        let _client_gone = downstream.write(vec![HttpTask::Done]).await;
    }
}

/// How a request ended that was in flight; not called for those whose connection is cut.
pub(super) fn outcome(
    downstream: &Downstream<'_>,
    exchange: &Exchange,
    error: Option<&Error>,
) -> Outcome {
    let endless =
        downstream.was_upgraded() || heads::answered(downstream).is_some_and(is_event_stream);
    match (exchange.site.metrics.drain().is_grace_over(), error) {
        (false, _) => Outcome::Finished,
        (true, _) if endless => Outcome::Closed,
        (true, None) => Outcome::Finished,
        (true, Some(_)) => Outcome::Cut,
    }
}

fn is_event_stream(head: &ResponseHeader) -> bool {
    let kind = head.headers.get(header::CONTENT_TYPE);
    kind.and_then(|kind| kind.as_bytes().get(..EVENT_STREAM.len()))
        .is_some_and(|kind| kind.eq_ignore_ascii_case(EVENT_STREAM))
}

const EVENT_STREAM: &[u8] = b"text/event-stream";
