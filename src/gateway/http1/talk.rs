//! One request and its answer on a connection of HTTP/1.1.

use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{Method, StatusCode};
use pingora::{Error, ErrorType, RetryType};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

use super::super::cord::Cord;
use super::super::kept;
use super::super::talk::{End, MOST_EARLY, Part, Rest, Step, Talk, Wants};
use super::connecting::{Connection, keep};
use super::framing::{Afterwards, Body};
use super::head;
use super::upload::{Asked, Upload};

/// Both directions on one connection, which is kept afterwards where nothing speaks against it.
pub(in crate::gateway) struct Talking<S = Cord> {
    stream: S,
    way: Option<kept::Way>,
    upload: Upload,
    /// Why the app takes no more of the request.
    broken: Option<io::Error>,
    input: BytesMut,
    answer: Answer,
    method: Method,
    /// Heads before the answer's own.
    early: usize,
    afterwards: Afterwards,
    /// Some of the request was sent after the answer was over: whether the app is done with both, nobody
    /// knows.
    is_behind: bool,
}

/// What of the answer is next.
#[derive(Debug)]
enum Answer {
    Head,
    Body(Body),
    Over,
}

impl Talking {
    /// One that begins on `connection`.
    pub(in crate::gateway) fn begin(connection: Connection, asked: Asked) -> Self {
        Self::on(connection.into_parts(), asked)
    }

    /// Gives the connection back to where it is kept, if it is good for another request.
    pub(in crate::gateway) fn ends(self) {
        if let (true, Afterwards::Kept(most)) = (self.is_good(), self.afterwards) {
            keep(self.stream, self.way, most);
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talking<S> {
    fn on((stream, way): (S, Option<kept::Way>), asked: Asked) -> Self {
        Self {
            stream,
            way,
            upload: asked.upload,
            broken: None,
            input: BytesMut::new(),
            answer: Answer::Head,
            method: asked.method,
            early: 0,
            afterwards: Afterwards::Closed,
            is_behind: false,
        }
    }

    /// Whether the app has said all it was asked for and heard all it was told.
    fn is_good(&self) -> bool {
        matches!(self.answer, Answer::Over)
            && self.afterwards != Afterwards::Closed
            && self.upload.is_sent()
            && !self.is_behind
            && self.input.is_empty()
    }

    /// Sends what can be sent now, without waiting.
    pub(in crate::gateway) async fn sends(&mut self) {
        std::future::poll_fn(|context| {
            let _later = self.poll_sent(context);
            Poll::Ready(())
        })
        .await;
    }

    fn poll_sent(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Err(error) = ready!(self.upload.poll_sent(&mut self.stream, context)) {
            // It may have said why before it closed.
            self.broken = Some(error);
            self.upload.is_unwanted();
        }
        Poll::Ready(())
    }

    /// Reads `room` bytes at most; `false` at the connection's end.
    fn poll_more(&mut self, context: &mut Context<'_>, room: usize) -> Poll<pingora::Result<bool>> {
        let read = match self.answer {
            Answer::Head => ready!(self.poll_head(context)),
            Answer::Body(_) | Answer::Over => {
                self.input.reserve(room);
                let mut limited = (&mut self.input).limit(room);
                let read = pin!(self.stream.read_buf(&mut limited));
                ready!(read.poll(context))
            }
        };
        Poll::Ready(read.map(|count| count > 0).map_err(|error| self.failed(Some(error))))
    }

    /// Reads what comes of the head, and with it. An app that thinks takes no memory meanwhile.
    fn poll_head(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut scratch = [MaybeUninit::uninit(); HEAD];
        let mut read = ReadBuf::uninit(&mut scratch);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut read))?;
        self.input.extend_from_slice(read.filled());
        Poll::Ready(Ok(read.filled().len()))
    }

    /// The next part of the answer in what has come.
    fn part(&mut self) -> pingora::Result<Option<Part>> {
        match &mut self.answer {
            Answer::Head => self.head(),
            Answer::Over => Ok(Some(Part::End)),
            Answer::Body(body) => {
                let part = body.next(&mut self.input)?;
                if let Some(Part::End | Part::Piece(_, Rest::Nothing)) = &part {
                    self.answer = Answer::Over;
                }
                Ok(part)
            }
        }
    }

    fn head(&mut self) -> pingora::Result<Option<Part>> {
        if self.input.is_empty() {
            return Ok(None);
        }
        let Some(mut head) = head::taken(&mut self.input)? else { return Ok(None) };
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(odd("a 101 that nobody asked for"));
        }
        if head.status.is_informational() {
            self.early += 1;
            return match self.early > MOST_EARLY {
                true => Err(odd("more heads than any answer has")),
                false => Ok(Some(Part::Informational(head))),
            };
        }
        let (body, afterwards) = Body::of(&mut head, &self.method)?;
        self.afterwards = afterwards;
        let is_over = body.is_over();
        self.answer = if is_over { Answer::Over } else { Answer::Body(body) };
        let rest = if is_over { Rest::Nothing } else { Rest::Comes };
        Ok(Some(Part::Head(head, rest)))
    }

    /// The connection has ended.
    fn end(&mut self) -> pingora::Result<Part> {
        match &self.answer {
            Answer::Body(body) if body.ends_with_the_connection() => {
                self.answer = Answer::Over;
                Ok(Part::End)
            }
            _ => Err(self.failed(None)),
        }
    }

    /// Why the answer does not come. Where nothing of it has, on a connection that was used before, the
    /// app may not have seen the request.
    fn failed(&mut self, error: Option<io::Error>) -> Box<Error> {
        let before =
            matches!(self.answer, Answer::Head) && self.input.is_empty() && self.early == 0;
        let closed = "the app closed its connection";
        let mut failed = match (self.broken.take(), error) {
            (Some(error), _) => Error::because(ErrorType::WriteError, "asking the app", error),
            (None, Some(error)) => Error::because(ErrorType::ReadError, "hearing the app", error),
            (None, None) => Error::explain(ErrorType::ConnectionClosed, closed),
        };
        if before {
            failed.retry = RetryType::ReusedOnly;
        }
        failed.into_up()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk for Talking<S> {
    fn wants(&self) -> Wants {
        self.upload.wants()
    }

    fn give(&mut self, piece: Option<Bytes>, end: End) -> pingora::Result<()> {
        self.upload.give(piece, end)
    }

    fn poll_step(&mut self, context: &mut Context<'_>, room: usize) -> Poll<pingora::Result<Step>> {
        if self.upload.has_to_go() && self.poll_sent(context).is_ready() {
            return Poll::Ready(Ok(Step::Sent));
        }
        loop {
            if let Some(part) = self.part()? {
                return Poll::Ready(Ok(Step::Answer(part)));
            }
            if !ready!(self.poll_more(context, room))? {
                return Poll::Ready(self.end().map(Step::Answer));
            }
        }
    }

    fn at_hand(&mut self) -> pingora::Result<Option<Part>> {
        match self.answer {
            Answer::Over => Ok(None),
            Answer::Head | Answer::Body(_) => self.part(),
        }
    }

    /// An app that closes its connection behind its answer reads no more.
    fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<Wants> {
        self.is_behind = true;
        let reads_on = self.afterwards != Afterwards::Closed;
        if reads_on && self.upload.has_to_go() {
            ready!(self.poll_sent(context));
        }
        Poll::Ready(match &self.broken {
            None if reads_on => self.upload.wants(),
            _ => Wants::Nothing,
        })
    }

    /// What is not taken is not read on.
    fn was_taken(&mut self, _bytes: usize) {}
}

fn odd(what: &'static str) -> Box<Error> {
    Error::explain(ErrorType::InvalidHTTPHeader, what).into_up()
}

/// Bytes read at a time until the head is whole.
const HEAD: usize = 8 << 10;

#[cfg(test)]
mod tests {
    use http::{Request, request};
    use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};

    use super::super::super::outbound::Outbound;
    use super::super::upload::With;
    use super::*;

    const WHOLE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";

    fn asked(request: request::Builder, with: With) -> Asked {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        Asked::of(Outbound::whole(&parts), with).unwrap()
    }

    fn begun(method: &str, with: With) -> (Talking<DuplexStream>, DuplexStream) {
        let (ours, app) = duplex(1 << 20);
        (Talking::on((ours, None), asked(Request::builder().method(method), with)), app)
    }

    async fn step(talk: &mut Talking<DuplexStream>, room: usize) -> pingora::Result<Step> {
        std::future::poll_fn(|context| talk.poll_step(context, room)).await
    }

    /// The body of the answer.
    async fn answered(talk: &mut Talking<DuplexStream>) -> pingora::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            match step(talk, 64).await? {
                Step::Answer(Part::End | Part::Head(_, Rest::Nothing)) => return Ok(body),
                Step::Answer(Part::Piece(piece, rest)) => {
                    body.extend_from_slice(&piece);
                    if rest == Rest::Nothing {
                        return Ok(body);
                    }
                }
                Step::Answer(_) | Step::Sent => {}
            }
        }
    }

    async fn said(app: &mut DuplexStream) -> String {
        let mut heard = vec![0; 1 << 16];
        let count = app.read(&mut heard).await.unwrap();
        String::from_utf8(heard[..count].to_vec()).unwrap()
    }

    #[tokio::test]
    async fn of_an_answer_no_more_is_read_than_there_is_room_for() {
        let (mut talk, mut app) = begun("GET", With::NoBody);
        talk.sends().await;
        assert_eq!(said(&mut app).await, "GET / HTTP/1.1\r\n\r\n");
        app.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").await.unwrap();
        let Ok(Step::Answer(Part::Head(_, Rest::Comes))) = step(&mut talk, 1_000).await else {
            panic!("the head is there")
        };
        app.write_all(&vec![b'x'; 100_000]).await.unwrap();
        for _ in 0..100 {
            let Ok(Step::Answer(Part::Piece(piece, _))) = step(&mut talk, 1_000).await else {
                panic!("a piece is there")
            };
            assert_eq!(piece.len(), 1_000);
            assert!(talk.at_hand().unwrap().is_none(), "nothing is read ahead");
        }
        assert!(talk.is_good() || talk.afterwards == Afterwards::Closed);
    }

    #[tokio::test]
    async fn a_connection_is_kept_after_a_whole_answer_to_a_whole_request() {
        for (method, with, answer, kept) in [
            ("GET", With::NoBody, WHOLE, true),
            ("HEAD", With::NoBody, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true),
            ("GET", With::NoBody, "HTTP/1.1 304 Not Modified\r\n\r\n", true),
            (
                "GET",
                With::NoBody,
                "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\
                 Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n",
                true,
            ),
            // More than was asked for.
            ("GET", With::NoBody, &format!("{WHOLE}HTTP/1.1 200 OK\r\n"), false),
            ("HEAD", With::NoBody, WHOLE, false),
            ("GET", With::NoBody, "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", false),
            (
                "GET",
                With::NoBody,
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                false,
            ),
            // Before all of the request was sent.
            ("POST", With::ABody, WHOLE, false),
        ] {
            let (mut talk, mut app) = begun(method, with);
            talk.sends().await;
            app.write_all(answer.as_bytes()).await.unwrap();
            answered(&mut talk).await.unwrap();
            // What came with the answer's last bytes is known by now.
            assert_eq!(talk.is_good(), kept, "{method} {answer:?}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_is_none() {
        for (answer, kind) in [
            ("", ErrorType::ConnectionClosed),
            ("HTTP/1.1 200 OK\r\nContent-Le", ErrorType::ConnectionClosed),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", ErrorType::ConnectionClosed),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
                ErrorType::ConnectionClosed,
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxy\r\nx",
                ErrorType::InvalidHTTPHeader,
            ),
            ("HTTP/1.1 101 Switching Protocols\r\n\r\n", ErrorType::InvalidHTTPHeader),
            (&"HTTP/1.1 102 Processing\r\n\r\n".repeat(33), ErrorType::InvalidHTTPHeader),
            ("SSH-2.0-x\r\n", ErrorType::InvalidHTTPHeader),
        ] {
            let (mut talk, mut app) = begun("GET", With::NoBody);
            talk.sends().await;
            app.write_all(answer.as_bytes()).await.unwrap();
            drop(app);
            let failed = answered(&mut talk).await.unwrap_err();
            assert_eq!(*failed.etype(), kind, "{answer:?}");
            let unseen = matches!(failed.retry, RetryType::ReusedOnly);
            assert_eq!(unseen, answer.is_empty(), "{answer:?}");
        }
        let (mut talk, mut app) = begun("GET", With::NoBody);
        talk.sends().await;
        app.write_all(b"HTTP/1.1 200 OK\r\n\r\nuntil the end").await.unwrap();
        drop(app);
        assert_eq!(answered(&mut talk).await.unwrap(), b"until the end");
    }

    #[tokio::test]
    async fn a_body_is_framed_as_its_head_says() {
        let (mut talk, mut app) = begun("POST", With::ABody);
        assert_eq!(talk.wants(), Wants::Room);
        talk.sends().await;
        for (piece, end) in [("hello", End::Later), ("", End::Later), ("!", End::Now)] {
            assert_eq!(talk.wants(), Wants::Piece);
            talk.give(Some(Bytes::from(piece)), end).unwrap();
            talk.sends().await;
        }
        assert_eq!(talk.wants(), Wants::Nothing);
        let chunked = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n\
                       5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n";
        assert_eq!(said(&mut app).await, chunked);

        let of = |length: &str| {
            let (ours, app) = duplex(1 << 20);
            let request = Request::post("/").header("content-length", length);
            (Talking::on((ours, None), asked(request, With::ABody)), app)
        };
        let (mut talk, mut app) = of("6");
        talk.give(Some(Bytes::from("hello")), End::Later).unwrap();
        talk.sends().await;
        talk.give(Some(Bytes::from("!")), End::Now).unwrap();
        talk.sends().await;
        let sent = "POST / HTTP/1.1\r\ncontent-length: 6\r\n\r\nhello!";
        assert_eq!(said(&mut app).await, sent);
        let (mut long, _app) = of("4");
        assert!(long.give(Some(Bytes::from("hello")), End::Later).is_err());
        let (mut short, _app) = of("6");
        assert!(short.give(Some(Bytes::from("hello")), End::Now).is_err());
    }

    #[tokio::test]
    async fn a_large_piece_goes_as_it_is_between_the_lines_of_its_chunk() {
        let (mut talk, mut app) = begun("POST", With::ABody);
        talk.give(Some(Bytes::from(vec![b'x'; 20_000])), End::Now).unwrap();
        talk.sends().await;
        let sent = said(&mut app).await;
        let (_, body) = sent.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, format!("4e20\r\n{}\r\n0\r\n\r\n", "x".repeat(20_000)));
        assert_eq!(talk.wants(), Wants::Nothing);
    }

    #[tokio::test]
    async fn an_app_that_takes_no_more_of_a_body_is_heard_all_the_same() {
        let (mut talk, mut app) = begun("POST", With::ABody);
        talk.sends().await;
        app.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno").await.unwrap();
        drop(app);
        talk.give(Some(Bytes::from("hello")), End::Later).unwrap();
        assert_eq!(answered(&mut talk).await.unwrap(), b"no");
        assert_eq!(talk.wants(), Wants::Piece, "which nobody gets");
        assert!(!talk.is_good());
    }
}
