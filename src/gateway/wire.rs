//! pingora's messages seen through our own interfaces.

use std::time::Duration;

use super::downstream::Downstream;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version, request};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::protocols::http::HttpTask;
use pingora::{Error, ErrorType};

use crate::web::{HeaderBag, Reply};

use super::leaving;
use super::site::Site;

/// A request header that names can be removed from.
pub struct Wire<'a>(pub &'a mut RequestHeader);

impl HeaderBag for Wire<'_> {
    fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    fn remove(&mut self, name: &HeaderName) {
        self.0.remove_header(name);
    }
}

/// Forgets how the client spelled its header names. pingora keeps each of them twice, and copies
/// both for the app; names have no case (RFC 9110 §5.1), so they go out in lower case, as HTTP/2
/// has them. The target is in origin form from here on (RFC 9112 §3.2.1), as it was admitted: an
/// app might route by the other host in a whole address.
pub(super) fn forget_spelling(request: &mut RequestHeader) {
    *request = RequestHeader::from(parts(request));
}

/// A header taken apart, of which nothing stays behind.
pub(super) fn parts(request: &mut RequestHeader) -> request::Parts {
    let nothing = RequestHeader::from(Request::new(()).into_parts().0);
    std::mem::replace(request, nothing).into()
}

/// Writes a whole answer.
///
/// # Errors
/// pingora's, when the client is gone or the answer cannot be put into a message.
pub(super) async fn write(
    downstream: &mut Downstream<'_>,
    site: &Site,
    reply: Reply,
) -> pingora::Result<()> {
    leaving::last_answer(downstream, site);
    let (head, body) = (head_of(reply.status, reply.headers)?, reply.body);
    // One frame where nothing follows: gRPC reads its status in a head only there.
    let mut whole = Vec::with_capacity(2);
    whole.push(HttpTask::Header(Box::new(head), body.is_empty()));
    if !body.is_empty() {
        whole.push(HttpTask::Body(Some(body), true));
    }
    downstream.write(whole).await
}

/// At once: pingora would spell out each name and read it again.
fn head_of(
    status: StatusCode,
    fields: Vec<(HeaderName, HeaderValue)>,
) -> pingora::Result<ResponseHeader> {
    let (mut parts, ()) = Response::new(()).into_parts();
    parts.status = status;
    parts.headers.reserve(fields.len());
    for (name, value) in fields {
        let too_many = |error| Error::because(ErrorType::InternalError, "an answer", error);
        parts.headers.try_append(name, value).map_err(too_many)?;
    }
    Ok(ResponseHeader::from(parts))
}

/// How a version of HTTP is called.
pub(super) fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_11 => "HTTP/1.1",
        Version::HTTP_2 => "HTTP/2",
        _ => "HTTP",
    }
}

/// A posted form, or why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The client stopped sending, or took too long in all.
    Stopped,
    TooLarge,
    Whole(Vec<u8>),
}

/// Reads a request's body of at most `most` bytes in at most `time`. HTTP/2 has no guard of ours in
/// front, so the time is bounded here.
pub(super) async fn read_form(
    downstream: &mut Downstream<'_>,
    most: usize,
    time: Duration,
) -> Form {
    let reading = tokio::time::timeout(time, read(downstream, most));
    reading.await.unwrap_or(Form::Stopped)
}

async fn read(downstream: &mut Downstream<'_>, most: usize) -> Form {
    let mut form = Vec::new();
    loop {
        match downstream.piece().await {
            Ok(Some(part)) if form.len() + part.len() > most => return Form::TooLarge,
            Ok(Some(part)) => form.extend_from_slice(&part),
            Ok(None) => return Form::Whole(form),
            Err(_) => return Form::Stopped,
        }
    }
}

#[cfg(test)]
mod tests {
    use pingora::proxy::Session;
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    async fn read(session: &mut Session, most: usize) -> Form {
        read_form(&mut Downstream::Pingoras(session), most, A_WHILE).await
    }

    const A_WHILE: Duration = Duration::from_secs(9);

    async fn posted(body: &str) -> (tokio::io::DuplexStream, Session) {
        let (mut client, ours) = tokio::io::duplex(4096);
        let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n";
        client.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        let mut downstream = Session::new_h1(Box::new(ours));
        assert!(downstream.read_request().await.unwrap());
        downstream.set_read_timeout(None);
        (client, downstream)
    }

    #[tokio::test(start_paused = true)]
    async fn a_form_that_never_ends_is_given_up() {
        let (_client, mut downstream) = posted("jwt=").await;
        let began = tokio::time::Instant::now();
        assert_eq!(read(&mut downstream, 64).await, Form::Stopped);
        assert_eq!(began.elapsed(), A_WHILE);
    }

    #[tokio::test]
    async fn a_form_is_whole_too_large_or_broken_off() {
        let (_client, mut downstream) = posted("jwt=12345").await;
        assert_eq!(read(&mut downstream, 64).await, Form::Whole(b"jwt=12345".to_vec()));
        let (_client, mut downstream) = posted("jwt=12345").await;
        assert_eq!(read(&mut downstream, 8).await, Form::TooLarge);
        let (client, mut downstream) = posted("jwt=").await;
        drop(client);
        assert_eq!(read(&mut downstream, 64).await, Form::Stopped);
    }
}
