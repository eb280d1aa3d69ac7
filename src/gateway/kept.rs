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
    since: Instant,
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

/// Keeps a connection on which nothing is under way, for [`IDLE`] at most.
pub(super) fn give(way: Way, stream: Cord) {
    let begins = SHELF.with_borrow_mut(|shelf| {
        if shelf.kept.len() < MOST {
            shelf.kept.push(Kept { way, stream, since: Instant::now() });
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
        self.since.elapsed() < IDLE && self.stream.is_silent()
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
    use tokio::io::AsyncWriteExt as _;
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
        give((1, address), Cord::Plain(first));
        give((1, address), Cord::Plain(second));
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
            give(way, Cord::Plain(stream));
        }
        assert!(take(way).is_none());
    }
}
