//! A request's body as it comes.

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, header};
use pingora::{Error, ErrorType, OrErr as _};
use tokio::io::AsyncReadExt as _;

use super::super::http1::{Body, Chunks};
use super::super::talk::Part;
use super::opened::Opened;

/// What of a body is still to come, and what has come of it.
#[derive(Debug)]
pub(super) struct Incoming {
    body: Body,
    is_empty: bool,
    input: BytesMut,
    /// The bytes of it that were read so far.
    pub(super) bytes: usize,
    again: Again,
}

/// What was read of a body, for a second try to send it.
#[derive(Debug)]
enum Again {
    Forgotten,
    Kept(BytesMut),
    TooMuch,
}

impl Incoming {
    /// The one that `headers` frame (RFC 9112 §6.3). The guard takes nothing that could be read in two ways.
    ///
    /// # Errors
    /// When they say what no guard lets pass.
    pub(super) fn of(headers: &HeaderMap) -> pingora::Result<Self> {
        let length = || {
            let Some(length) = headers.get(header::CONTENT_LENGTH) else { return Some(0) };
            length.to_str().ok()?.parse::<u64>().ok()
        };
        let body = match headers.contains_key(header::TRANSFER_ENCODING) {
            true => Body::Chunked(Chunks::default()),
            false => Body::Length(length().ok_or_else(|| odd("no length"))?),
        };
        let is_empty = body.is_over();
        Ok(Self { body, is_empty, input: BytesMut::new(), bytes: 0, again: Again::Forgotten })
    }

    /// Whether there is none at all.
    pub(super) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Whether all of it was read.
    pub(super) fn is_done(&self) -> bool {
        self.body.is_over()
    }

    /// From here on what is read is remembered, up to [`MOST_AGAIN`].
    pub(super) fn is_kept(&mut self) {
        if matches!(self.again, Again::Forgotten) {
            self.again = Again::Kept(BytesMut::new());
        }
    }

    /// Whether more was read than is remembered.
    pub(super) fn is_too_much_to_send_again(&self) -> bool {
        matches!(self.again, Again::TooMuch)
    }

    /// All that was read so far, where that was something.
    pub(super) fn again(&self) -> Option<Bytes> {
        match &self.again {
            Again::Kept(kept) if !kept.is_empty() => Some(Bytes::copy_from_slice(kept)),
            _ => None,
        }
    }

    /// The next piece, or its end. Can be given up and begun again.
    ///
    /// # Errors
    /// When the client stops, or breaks off.
    pub(super) async fn piece(&mut self, wire: &mut dyn Opened) -> pingora::Result<Option<Bytes>> {
        loop {
            match self.body.next(&mut self.input)? {
                Some(Part::Piece(piece, _)) => {
                    self.bytes += piece.len();
                    self.again.keeps(&piece);
                    return Ok(Some(piece));
                }
                Some(_) => return Ok(None),
                None => {}
            }
            self.input.reserve(ROOM);
            let mut room = (&mut self.input).limit(ROOM);
            let read = wire.read_buf(&mut room).await;
            let read = read.or_err(ErrorType::ReadError, "reading a request's body");
            if read.map_err(|error| error.into_down())? == 0 {
                let cut = "a request whose body breaks off";
                return Err(Error::explain(ErrorType::ConnectionClosed, cut).into_down());
            }
        }
    }
}

impl Again {
    fn keeps(&mut self, piece: &[u8]) {
        match self {
            Self::Kept(kept) if kept.len() + piece.len() <= MOST_AGAIN => {
                kept.extend_from_slice(piece);
            }
            Self::Kept(_) => *self = Self::TooMuch,
            Self::Forgotten | Self::TooMuch => {}
        }
    }
}

fn odd(what: &'static str) -> Box<Error> {
    Error::explain(ErrorType::InvalidHTTPHeader, what).into_down()
}

/// Bytes of a body read at a time.
const ROOM: usize = 32 << 10;
/// Bytes of a body that are remembered.
const MOST_AGAIN: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    fn framed(name: &'static str, value: &'static str) -> Incoming {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        Incoming::of(&headers).unwrap()
    }

    /// All of it.
    async fn read(body: &mut Incoming, wire: &mut DuplexStream) -> pingora::Result<Vec<u8>> {
        let mut whole = Vec::new();
        while let Some(piece) = body.piece(wire).await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }

    #[tokio::test]
    async fn a_body_is_read_to_its_end() {
        let (mut client, mut wire) = duplex(1 << 20);
        for (name, value, sent, whole) in [
            ("content-length", "5", "hello", "hello"),
            ("content-length", "0", "", ""),
            ("transfer-encoding", "chunked", "3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\n\r\n", "hello"),
            ("x-none", "", "", ""),
        ] {
            let mut body = framed(name, value);
            assert_eq!(body.is_empty(), sent.is_empty());
            client.write_all(sent.as_bytes()).await.unwrap();
            assert_eq!(read(&mut body, &mut wire).await.unwrap(), whole.as_bytes(), "{sent:?}");
            assert_eq!((body.is_done(), body.bytes), (true, whole.len()));
        }
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_an_error() {
        for (name, value, sent) in
            [("content-length", "6", "hello"), ("transfer-encoding", "chunked", "5\r\nhello\r\n")]
        {
            let (mut client, mut wire) = duplex(1 << 20);
            client.write_all(sent.as_bytes()).await.unwrap();
            drop(client);
            assert!(read(&mut framed(name, value), &mut wire).await.is_err());
        }
    }

    #[tokio::test]
    async fn what_was_read_is_remembered_from_when_that_was_asked_for_and_in_bounds() {
        let (mut client, mut wire) = duplex(1 << 20);
        let mut body = framed("content-length", "70000");
        client.write_all(&[b'x'; 70_000]).await.unwrap();
        assert_eq!(body.again(), None);
        body.is_kept();
        let first = body.piece(&mut wire).await.unwrap().unwrap();
        assert_eq!(body.again(), Some(first));
        read(&mut body, &mut wire).await.unwrap();
        assert_eq!(body.again(), None);
        assert!(body.is_too_much_to_send_again());
    }
}
