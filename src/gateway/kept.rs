//! Connections to apps between two requests, where pingora's own pool cannot keep them.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::cord::Cord;

/// Which connections may stand for one another: the number of a server, and the address its name
/// led to.
pub(super) type Way = (u64, Option<SocketAddr>);

struct Kept {
    way: Way,
    stream: Cord,
    until: Instant,
}

/// A thread's own: connections are woken by the runtime they were made in.
#[derive(Default)]
struct Shelf {
    kept: Vec<Kept>,
    is_swept: bool,
}

thread_local! {
    static SHELF: RefCell<Shelf> = RefCell::default();
}

/// Keeps a connection on which nothing is under way, for `most` or [`IDLE`].
pub(super) fn give(way: Way, stream: Cord, most: Duration) {
    let until = Instant::now() + most.min(IDLE);
    let begins = SHELF.with_borrow_mut(|shelf| {
        if shelf.kept.len() < MOST {
            shelf.kept.push(Kept { way, stream, until });
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
        while let Some(at) = shelf.kept.iter().rposition(|kept| kept.way == way) {
            let mut kept = shelf.kept.remove(at);
            if kept.is_good() {
                return Some(kept.stream);
            }
        }
        None
    })
}

impl Kept {
    /// Nothing may come on a connection that was asked for nothing.
    fn is_good(&mut self) -> bool {
        Instant::now() < self.until && self.stream.is_silent()
    }
}

/// Closes what is not good any more, for as long as anything is kept.
async fn sweep() {
    loop {
        sleep(BETWEEN).await;
        let empty = SHELF.with_borrow_mut(|shelf| {
            shelf.kept.retain_mut(Kept::is_good);
            shelf.is_swept = !shelf.kept.is_empty();
            shelf.kept.is_empty()
        });
        if empty {
            return;
        }
    }
}

/// How long a connection that nobody uses is kept.
pub(super) const IDLE: Duration = Duration::from_secs(60);
/// Between two looks at all of them.
const BETWEEN: Duration = Duration::from_secs(10);
/// Of each thread.
const MOST: usize = 512;

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
