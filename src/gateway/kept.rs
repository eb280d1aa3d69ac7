//! Connections to apps between two requests, where pingora's own pool cannot keep them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::cord::Cord;

/// Which connections may stand for one another: the number of a server, and the address its name
/// led to.
pub(super) type Way = (u64, Option<SocketAddr>);

struct Kept {
    stream: Cord,
    until: Instant,
}

/// A thread's own: connections are woken by the runtime they were made in.
#[derive(Default)]
struct Shelf {
    /// By their ways; those of a way all of whose connections are in use are none, until the next look.
    kept: HashMap<Way, Vec<Kept>, BuildHasherDefault<Number>>,
    count: usize,
    is_swept: bool,
}

thread_local! {
    static SHELF: RefCell<Shelf> = RefCell::default();
}

/// Keeps a connection on which nothing is under way, for `most` or [`IDLE`].
pub(super) fn give(way: Way, stream: Cord, most: Duration) {
    let until = Instant::now() + most.min(IDLE);
    let begins = SHELF.with_borrow_mut(|shelf| {
        if shelf.count < MOST {
            shelf.kept.entry(way).or_default().push(Kept { stream, until });
            shelf.count += 1;
        }
        !std::mem::replace(&mut shelf.is_swept, true)
    });
    if begins {
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(sweep())),
            Err(_) => SHELF.with_borrow_mut(|shelf| shelf.is_swept = false),
        }
    }
}

/// The connection that was given last and is still open.
pub(super) fn take(way: Way) -> Option<Cord> {
    SHELF.with_borrow_mut(|shelf| {
        let Shelf { kept, count, .. } = shelf;
        let kept = kept.get_mut(&way)?;
        while let Some(mut last) = kept.pop() {
            *count -= 1;
            // Nothing may come on a connection that was asked for nothing.
            if Instant::now() < last.until && last.stream.is_silent() {
                return Some(last.stream);
            }
        }
        None
    })
}

impl Shelf {
    /// Closes what is too old or talks unasked, as far as the runtime has heard.
    fn sweep(&mut self) {
        let now = Instant::now();
        self.kept.retain(|_, kept| {
            kept.retain_mut(|one| now < one.until && one.stream.is_pending());
            !kept.is_empty()
        });
        self.count = self.kept.values().map(Vec::len).sum();
    }
}

/// Looks after all of them, for as long as anything is kept.
async fn sweep() {
    loop {
        sleep(BETWEEN).await;
        let empty = SHELF.with_borrow_mut(|shelf| {
            shelf.sweep();
            shelf.is_swept = shelf.count > 0;
            !shelf.is_swept
        });
        if empty {
            return;
        }
    }
}

/// A server's number is a digest already; what else is in a way is left to comparing.
#[derive(Default)]
struct Number(u64);

impl Hasher for Number {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _address: &[u8]) {}

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// How long a connection that nobody uses is kept.
pub(super) const IDLE: Duration = Duration::from_secs(60);
/// Between two looks at all of them.
const BETWEEN: Duration = Duration::from_secs(10);
/// Of each thread. Each was wanted at once with all the others within [`IDLE`]; with fewer kept, a worker
/// with more requests on their way than that would connect anew for the rest of them, again and again.
const MOST: usize = 4096;

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn pair(listener: &TcpListener) -> (TcpStream, TcpStream) {
        let ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (ours, listener.accept().await.unwrap().0)
    }

    #[tokio::test]
    async fn the_last_one_comes_back_first_and_only_on_its_own_way() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().ok();
        let (first, _app) = pair(&listener).await;
        let (second, _app) = pair(&listener).await;
        let names = [&first, &second].map(|stream| stream.local_addr().unwrap());
        give((1, address), Cord::Plain(first), IDLE);
        give((1, address), Cord::Plain(second), IDLE);
        assert!(take((2, address)).is_none());
        for name in names.into_iter().rev() {
            let Some(Cord::Plain(kept)) = take((1, address)) else { panic!("it was kept") };
            assert_eq!(kept.local_addr().unwrap(), name);
        }
        assert!(take((1, address)).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn as_many_are_kept_as_were_wanted_at_once_and_the_idle_are_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let way = |server| (server, None);
        let mut apps = Vec::new();
        for server in 0..600 {
            let (ours, app) = pair(&listener).await;
            give(way(server % 3), Cord::Plain(ours), IDLE);
            apps.push(app);
        }
        assert_eq!(SHELF.with_borrow(|shelf| shelf.count), 600);
        let taken: Vec<_> = std::iter::from_fn(|| take(way(1))).collect();
        assert_eq!(taken.len(), 200);
        // Left by its app, and nobody asked for it.
        drop(apps.remove(0));
        taken.into_iter().for_each(|cord| give(way(1), cord, IDLE));
        assert_eq!(SHELF.with_borrow(|shelf| shelf.count), 600);
        sleep(BETWEEN).await;
        tokio::task::yield_now().await;
        assert_eq!(SHELF.with_borrow(|shelf| shelf.count), 599);
        sleep(IDLE).await;
        tokio::task::yield_now().await;
        let left = SHELF.with_borrow(|shelf| (shelf.count, shelf.kept.len(), shelf.is_swept));
        assert_eq!(left, (0, 0, false));
    }

    #[tokio::test]
    async fn one_that_was_closed_or_talks_unasked_does_not_come_back() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let way = (1, listener.local_addr().ok());
        let (closed, app) = pair(&listener).await;
        drop(app);
        let (talking, mut app) = pair(&listener).await;
        app.write_all(b"HTTP/1.1 408 Request Timeout\r\n\r\n").await.unwrap();
        for stream in [closed, talking] {
            stream.readable().await.unwrap();
            give(way, Cord::Plain(stream), IDLE);
        }
        assert!(take(way).is_none());
    }

    #[tokio::test]
    async fn what_the_runtime_has_not_heard_of_yet_is_seen_all_the_same() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let way = (1, listener.local_addr().ok());
        for word in [&b"HTTP/1.1 200 OK\r\n\r\n"[..], b""] {
            let (mut ours, mut app) = pair(&listener).await;
            app.write_all(b"all").await.unwrap();
            ours.read_exact(&mut [0; 3]).await.unwrap();
            let mut app = app.into_std().unwrap();
            give(way, Cord::Plain(ours), IDLE);
            // Without a turn for the runtime from here on.
            std::io::Write::write_all(&mut app, word).unwrap();
            drop(app);
            assert!(take(way).is_none(), "{word:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn none_is_kept_longer_than_its_app_keeps_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let way = (1, listener.local_addr().ok());
        for (most, wait, is_kept) in [(4, 3, true), (4, 5, false), (99, 59, true), (99, 61, false)]
        {
            let (ours, _app) = pair(&listener).await;
            give(way, Cord::Plain(ours), Duration::from_secs(most));
            tokio::time::advance(Duration::from_secs(wait)).await;
            assert_eq!(take(way).is_some(), is_kept, "{most} {wait}");
        }
    }
}
