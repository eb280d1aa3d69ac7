//! An answer on its way to a client of HTTP/1.

use http::{Method, header};
use pingora::http::ResponseHeader;
use pingora::protocols::http::HttpTask;
use pingora::{Error, ErrorType, OrErr as _};
use tokio::io::AsyncWriteExt as _;

use super::super::measure::may_have_a_body;
use super::head;
use super::opened::{Behind, Opened};

/// How far it has come.
#[derive(Debug)]
pub(super) struct Answering {
    asks_for_head: bool,
    framing: Framing,
    written: Option<Box<ResponseHeader>>,
    bytes: usize,
}

/// How its body ends (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Chunked,
    /// It has none, or all of it is written.
    Done,
    /// So many bytes are to be written yet.
    Length(u64),
    /// Its head is not written yet.
    Unsaid,
    UntilClose,
}

impl Answering {
    pub(super) fn to(method: &Method) -> Self {
        let asks_for_head = *method == Method::HEAD;
        Self { asks_for_head, framing: Framing::Unsaid, written: None, bytes: 0 }
    }

    /// The head that was written last.
    pub(super) fn written(&self) -> Option<&ResponseHeader> {
        self.written.as_deref()
    }

    /// Bytes of the body that were written.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Writes a part of it, as far as it is gathered.
    ///
    /// # Errors
    /// When it cannot be written, or is not what its head has promised.
    pub(super) async fn write(
        &mut self,
        wire: &mut dyn Opened,
        task: HttpTask,
        behind: &mut Behind,
    ) -> pingora::Result<()> {
        let ends = match task {
            HttpTask::Header(head, ends) => {
                self.head(wire, head, behind).await?;
                ends
            }
            HttpTask::Body(piece, ends) => {
                if let Some(piece) = piece {
                    self.piece(wire, &piece).await?;
                }
                ends
            }
            // Trailers go to clients of HTTP/2 alone.
            HttpTask::Trailer(_) | HttpTask::Done => true,
            HttpTask::UpgradedBody(..) => return Err(odd("a tunnel where none was asked for")),
            HttpTask::Failed(error) => return Err(error),
        };
        if ends { self.end(wire).await } else { Ok(()) }
    }

    async fn head(
        &mut self,
        wire: &mut dyn Opened,
        head: Box<ResponseHeader>,
        behind: &mut Behind,
    ) -> pingora::Result<()> {
        if self.framing != Framing::Unsaid {
            return Err(odd("a second head of one answer"));
        }
        let mut framing = Framing::Unsaid;
        if !head.status.is_informational() {
            framing = self.framing(&head)?;
            if framing == Framing::UntilClose {
                *behind = Behind::Closed;
            }
        }
        put(wire, &head::spelled(&head, *behind)).await?;
        self.framing = framing;
        self.written = Some(head);
        Ok(())
    }

    fn framing(&self, head: &ResponseHeader) -> pingora::Result<Framing> {
        let method = if self.asks_for_head { Method::HEAD } else { Method::GET };
        if !may_have_a_body(head, &method) {
            return Ok(Framing::Done);
        }
        if head.headers.contains_key(header::TRANSFER_ENCODING) {
            return Ok(Framing::Chunked);
        }
        let Some(length) = head.headers.get(header::CONTENT_LENGTH) else {
            return Ok(Framing::UntilClose);
        };
        let length = length.to_str().ok().and_then(|length| length.parse().ok());
        length.map(Framing::Length).ok_or_else(|| odd("a length that is no number"))
    }

    async fn piece(&mut self, wire: &mut dyn Opened, piece: &[u8]) -> pingora::Result<()> {
        if piece.is_empty() {
            return Ok(());
        }
        match &mut self.framing {
            Framing::Chunked => {
                put(wire, format!("{:x}\r\n", piece.len()).as_bytes()).await?;
                put(wire, piece).await?;
                put(wire, b"\r\n").await?;
            }
            // To a question for the head alone.
            Framing::Done => return Ok(()),
            Framing::Length(left) => {
                let rest = left.checked_sub(piece.len() as u64);
                *left = rest.ok_or_else(|| odd("more of a body than its head has promised"))?;
                put(wire, piece).await?;
            }
            Framing::Unsaid => return Err(odd("a body without a head")),
            Framing::UntilClose => put(wire, piece).await?,
        }
        self.bytes += piece.len();
        Ok(())
    }

    async fn end(&mut self, wire: &mut dyn Opened) -> pingora::Result<()> {
        match std::mem::replace(&mut self.framing, Framing::Done) {
            Framing::Chunked => put(wire, b"0\r\n\r\n").await,
            Framing::Length(left) if left > 0 => {
                Err(odd("less of a body than its head has promised"))
            }
            Framing::Done | Framing::Length(_) | Framing::UntilClose => Ok(()),
            Framing::Unsaid => Err(odd("an answer without a head")),
        }
    }
}

async fn put(wire: &mut dyn Opened, bytes: &[u8]) -> pingora::Result<()> {
    let written = wire.write_all(bytes).await;
    written.or_err(ErrorType::WriteError, "writing an answer").map_err(|error| error.into_down())
}

fn odd(what: &'static str) -> Box<Error> {
    Error::explain(ErrorType::WriteError, what)
}
