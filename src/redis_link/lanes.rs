//! One connection after another to one server: kept up, replaced when it breaks, and never waited
//! for too long.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Value};
use tokio::sync::{OnceCell, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::allowance::COMMAND;
use super::failure::{Elsewhere, LinkFailed, breaks};
use super::server::Server;

/// How a connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LaneState {
    /// The first one, or the next after one that broke, is being made.
    Connecting,
    /// The last attempt failed, or the server hangs; another is made every second at most.
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

/// One try.
pub(super) enum Attempt {
    /// The connection broke: another may do.
    Broken(LinkFailed),
    /// Another node of the cluster has the key.
    Elsewhere(Elsewhere),
    Failed(LinkFailed),
}

/// Whether a node is asked for what it is only about to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking {
    /// It has been told by its neighbour that we come (`ASKING`).
    Announced,
    Plainly,
}

/// The side of those who send commands.
#[derive(Clone)]
pub(super) struct Lanes {
    state: watch::Receiver<State>,
    /// The last connection that is known to be of no use.
    broken: watch::Sender<Breach>,
    server: Arc<Server>,
}

/// The side of whoever keeps the connection up.
pub(super) struct Keeper {
    name: &'static str,
    server: Arc<Server>,
    state: watch::Sender<State>,
    broken: watch::Receiver<Breach>,
}

/// What became of the connection of this number.
#[derive(Clone, Copy, Default)]
struct Breach {
    number: u64,
    how: Broke,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Broke {
    /// The server does not answer: the next connection may well not help.
    Hung,
    #[default]
    Lost,
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
pub(super) fn lanes(name: &'static str, server: Server) -> (Lanes, Keeper) {
    let (state, states) = watch::channel(State::Connecting);
    let (broken, breakages) = watch::channel(Breach::default());
    let server = Arc::new(server);
    let lanes = Lanes { state: states, broken, server: server.clone() };
    (lanes, Keeper { name, server, state, broken: breakages })
}

impl Lanes {
    /// Sends a command and waits for its answer, for no longer than its patience in all. Where the
    /// connection turns out to be broken it is sent once more on the next: every command of ours
    /// may be carried out twice.
    pub async fn run(&self, errand: &Errand) -> Result<Value, LinkFailed> {
        let deadline = Instant::now() + errand.patience;
        match self.try_once(errand, deadline, Asking::Plainly).await {
            Err(Attempt::Broken(_)) => {}
            Err(Attempt::Elsewhere(elsewhere)) => return Err(elsewhere.of_no_cluster()),
            Err(Attempt::Failed(failed)) => return Err(failed),
            Ok(value) => return Ok(value),
        }
        let again = self.try_once(errand, deadline, Asking::Plainly).await;
        again.map_err(|attempt| match attempt {
            Attempt::Elsewhere(elsewhere) => elsewhere.of_no_cluster(),
            // The first attempt may have come through.
            Attempt::Broken(failed) | Attempt::Failed(failed) => failed.unknown(),
        })
    }

    pub fn state(&self) -> LaneState {
        match &*self.state.borrow() {
            State::Connecting => LaneState::Connecting,
            State::Down(failed) => LaneState::Down(failed.clone()),
            State::Up(_) => LaneState::Up,
        }
    }

    /// Waits for a connection; `false` when there will be none any more.
    pub async fn up(&self) -> bool {
        self.state.clone().wait_for(|state| matches!(state, State::Up(_))).await.is_ok()
    }

    /// Sends a command over the connection of the hour.
    pub async fn try_once(
        &self,
        errand: &Errand,
        deadline: Instant,
        asking: Asking,
    ) -> Result<Value, Attempt> {
        let mut lane = self.lane(deadline).await.map_err(Attempt::Failed)?;
        if errand.kept == Kept::OnDisk {
            lane.connection = self.slow(&lane, deadline).await.map_err(Attempt::Failed)?;
        }
        let value = self.send(&mut lane, (&errand.command, asking), deadline).await?;
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

    async fn send(
        &self,
        lane: &mut Lane,
        what: (&Cmd, Asking),
        until: Instant,
    ) -> Result<Value, Attempt> {
        let begun = Instant::now();
        let sent = self.sent(lane, what, until).await;
        // A command that began late proves nothing about the connection.
        if matches!(sent, Err(Attempt::Failed(LinkFailed::TimedOut)))
            && begun.elapsed() * 2 > COMMAND
        {
            self.give_up(lane.number, Broke::Hung);
        }
        sent
    }

    async fn sent(
        &self,
        lane: &mut Lane,
        (command, asking): (&Cmd, Asking),
        until: Instant,
    ) -> Result<Value, Attempt> {
        let connection = &mut lane.connection;
        let answer = async {
            match asking {
                Asking::Plainly => connection.send_packed_command(command).await,
                Asking::Announced => announced(connection, command).await,
            }
        };
        match timeout_at(until, answer).await {
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
        match self.sent(lane, (&wait, Asking::Plainly), until).await {
            Ok(Value::Array(counts)) if counts.first() == Some(&Value::Int(0)) => {
                Err(Attempt::Failed(LinkFailed::TimedOut))
            }
            Ok(_) | Err(Attempt::Failed(LinkFailed::Answer(_) | LinkFailed::Refused(_))) => Ok(()),
            Err(other) => Err(other),
        }
    }

    fn sorted(&self, lane: &Lane, error: &redis::RedisError) -> Attempt {
        if let Some(elsewhere) = Elsewhere::of(error) {
            return Attempt::Elsewhere(elsewhere);
        }
        let failed = LinkFailed::of(error);
        if !breaks(error) {
            return Attempt::Failed(failed);
        }
        self.give_up(lane.number, Broke::Lost);
        Attempt::Broken(failed)
    }

    /// The connection of the hour. While the first attempt at one lasts, everybody waits for it;
    /// once one failed, or the server hung, nobody does.
    async fn lane(&self, deadline: Instant) -> Result<Lane, LinkFailed> {
        let broken = self.broken.borrow().number;
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

    fn give_up(&self, number: u64, how: Broke) {
        self.broken.send_if_modified(|broken| {
            let newer = number > broken.number;
            if newer {
                *broken = Breach { number, how };
            }
            newer
        });
    }
}

/// `ASKING` counts for the very next command of the connection, which many share.
async fn announced(
    connection: &mut MultiplexedConnection,
    command: &Cmd,
) -> redis::RedisResult<Value> {
    let mut both = redis::pipe();
    both.cmd("ASKING").add_command(command.clone());
    let mut answers = connection.send_packed_commands(&both, 1, 1).await?;
    Ok(answers.pop().unwrap_or(Value::Nil))
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
                    match self.until_broken(number).await {
                        Broke::Hung => self.tell_down(LinkFailed::TimedOut),
                        Broke::Lost => {
                            tracing::warn!(link = self.name, "the link to redis broke");
                            self.state.send_replace(State::Connecting);
                        }
                    }
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
    async fn until_broken(&mut self, number: u64) -> Broke {
        loop {
            let broken = self.broken.wait_for(|broken| broken.number >= number);
            if let Ok(breach) = timeout(HEARTBEAT, broken).await {
                return breach.map_or(Broke::Lost, |breach| breach.how);
            }
            let State::Up(mut lane) = self.state.borrow().clone() else { return Broke::Lost };
            let ping = redis::cmd("PING");
            match timeout(COMMAND, lane.connection.send_packed_command(&ping)).await {
                Ok(Ok(_)) => {}
                Ok(Err(_)) => return Broke::Lost,
                Err(_elapsed) => return Broke::Hung,
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
