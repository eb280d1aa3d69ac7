//! One request of HTTP/1, and the way back to its client.

use std::net::SocketAddr;
use std::pin::Pin;

use bytes::Bytes;
use http::{HeaderMap, Version, header};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::protocols::http::HttpTask;
use pingora::{Error, ErrorType, OrErr as _};
use tokio::io::{AsyncWriteExt as _, ReadBuf};

use super::super::line::Line;
use super::answering::Answering;
use super::head;
use super::incoming::Incoming;
use super::opened::{Behind, Opened, Whence};

/// A request that was read, its body as it comes, and its answer as it goes.
pub struct Message<'a> {
    wire: &'a mut dyn Opened,
    whence: &'a Whence,
    pub(in crate::gateway) request: RequestHeader,
    incoming: Incoming,
    answering: Answering,
    behind: Behind,
}

impl<'a> Message<'a> {
    /// The one that waits on a connection; `behind` says whether another may come after it, for all we
    /// care.
    ///
    /// # Errors
    /// When it is none.
    pub(in crate::gateway) fn read(
        wire: &'a mut dyn Opened,
        whence: &'a Whence,
        behind: Behind,
    ) -> pingora::Result<Self> {
        let request = head::read(&wire.take_header())?;
        let incoming = Incoming::of(&request.headers)?;
        let behind = match behind {
            Behind::Open if stays(&request) => Behind::Open,
            _ => Behind::Closed,
        };
        let answering = Answering::to(&request.method);
        Ok(Self { wire, whence, request, incoming, answering, behind })
    }

    pub(in crate::gateway) fn line(&self) -> Option<&Line> {
        self.whence.line.as_ref()
    }

    pub(in crate::gateway) fn client_addr(&self) -> Option<SocketAddr> {
        self.whence.socket.as_ref()?.peer_addr()?.as_inet().copied()
    }

    pub(in crate::gateway) fn server_addr(&self) -> Option<SocketAddr> {
        self.whence.socket.as_ref()?.local_addr()?.as_inet().copied()
    }

    /// It is the last on its connection.
    pub(in crate::gateway) fn is_last(&mut self) {
        self.behind = Behind::Closed;
    }

    pub(in crate::gateway) fn body_is_empty(&self) -> bool {
        self.incoming.is_empty()
    }

    pub(in crate::gateway) fn body_is_done(&self) -> bool {
        self.incoming.is_done()
    }

    pub(in crate::gateway) fn body_bytes(&self) -> usize {
        self.incoming.bytes
    }

    /// From here on what is read of the body is remembered, in bounds.
    pub(in crate::gateway) fn keeps_body(&mut self) {
        self.incoming.is_kept();
    }

    pub(in crate::gateway) fn has_forgotten_body(&self) -> bool {
        self.incoming.is_too_much_to_send_again()
    }

    pub(in crate::gateway) fn kept_body(&self) -> Option<Bytes> {
        self.incoming.again()
    }

    /// The next piece of the body, or its end. Can be given up and begun again.
    ///
    /// # Errors
    /// When the client stops, or breaks off.
    pub(in crate::gateway) async fn piece(&mut self) -> pingora::Result<Option<Bytes>> {
        self.incoming.piece(self.wire).await
    }

    /// Waits for as long as the client is there. Can be given up and begun again.
    ///
    /// # Errors
    /// When it has left; and when it says what it was not asked for.
    pub(in crate::gateway) async fn leaves(&mut self) -> pingora::Result<Option<Bytes>> {
        let mut probe = [0; 1];
        let mut probe = ReadBuf::new(&mut probe);
        let read = std::future::poll_fn(|context| {
            Pin::new(&mut *self.wire).poll_read(context, &mut probe)
        });
        read.await.or_err(ErrorType::ReadError, "waiting for an answer")?;
        self.behind = Behind::Closed;
        if !probe.filled().is_empty() {
            return Error::e_explain(ErrorType::ReadError, "a body where none is read");
        }
        Error::e_explain(
            ErrorType::ConnectionClosed,
            match self.answering.written() {
                None => "the client left before its answer",
                Some(_) => "the client left before the end of its answer",
            },
        )
    }

    /// The head of the answer that was written last.
    pub(in crate::gateway) fn written(&self) -> Option<&ResponseHeader> {
        self.answering.written()
    }

    /// Bytes of the answer's body that were written.
    pub(in crate::gateway) fn answer_bytes(&self) -> usize {
        self.answering.bytes()
    }

    /// Writes parts of the answer, and lets them go.
    ///
    /// # Errors
    /// When the client takes nothing for too long, or is gone.
    pub(in crate::gateway) async fn write(&mut self, tasks: Vec<HttpTask>) -> pingora::Result<()> {
        for task in tasks {
            if !self.incoming.is_done() && is_an_answer(&task) {
                // The rest of the request would have to be read first.
                self.behind = Behind::Closed;
            }
            self.answering.write(self.wire, task, &mut self.behind).await?;
        }
        let flushed = self.wire.flush().await;
        flushed
            .or_err(ErrorType::WriteError, "writing an answer")
            .map_err(|error| error.into_down())
    }

    /// Ends it. Where another may come behind it was read to its end, or its answer would have said that
    /// none may.
    pub(in crate::gateway) async fn ends(self) -> Behind {
        if self.behind == Behind::Closed {
            let _client_gone = self.wire.shutdown().await;
            return Behind::Closed;
        }
        Behind::Open
    }
}

/// Whether it is an answer's own head, not one before it.
fn is_an_answer(task: &HttpTask) -> bool {
    matches!(task, HttpTask::Header(head, _) if !head.status.is_informational())
}

/// Whether a client keeps its connection: one of HTTP/1.1 unless it says otherwise, one of HTTP/1.0 where it
/// says so; who says both closes it (RFC 9112 §9.3).
fn stays(request: &RequestHeader) -> bool {
    let asks = || request.version == Version::HTTP_11 || says(&request.headers, b"keep-alive");
    !says(&request.headers, b"close") && asks()
}

fn says(headers: &HeaderMap, what: &[u8]) -> bool {
    headers.get_all(header::CONNECTION).iter().any(|value| {
        let mut words = value.as_bytes().split(|byte| *byte == b',');
        words.any(|word| word.trim_ascii().eq_ignore_ascii_case(what))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_close_closes_and_http_1_0_stays_where_it_asks_to() {
        for (version, said, is_kept) in [
            (Version::HTTP_11, &[][..], true),
            (Version::HTTP_11, &["Close"], false),
            (Version::HTTP_11, &["x-one, close"], false),
            (Version::HTTP_10, &[], false),
            (Version::HTTP_10, &["Keep-Alive"], true),
            (Version::HTTP_10, &["keep-alive, close"], false),
            (Version::HTTP_10, &["keep-alive", "close"], false),
        ] {
            let mut request = RequestHeader::build("GET", b"/", None).unwrap();
            request.set_version(version);
            for value in said {
                request.append_header("Connection", *value).unwrap();
            }
            assert_eq!(stays(&request), is_kept, "{version:?} {said:?}");
        }
    }
}
