//! A message that waits on a client's connection, and what is known of that.

use std::sync::Arc;

use bytes::Bytes;
use pingora::protocols::SocketDigest;
use tokio::io::{AsyncRead, AsyncWrite};

use super::super::line::Line;

/// A client's connection on which one message of HTTP/1 was found good. What is read from it is that
/// message's body; behind it, nothing until the client leaves.
pub trait Opened: AsyncRead + AsyncWrite + Send + Sync + Unpin {
    /// The message's header, from its method to its empty line: to be taken before anything is read.
    fn take_header(&mut self) -> Bytes;
}

/// Where a message came from.
#[derive(Clone, Debug)]
pub struct Whence {
    pub socket: Option<Arc<SocketDigest>>,
    pub line: Option<Line>,
}

/// What becomes of a client's connection behind a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    Closed,
    /// Another message may come on it.
    Open,
}
