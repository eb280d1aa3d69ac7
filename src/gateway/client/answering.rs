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
    /// A part of it was begun and is not whole: whoever wrote it was stopped, or the client takes no more.
    is_torn: bool,
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
        Self { asks_for_head, framing: Framing::Unsaid, written: None, is_torn: false, bytes: 0 }
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
        if self.is_torn {
            // Nothing that follows would be read as what it is.
            return Err(odd("an answer that was torn"));
        }
        self.is_torn = true;
        self.part(wire, task, behind).await?;
        self.is_torn = false;
        Ok(())
    }

    async fn part(
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
    Error::explain(ErrorType::InternalError, what).into_in()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tokio::io::{AsyncReadExt as _, DuplexStream, duplex};

    use super::super::super::talk::Rest::{self, Comes, Nothing};
    use super::*;

    impl Opened for DuplexStream {
        fn take_header(&mut self) -> Bytes {
            Bytes::new()
        }
    }

    fn head(status: u16, fields: &[(&'static str, &'static str)], rest: Rest) -> HttpTask {
        let mut head = ResponseHeader::build(status, None).unwrap();
        for (name, value) in fields {
            head.append_header(*name, *value).unwrap();
        }
        HttpTask::Header(Box::new(head), rest == Rest::Nothing)
    }

    fn piece(text: &'static str, rest: Rest) -> HttpTask {
        HttpTask::Body(Some(Bytes::from_static(text.as_bytes())), rest == Rest::Nothing)
    }

    /// What goes out behind its head, and what becomes of the connection.
    async fn answered(method: Method, tasks: Vec<HttpTask>) -> pingora::Result<(String, Behind)> {
        let (mut wire, mut client) = duplex(1 << 20);
        let (mut answering, mut behind) = (Answering::to(&method), Behind::Open);
        for task in tasks {
            answering.write(&mut wire, task, &mut behind).await?;
        }
        drop(wire);
        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();
        let (_, body) = text.rsplit_once("connection: ").unwrap();
        Ok((body.replace("keep-alive\r\n\r\n", "").replace("close\r\n\r\n", ""), behind))
    }

    #[tokio::test]
    async fn a_body_goes_as_its_head_says() {
        let chunked = [("Transfer-Encoding", "chunked")];
        let five = [("Content-Length", "5")];
        for (method, tasks, body, behind) in [
            (
                Method::GET,
                vec![head(200, &five, Comes), piece("hello", Nothing)],
                "hello",
                Behind::Open,
            ),
            (
                Method::GET,
                vec![
                    head(200, &chunked, Comes),
                    piece("hello", Comes),
                    piece("", Comes),
                    HttpTask::Done,
                ],
                "5\r\nhello\r\n0\r\n\r\n",
                Behind::Open,
            ),
            (
                Method::GET,
                vec![head(200, &[], Comes), piece("hello", Nothing)],
                "hello",
                Behind::Closed,
            ),
            (Method::HEAD, vec![head(200, &five, Nothing)], "", Behind::Open),
            (Method::GET, vec![head(304, &five, Nothing)], "", Behind::Open),
            (Method::GET, vec![head(204, &[], Nothing)], "", Behind::Open),
            (
                Method::GET,
                vec![head(103, &[], Comes), head(200, &five, Comes), piece("hello", Nothing)],
                "hello",
                Behind::Open,
            ),
        ] {
            assert_eq!(answered(method, tasks).await.unwrap(), (body.to_owned(), behind));
        }
    }

    #[tokio::test]
    async fn what_is_not_as_its_head_says_ends_the_answer() {
        let five = [("Content-Length", "5")];
        for tasks in [
            vec![head(200, &five, Comes), piece("hello!", Nothing)],
            vec![head(200, &five, Comes), piece("hell", Nothing)],
            vec![head(200, &[("Content-Length", "five")], Comes)],
            vec![piece("hello", Nothing)],
            vec![HttpTask::Done],
            vec![head(200, &five, Comes), head(200, &five, Comes)],
        ] {
            assert!(answered(Method::GET, tasks).await.is_err());
        }
    }

    #[tokio::test]
    async fn behind_a_part_that_was_torn_nothing_is_written() {
        let (mut wire, mut client) = duplex(8);
        let (mut answering, mut behind) = (Answering::to(&Method::GET), Behind::Open);
        {
            let first = answering.write(&mut wire, head(200, &[], Comes), &mut behind);
            let mut first = std::pin::pin!(first);
            let is_over = std::future::poll_fn(|context| {
                std::task::Poll::Ready(first.as_mut().poll(context).is_ready())
            });
            assert!(!is_over.await, "there is room for eight bytes");
        }
        let second = answering.write(&mut wire, head(401, &[], Nothing), &mut behind).await;
        assert!(second.is_err());
        drop(wire);
        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "HTTP/1.1");
    }
}
