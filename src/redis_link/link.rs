//! A link: a thread of its own that outlives every worker, and commands handed to it.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use redis::{Cmd, FromRedisValue, Value, from_redis_value};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use crate::config::{Redis, RedisAddress};
use crate::crypto::Random;

use super::allowance::{COMMAND, left_of, spend_since};
use super::cluster::LinkState;
use super::dialler::Dialler;
use super::failure::LinkFailed;
use super::lanes::{Errand, Kept, lanes};
use super::server::Server;
use super::surveyor::cluster;
use super::watch::{LinkWatch, Unwatched};
use super::way::Way;

/// The link to one Redis or Valkey. Cheap to clone; the last clone takes it down.
///
/// Workers run on runtimes of their own, and a connection dies with the runtime it was made on:
/// so the connection lives on a thread of its own, and commands come to it from anywhere.
#[derive(Clone)]
pub struct RedisLink(Arc<Inner>);

struct Inner {
    name: &'static str,
    watch: Box<dyn LinkWatch>,
    way: Way,
    prefix: String,
    random: Random,
    room: Arc<Semaphore>,
    runtime: Handle,
    /// Dropped with the link: then the thread ends.
    _end: oneshot::Sender<()>,
}

impl RedisLink {
    /// Starts the thread, which connects at once and from then on whenever it must. Nobody waits
    /// for it here: [`RedisLink::ping`] tells whether it works.
    ///
    /// # Errors
    /// [`LinkFailed::Unusable`] when no client can be made of the configuration, and
    /// [`LinkFailed::Down`] when the system gives no thread.
    pub fn open(config: &Redis, random: Random) -> Result<Self, LinkFailed> {
        Self::open_watched("redis", config, random, Box::new(Unwatched))
    }

    /// The same with a name for the log, and with somebody who is told of each command.
    ///
    /// # Errors
    /// Those of [`RedisLink::open`].
    pub fn open_watched(
        name: &'static str,
        config: &Redis,
        random: Random,
        watch: Box<dyn LinkWatch>,
    ) -> Result<Self, LinkFailed> {
        let (way, keeper) = way(name, config)?;
        let (end, ended) = oneshot::channel();
        let runtime = start(name, keeper, ended)
            .map_err(|error| LinkFailed::Down(format!("no thread for it: {error}").into()))?;
        Ok(Self(Arc::new(Inner {
            name,
            watch,
            way,
            prefix: config.prefix.clone(),
            random,
            room: Arc::new(Semaphore::new(COMMANDS)),
            runtime,
            _end: end,
        })))
    }

    /// What it is called in the log and in metrics.
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// How it stands, without asking.
    pub fn state(&self) -> LinkState {
        self.0.way.state()
    }

    /// Runs a task on the link's thread once there is a connection. It holds nobody up, and does not
    /// keep a link that nobody uses any more.
    pub fn run_once_up<F>(&self, task: impl FnOnce(Self) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send,
    {
        let (way, link) = (self.0.way.clone(), Arc::downgrade(&self.0));
        self.spawn(async move {
            if way.up().await
                && let Some(link) = link.upgrade()
            {
                task(Self(link)).await;
            }
        });
    }

    /// Runs a task on the link's thread that nobody waits for.
    pub fn beside<F>(&self, task: impl FnOnce(Self) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let _runs_on = self.spawn(task(self.clone()));
    }

    /// A key's name with the prefix before it.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.0.prefix)
    }

    pub(super) fn random(&self) -> &Random {
        &self.0.random
    }

    /// Runs a future on the link's thread, beyond the life of whoever asks.
    pub(super) fn spawn(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> tokio::task::AbortHandle {
        self.0.runtime.spawn(task).abort_handle()
    }

    /// Carries one command out. The caller waits no longer than 0.8 s, whatever the server, the
    /// network or the link's thread does.
    pub(super) async fn run<T: FromRedisValue>(&self, command: Cmd) -> Result<T, LinkFailed> {
        self.carry_out(Errand { command, patience: COMMAND, kept: Kept::InMemory }).await
    }

    /// The same with a patience of its own. What a request has left to wait is less, perhaps; a write
    /// that is to be on a disk is not given up for it.
    pub(super) async fn carry_out<T: FromRedisValue>(
        &self,
        mut errand: Errand,
    ) -> Result<T, LinkFailed> {
        let begun = Instant::now();
        if errand.kept == Kept::InMemory {
            errand.patience = left_of(errand.patience);
        }
        let answer = self.carried_out(errand).await.and_then(read);
        spend_since(begun);
        self.0.watch.carried_out(begun.elapsed(), answer.as_ref().err());
        answer
    }

    async fn carried_out(&self, errand: Errand) -> Result<Value, LinkFailed> {
        let place = self.0.room.clone().try_acquire_owned().map_err(|_| LinkFailed::Busy)?;
        if let LinkState::Down(failed) = self.state() {
            return Err(failed);
        }
        let (way, patience) = (self.0.way.clone(), errand.patience);
        let task = self.0.runtime.spawn(async move {
            let answer = way.run(&errand).await;
            drop(place);
            answer
        });
        match timeout(patience, task).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_ended)) => Err(LinkFailed::Lost("the link has ended".into())),
            Err(_elapsed) => Err(LinkFailed::TimedOut),
        }
    }
}

impl std::fmt::Debug for RedisLink {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "RedisLink({}, {:?})", self.0.name, self.state())
    }
}

/// The way commands take, and what keeps it open.
fn way(name: &'static str, config: &Redis) -> Result<(Way, Keeping), LinkFailed> {
    let dialler = Dialler::new(config)?;
    if let RedisAddress::Cluster(seeds) = &config.address {
        let (cluster, surveyor) = cluster(name, dialler, seeds);
        return Ok((Way::Cluster(cluster), Box::pin(surveyor.run())));
    }
    let (lanes, keeper) = lanes(name, Server::new(config, dialler)?);
    Ok((Way::Server(lanes), Box::pin(keeper.run())))
}

type Keeping = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Starts the thread and gives its runtime.
fn start(name: &str, keeping: Keeping, ended: oneshot::Receiver<()>) -> std::io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    std::thread::Builder::new().name(format!("link-{name}")).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                () = keeping => {}
                _ = ended => {}
            }
        });
        // Resolving a name may block its thread: that is not waited for.
        runtime.shutdown_background();
    })?;
    Ok(handle)
}

fn read<T: FromRedisValue>(value: Value) -> Result<T, LinkFailed> {
    from_redis_value(value).map_err(|_| LinkFailed::Answer("of another kind than asked for".into()))
}

/// Commands under way at once; each is a kilobyte or two.
const COMMANDS: usize = 4_096;
