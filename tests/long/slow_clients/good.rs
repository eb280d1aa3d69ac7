//! Clients that behave, all the while: how long each of their requests takes.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::crowd::connected;
use crate::setting::ask;

/// They ask until they are told to stop.
pub struct Good {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Option<Duration>>>,
}

impl Good {
    pub fn start(to: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = stop.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let mut clients = JoinSet::new();
                for number in 0..CLIENTS {
                    clients.spawn(client(number, to, stopping.clone()));
                }
                clients.join_all().await.into_iter().flatten().collect()
            })
        });
        Self { stop, thread }
    }

    /// How long each took, sorted, and how many were not served.
    pub fn stop(self) -> (Vec<Duration>, usize) {
        self.stop.store(true, Ordering::Relaxed);
        let outcomes = self.thread.join().unwrap();
        let lost = outcomes.iter().filter(|outcome| outcome.is_none()).count();
        let mut took: Vec<Duration> = outcomes.into_iter().flatten().collect();
        took.sort_unstable();
        (took, lost)
    }
}

/// Every second one keeps its connection, the others come anew each time.
async fn client(number: u32, to: SocketAddr, stop: Arc<AtomicBool>) -> Vec<Option<Duration>> {
    let mut outcomes = Vec::new();
    let mut due = Instant::now() + PAUSE / CLIENTS * number;
    let mut kept = None;
    while !stop.load(Ordering::Relaxed) {
        sleep_until(due).await;
        let begin = Instant::now();
        let mut stream = match kept.take() {
            Some(stream) => Some(stream),
            None => connected(FROM, to, None).await,
        };
        let answer = match &mut stream {
            Some(stream) => ask(stream).await,
            None => None,
        };
        let served = answer.is_some_and(|answer| answer.status == 200);
        outcomes.push(served.then(|| begin.elapsed()));
        let goes_on = answer.is_some_and(|answer| !answer.last) && number.is_multiple_of(2);
        kept = stream.filter(|_| served && goes_on);
        due += PAUSE;
    }
    outcomes
}

/// 400 requests a second.
const CLIENTS: u32 = 8;
const PAUSE: Duration = Duration::from_millis(20);
const FROM: Ipv4Addr = Ipv4Addr::new(127, 200, 0, 1);
