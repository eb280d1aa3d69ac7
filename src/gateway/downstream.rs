//! The client's side of a request, whoever reads and writes it.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use pingora::Error;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::protocols::http::HttpTask;
use pingora::proxy::Session;

use super::client::{Behind, Message};
use super::line::Line;

/// One request, and the way its answer goes. What pingora does takes large futures: each in a box, for
/// requests that need none have no room for it.
#[allow(clippy::large_enum_variant, reason = "there is one of it for each request, on its future")]
pub(super) enum Downstream<'a> {
    /// Of HTTP/1: by ourselves.
    Ours(Message<'a>),
    /// Of HTTP/2, or one that may become a tunnel.
    Pingoras(&'a mut Session),
}

impl Downstream<'_> {
    pub(super) fn req_header(&self) -> &RequestHeader {
        match self {
            Self::Ours(message) => &message.request,
            Self::Pingoras(session) => session.req_header(),
        }
    }

    pub(super) fn req_header_mut(&mut self) -> &mut RequestHeader {
        match self {
            Self::Ours(message) => &mut message.request,
            Self::Pingoras(session) => session.req_header_mut(),
        }
    }

    pub(super) fn is_http2(&self) -> bool {
        match self {
            Self::Ours(_) => false,
            Self::Pingoras(session) => session.is_http2(),
        }
    }

    pub(super) fn is_upgrade_req(&self) -> bool {
        match self {
            Self::Ours(_) => false,
            Self::Pingoras(session) => session.is_upgrade_req(),
        }
    }

    pub(super) fn was_upgraded(&self) -> bool {
        match self {
            Self::Ours(_) => false,
            Self::Pingoras(session) => session.was_upgraded(),
        }
    }

    /// The line it came on, where one is kept.
    pub(super) fn line(&self) -> Option<&Line> {
        match self {
            Self::Ours(message) => message.line(),
            Self::Pingoras(session) => {
                session.digest()?.proxy_digest.as_ref()?.user_data.as_ref()?.downcast_ref()
            }
        }
    }

    /// The address at the other end, where it has one on the network.
    pub(super) fn client_addr(&self) -> Option<SocketAddr> {
        match self {
            Self::Ours(message) => message.client_addr(),
            Self::Pingoras(session) => session.client_addr()?.as_inet().copied(),
        }
    }

    /// The address it was made to, where that is on the network.
    pub(super) fn server_addr(&self) -> Option<SocketAddr> {
        match self {
            Self::Ours(message) => message.server_addr(),
            Self::Pingoras(session) => session.server_addr()?.as_inet().copied(),
        }
    }

    /// It is the last on its connection.
    pub(super) fn is_last(&mut self) {
        match self {
            Self::Ours(message) => message.is_last(),
            Self::Pingoras(session) => session.set_keepalive(None),
        }
    }

    /// How long a read and a write may take, where nobody else sees to that.
    pub(super) fn waits_at_most(&mut self, read: Duration, write: Duration) {
        if let Self::Pingoras(session) = self {
            session.set_read_timeout(Some(read));
            session.set_write_timeout(Some(write));
        }
    }

    /// The guard below sees to how long a read and a write may take.
    pub(super) fn is_guarded(&mut self) {
        if let Self::Pingoras(session) = self {
            session.set_read_timeout(None);
        }
    }

    /// How long is waited for a body that nobody wants, where that is read: behind an answer of ours to half
    /// a request its connection is closed.
    pub(super) fn drains_for(&mut self, most: Duration) {
        if let Self::Pingoras(session) = self {
            session.set_total_drain_timeout(Some(most));
        }
    }

    pub(super) fn is_body_empty(&mut self) -> bool {
        match self {
            Self::Ours(message) => message.body_is_empty(),
            Self::Pingoras(session) => session.as_mut().is_body_empty(),
        }
    }

    pub(super) fn is_body_done(&mut self) -> bool {
        match self {
            Self::Ours(message) => message.body_is_done(),
            Self::Pingoras(session) => session.is_body_done(),
        }
    }

    /// The next piece of the body, or its end.
    ///
    /// # Errors
    /// When the client stops.
    pub(super) async fn piece(&mut self) -> pingora::Result<Option<Bytes>> {
        match self {
            Self::Ours(message) => message.piece().await,
            Self::Pingoras(session) => Box::pin(session.read_request_body()).await,
        }
    }

    /// The same, until there is no more; then it waits for as long as the client is there. Can be given up
    /// and begun again.
    ///
    /// # Errors
    /// When the client stops, or leaves.
    pub(super) async fn piece_or_leaves(&mut self) -> pingora::Result<Option<Bytes>> {
        match self {
            Self::Ours(message) if message.body_is_done() => message.leaves().await,
            Self::Ours(message) => message.piece().await,
            Self::Pingoras(session) => Box::pin(session.read_body_or_idle(false)).await,
        }
    }

    /// Waits for as long as the client is there. Can be given up and begun again.
    ///
    /// # Errors
    /// When it leaves.
    pub(super) async fn leaves(&mut self) -> pingora::Result<Option<Bytes>> {
        match self {
            Self::Ours(message) => message.leaves().await,
            Self::Pingoras(session) => Box::pin(session.read_body_or_idle(true)).await,
        }
    }

    /// The same, while nothing may be read from it.
    ///
    /// # Errors
    /// When it leaves, and that can be seen.
    pub(super) async fn leaves_unread(&mut self) -> pingora::Result<Option<Bytes>> {
        if let Self::Pingoras(session) = self
            && let Some(left) = session.watch_h2_stream_close()
        {
            let why = left.await;
            let left = format!("the client left: {why:?}");
            return Error::e_explain(pingora::ErrorType::H2Error, left);
        }
        std::future::pending().await
    }

    /// From here on what is read of the body is remembered, in bounds.
    pub(super) fn keeps_body(&mut self) {
        match self {
            Self::Ours(message) => message.keeps_body(),
            Self::Pingoras(session) => session.enable_retry_buffering(),
        }
    }

    /// Whether more was read of the body than is remembered.
    pub(super) fn has_forgotten_body(&self) -> bool {
        match self {
            Self::Ours(message) => message.has_forgotten_body(),
            Self::Pingoras(session) => session.as_ref().retry_buffer_truncated(),
        }
    }

    /// What was read of the body, where it is remembered and is something.
    pub(super) fn kept_body(&self) -> Option<Bytes> {
        match self {
            Self::Ours(message) => message.kept_body(),
            Self::Pingoras(session) => session.get_retry_buffer(),
        }
    }

    /// The head that was written last, one before the answer or the answer's.
    pub(super) fn response_written(&self) -> Option<&ResponseHeader> {
        match self {
            Self::Ours(message) => message.written(),
            Self::Pingoras(session) => session.response_written(),
        }
    }

    /// Bytes of the answer's body so far.
    pub(super) fn body_bytes_sent(&self) -> usize {
        match self {
            Self::Ours(message) => message.answer_bytes(),
            Self::Pingoras(session) => session.body_bytes_sent(),
        }
    }

    /// Bytes of the request's body so far.
    pub(super) fn body_bytes_read(&self) -> usize {
        match self {
            Self::Ours(message) => message.body_bytes(),
            Self::Pingoras(session) => session.body_bytes_read(),
        }
    }

    /// Ends the request; says what becomes of its connection, where that is ours to say.
    pub(super) async fn ends(self) -> Behind {
        match self {
            Self::Ours(message) => message.ends().await,
            Self::Pingoras(_) => Behind::Closed,
        }
    }

    /// Writes parts of the answer.
    ///
    /// # Errors
    /// When the client takes nothing for too long, or is gone.
    pub(super) async fn write(&mut self, tasks: Vec<HttpTask>) -> pingora::Result<()> {
        match self {
            Self::Ours(message) => message.write(tasks).await,
            Self::Pingoras(session) => {
                Box::pin(session.write_response_tasks(tasks)).await.map(|_is_end| ())
            }
        }
    }
}
