//! One connection after another: kept up, replaced when it breaks, and never waited for too long.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Value};
use tokio::sync::{OnceCell, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::failure::{LinkFailed, breaks};
use super::server::Server;

/// How the link stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// The first connection, or the next after one that broke, is being made.
    Connecting,
    /// The last attempt failed; another is made every second at most.
    Down(LinkFailed),
    Up,
}

/// A command on its way.
pub(super) struct Errand {
    pub command: Cmd,
    /// How long it may take in all.
    pub patience: Duration,
    pub kept: Kept,
}

/// When a command counts as carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Once the server answers.
    InMemory,
    /// Once what it wrote is in the server's append-only file, where the server can tell: Redis 7.2.
    OnDisk,
}

/// The side of those who send commands.
#[derive(Clone)]
pub(super) struct Lanes {
    state: watch::Receiver<State>,
    /// The number of the last connection that is known to be broken.
    broken: watch::Sender<u64>,
    server: Arc<Server>,
    timeout: Duration,
}

/// The side of whoever keeps the connection up.
pub(super) struct Keeper {
    name: &'static str,
    server: Arc<Server>,
    state: watch::Sender<State>,
    broken: watch::Receiver<u64>,
    timeout: Duration,
}

#[derive(Clone)]
enum State {
    Connecting,
    Down(LinkFailed),
    Up(Lane),
}

/// A connection, and which one it is.
#[derive(Clone)]
struct Lane {
    connection: MultiplexedConnection,
    /// For what is to be on the server's disk, once there is such a thing: a server that is asked to
    /// say when it is answers nothing else on that connection meanwhile. It stands and falls with the
    /// other.
    slow: Arc<OnceCell<MultiplexedConnection>>,
    number: u64,
}

/// The two sides of one link; nothing happens until the keeper is run.
pub(super) fn lanes(name: &'static str, server: Server, timeout: Duration) -> (Lanes, Keeper) {
    let (state, states) = watch::channel(State::Connecting);
    let (broken, breakages) = watch::channel(0);
    let server = Arc::new(server);
    let lanes = Lanes { state: states, broken, server: server.clone(), timeout };
    (lanes, Keeper { name, server, state, broken: breakages, timeout })
}

impl Lanes {
    /// Sends a command and waits for its answer, for no longer than its patience in all. Where the
    /// connection turns out to be broken it is sent once more on the next: every command of ours
    /// may be carried out twice.
    pub async fn run(&self, errand: &Errand) -> Result<Value, LinkFailed> {
        let deadline = Instant::now() + errand.patience;
        match self.run_once(errand, deadline).await {
            Err(Attempt::Broken(_)) => {}
            Err(Attempt::Failed(failed)) => return Err(failed),
            Ok(value) => return Ok(value),
        }
        self.run_once(errand, deadline).await.map_err(|attempt| match attempt {
            // The first attempt may have come through.
            Attempt::Broken(failed) | Attempt::Failed(failed) => failed.unknown(),
        })
    }

    pub fn state(&self) -> LinkState {
        match &*self.state.borrow() {
            State::Connecting => LinkState::Connecting,
            State::Down(failed) => LinkState::Down(failed.clone()),
            State::Up(_) => LinkState::Up,
        }
    }

    /// Waits for a connection; `false` when there will be none any more.
    pub async fn up(&self) -> bool {
        self.state.clone().wait_for(|state| matches!(state, State::Up(_))).await.is_ok()
    }

    async fn run_once(&self, errand: &Errand, deadline: Instant) -> Result<Value, Attempt> {
        let mut lane = self.lane(deadline).await.map_err(Attempt::Failed)?;
        if errand.kept == Kept::OnDisk {
            lane.connection = self.slow(&lane, deadline).await.map_err(Attempt::Failed)?;
        }
        let value = self.send(&mut lane, &errand.command, deadline).await?;
        if errand.kept == Kept::OnDisk {
            // On the same connection: it is that connection's writes that are waited for.
            self.synced(&mut lane, deadline).await?;
        }
        Ok(value)
    }

    /// The connection beside the one of a lane.
    async fn slow(
        &self,
        lane: &Lane,
        deadline: Instant,
    ) -> Result<MultiplexedConnection, LinkFailed> {
        let made = lane.slow.get_or_try_init(|| self.server.connect());
        timeout_at(deadline, made).await.unwrap_or(Err(LinkFailed::TimedOut)).cloned()
    }

    async fn send(&self, lane: &mut Lane, command: &Cmd, until: Instant) -> Result<Value, Attempt> {
        let begun = Instant::now();
        let sent = self.sent(lane, command, until).await;
        // A command that began late proves nothing about the connection.
        if matches!(sent, Err(Attempt::Failed(LinkFailed::TimedOut)))
            && begun.elapsed() * 2 > self.timeout
        {
            self.give_up(lane.number);
        }
        sent
    }

    async fn sent(&self, lane: &mut Lane, command: &Cmd, until: Instant) -> Result<Value, Attempt> {
        match timeout_at(until, lane.connection.send_packed_command(command)).await {
            Ok(Ok(value)) => value.extract_error().map_err(|error| self.sorted(lane, &error)),
            Ok(Err(error)) => Err(self.sorted(lane, &error)),
            Err(_elapsed) => Err(Attempt::Failed(LinkFailed::TimedOut)),
        }
    }

    /// Waits until what was written over this connection is in the server's file. A server that
    /// cannot say so, or does not let us ask, has answered all it can.
    async fn synced(&self, lane: &mut Lane, until: Instant) -> Result<(), Attempt> {
        let left = until.saturating_duration_since(Instant::now()).as_millis();
        let mut wait = redis::cmd("WAITAOF");
        // One file, no replicas, and no longer than we would wait ourselves.
        wait.arg(1).arg(0).arg(u64::try_from(left).unwrap_or(u64::MAX).max(1));
        // A disk that is slow says nothing about the connection.
        match self.sent(lane, &wait, until).await {
            Ok(Value::Array(counts)) if counts.first() == Some(&Value::Int(0)) => {
                Err(Attempt::Failed(LinkFailed::TimedOut))
            }
            Ok(_) | Err(Attempt::Failed(LinkFailed::Answer(_) | LinkFailed::Refused(_))) => Ok(()),
            Err(other) => Err(other),
        }
    }

    fn sorted(&self, lane: &Lane, error: &redis::RedisError) -> Attempt {
        let failed = LinkFailed::of(error);
        if !breaks(error) {
            return Attempt::Failed(failed);
        }
        self.give_up(lane.number);
        Attempt::Broken(failed)
    }

    /// The connection of the hour. While the first attempt at one lasts, everybody waits for it;
    /// once one failed, nobody does.
    async fn lane(&self, deadline: Instant) -> Result<Lane, LinkFailed> {
        let broken = *self.broken.borrow();
        let mut state = self.state.clone();
        let usable = |state: &State| match state {
            State::Connecting => false,
            State::Down(_) => true,
            State::Up(lane) => lane.number > broken,
        };
        let waited = timeout_at(deadline, state.wait_for(usable)).await;
        match waited.map(|state| state.map(|state| state.clone())) {
            Ok(Ok(State::Up(lane))) => Ok(lane),
            Ok(Ok(State::Down(failed))) => Err(failed),
            Ok(Ok(State::Connecting)) | Err(_) => Err(LinkFailed::TimedOut),
            Ok(Err(_ended)) => Err(LinkFailed::Down("the link has ended".into())),
        }
    }

    fn give_up(&self, number: u64) {
        self.broken.send_if_modified(|broken| {
            let newer = number > *broken;
            *broken = number.max(*broken);
            newer
        });
    }
}

/// One try.
enum Attempt {
    /// The connection broke: another may do.
    Broken(LinkFailed),
    Failed(LinkFailed),
}

impl Keeper {
    /// Keeps a connection up until it is dropped.
    pub async fn run(mut self) {
        let (mut number, mut pause) = (0, Duration::ZERO);
        loop {
            sleep(pause).await;
            match self.server.connect().await {
                Ok(connection) => {
                    number += 1;
                    let since = Instant::now();
                    tracing::info!(link = self.name, "the link to redis is up");
                    let slow = Arc::default();
                    self.state.send_replace(State::Up(Lane { connection, slow, number }));
                    self.until_broken(number).await;
                    tracing::warn!(link = self.name, "the link to redis broke");
                    self.state.send_replace(State::Connecting);
                    // One that breaks at once again and again is not hammered.
                    pause = if since.elapsed() > LASTING { Duration::ZERO } else { FIRST_PAUSE };
                }
                Err(failed) => {
                    self.tell_down(failed);
                    pause = (pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
                }
            }
        }
    }

    /// Asks for a sign of life now and then, so that the state is true also while nobody asks.
    async fn until_broken(&mut self, number: u64) {
        loop {
            let broken = self.broken.wait_for(|broken| *broken >= number);
            if timeout(HEARTBEAT, broken).await.is_ok() {
                return;
            }
            let State::Up(mut lane) = self.state.borrow().clone() else { return };
            let ping = redis::cmd("PING");
            let answer = timeout(self.timeout, lane.connection.send_packed_command(&ping)).await;
            if !matches!(answer, Ok(Ok(_))) {
                return;
            }
        }
    }

    fn tell_down(&self, failed: LinkFailed) {
        let news = !matches!(&*self.state.borrow(), State::Down(known) if *known == failed);
        if news {
            tracing::warn!(link = self.name, reason = %failed, "the link to redis is down");
        }
        self.state.send_replace(State::Down(failed));
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
const LASTING: Duration = Duration::from_secs(1);
const HEARTBEAT: Duration = Duration::from_secs(5);
