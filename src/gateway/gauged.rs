//! A connection to an app that gives as much as the client's side takes.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pingora::protocols::l4::virt::{VirtualSockOpt, VirtualSocket};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::cord::Cord;
use super::flow::Flow;
use super::kept;

/// Goes back to where connections are kept, if pingora would keep it.
#[derive(Debug)]
pub(super) struct Returning {
    /// Taken out by its drop alone.
    gauged: Option<Gauged<Cord>>,
    /// Where it is kept afterwards, if it may be.
    way: Option<kept::Way>,
    is_good: bool,
}

/// Reads wait while there is no [`Flow::room`]. What is read need not be a piece of the answer: it
/// may be a part of a chunk's head, and then nobody takes it. So a little is read all the same,
/// after [`PATIENCE`], and the next after twice as long.
#[derive(Debug)]
pub(super) struct Gauged<S> {
    inner: S,
    flow: Arc<Flow>,
    /// How long the app may say nothing.
    silence: Duration,
    asked: Option<Instant>,
    paused: Option<Instant>,
    /// How long until a little is read all the same.
    patience: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Returning {
    pub(super) fn new(
        stream: Cord,
        flow: Arc<Flow>,
        silence: Duration,
        way: Option<kept::Way>,
    ) -> Self {
        Self { gauged: Some(Gauged::new(stream, flow, silence)), way, is_good: false }
    }

    fn gauged(&mut self) -> &mut Gauged<Cord> {
        self.gauged.as_mut().expect("it is there until the drop")
    }
}

impl Drop for Returning {
    fn drop(&mut self) {
        let good = self.gauged.take().filter(|_| self.is_good);
        good.zip(self.way).into_iter().for_each(|(gauged, way)| kept::give(way, gauged.inner));
    }
}

impl AsyncRead for Returning {
    /// Behind a whole answer pingora reads one byte, and keeps the connection if there is none. It
    /// hears that there is an end, and lets go; everything else it reads, it reads with more room
    /// (4 KiB for a header, 64 KiB for a body).
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let looks = buffer.remaining() == 1 && self.gauged().flow.has_begun();
        if !looks {
            return Pin::new(self.gauged()).poll_read(context, buffer);
        }
        let read = Pin::new(&mut self.gauged().inner).poll_read(context, buffer);
        self.is_good = read.is_pending();
        if read.is_pending() { Poll::Ready(Ok(())) } else { read }
    }
}

impl AsyncWrite for Returning {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Gauged { inner, flow, .. } = self.gauged();
        let written = Pin::new(inner).poll_write(context, bytes);
        if written.is_pending() {
            // Whoever writes to an app that takes nothing has to hear of the end, too.
            flow.waits(context);
        }
        match flow.is_over() {
            true => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            false => written,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.gauged().inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.is_good = false;
        Pin::new(&mut self.gauged().inner).poll_shutdown(context)
    }
}

impl VirtualSocket for Returning {
    /// Set when it was connected, and once is enough.
    fn set_socket_option(&self, _option: VirtualSockOpt) -> io::Result<()> {
        Ok(())
    }
}

impl<S> Gauged<S> {
    pub(super) fn new(inner: S, flow: Arc<Flow>, silence: Duration) -> Self {
        Self { inner, flow, silence, asked: None, paused: None, patience: PATIENCE, timer: None }
    }

    fn poll_passed(&mut self, context: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() > deadline {
            timer.as_mut().reset(deadline);
        }
        loop {
            ready!(timer.as_mut().poll(context));
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
    }

    /// How much may be read; ready once it is something.
    fn poll_room(&mut self, context: &mut Context<'_>) -> Poll<usize> {
        let room = self.flow.room();
        if room > 0 {
            (self.paused, self.patience) = (None, PATIENCE);
            return Poll::Ready(room);
        }
        self.flow.waits(context);
        self.asked = None;
        let since = *self.paused.get_or_insert_with(Instant::now);
        ready!(self.poll_passed(context, since + self.patience));
        (self.paused, self.patience) = (None, (self.patience * 2).min(LONGEST));
        Poll::Ready(A_LITTLE)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gauged<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.flow.is_over() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let room = ready!(this.poll_room(context));
        let before = buffer.filled().len();
        let mut bounded = (&mut this.inner).take(room as u64);
        if let Poll::Ready(read) = Pin::new(&mut bounded).poll_read(context, buffer) {
            this.asked = None;
            this.flow.read(buffer.filled().len() - before);
            return Poll::Ready(read);
        }
        this.flow.waits(context);
        let since = *this.asked.get_or_insert_with(Instant::now);
        let Some(end) = since.checked_add(this.silence) else { return Poll::Pending };
        ready!(this.poll_passed(context, end));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

/// How long nobody may take what was read, until a little more is, the first time and at most.
const PATIENCE: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(2);
/// Bytes: few beside what waits.
const A_LITTLE: usize = 1 << 10;

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};

    use super::super::flow::{LEAST, MOST};
    use super::super::line::Line;
    use super::*;

    fn pair(line: &Line) -> (Gauged<DuplexStream>, DuplexStream, Arc<Flow>) {
        let (ours, app) = duplex(1 << 20);
        let flow = line.flow();
        (Gauged::new(ours, flow.clone(), Duration::from_secs(60)), app, flow)
    }

    async fn read(gauged: &mut Gauged<DuplexStream>) -> usize {
        gauged.read(&mut vec![0; 1 << 18]).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_piece_is_read_when_the_one_before_was_taken() {
        let (mut gauged, mut app, flow) = pair(&Line::to(None));
        app.write_all(&vec![0; 1 << 20]).await.unwrap();
        let began = Instant::now();
        for _ in 0..4 {
            assert_eq!(read(&mut gauged).await, MOST);
            flow.goes_on();
        }
        assert!(began.elapsed() < PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_takes_is_followed_by_a_little_now_and_then() {
        let (mut gauged, mut app, flow) = pair(&Line::to(None));
        app.write_all(&vec![0; 1 << 20]).await.unwrap();
        assert_eq!(read(&mut gauged).await, MOST);
        for wait in [1, 2, 4, 8, 16, 32, 64, 100, 100].map(|times| PATIENCE * times) {
            let began = Instant::now();
            assert_eq!(read(&mut gauged).await, A_LITTLE);
            assert!(began.elapsed() >= wait && began.elapsed() < wait + PATIENCE, "{wait:?}");
        }
        flow.goes_on();
        assert_eq!(read(&mut gauged).await, MOST);
        let began = Instant::now();
        assert_eq!(read(&mut gauged).await, A_LITTLE);
        assert!(began.elapsed() < PATIENCE * 2, "and what was taken is waited for anew");
    }

    #[tokio::test(start_paused = true)]
    async fn of_many_answers_at_a_time_each_has_less() {
        let line = Line::to(None);
        let (mut gauged, mut app, flow) = pair(&line);
        app.write_all(&vec![0; 1 << 20]).await.unwrap();
        let others: Vec<_> = (0..100).map(|_| line.enter()).collect();
        assert_eq!(read(&mut gauged).await, LEAST);
        drop(others);
        flow.goes_on();
        assert_eq!(read(&mut gauged).await, MOST);
    }

    #[tokio::test(start_paused = true)]
    async fn what_an_answer_alone_holds_is_half_as_much() {
        let (ours, mut app) = duplex(1 << 20);
        let flow = Arc::new(Flow::alone());
        let mut gauged = Gauged::new(ours, flow.clone(), Duration::from_secs(60));
        app.write_all(&vec![0; 1 << 20]).await.unwrap();
        for _ in 0..2 {
            assert_eq!(read(&mut gauged).await, MOST / 2);
            flow.goes_on();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_whose_time_is_over_ends_though_the_app_is_silent() {
        let line = Line::to(None);
        let (mut gauged, _app, _flow) = pair(&line);
        let ending = async {
            tokio::task::yield_now().await;
            line.farewell();
        };
        let mut room = [0; 9];
        let (read, ()) = tokio::join!(gauged.read(&mut room), ending);
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_apps_own_silence_is_counted() {
        let (mut gauged, mut app, flow) = pair(&Line::to(None));
        app.write_all(&vec![0; MOST]).await.unwrap();
        assert_eq!(read(&mut gauged).await, MOST);
        let late = tokio::time::timeout(Duration::from_secs(30), read(&mut gauged)).await;
        assert!(late.is_err());
        flow.goes_on();
        let began = Instant::now();
        let failed = gauged.read(&mut [0; 99]).await.unwrap_err();
        assert_eq!(failed.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), 60);
    }
}
