//! A gateway that runs, from its first listener to its last request.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::config::{Settings, changed_tables};
use crate::credentials::{Stores, SystemUsers};
use crate::crypto::install_provider;
use crate::gateway::Site;
use crate::session::Memory;
use crate::telemetry::{AccessLog, Drained, Event, Offered};

use super::admin;
use super::admin_state::{DoorState, Doors, State};
use super::assemble::{self, Load, Options, StartFailed};
use super::certificates::TlsFailed;
use super::doors::{self, Changes, OpenDoor};
use super::drain::Leave;
use super::renewals::Renewals;
use super::report::{Changed, Report, Wanted};
use super::socket::Listening;
use super::teller::Teller;
use super::worker::{Work, Worker};

/// A running gateway. Dropping it lets the requests in flight end and returns at once;
/// [`Running::stop`] waits for them.
pub struct Running {
    site: Arc<ArcSwap<Site>>,
    stores: Stores,
    doors: Vec<OpenDoor>,
    workers: Vec<Worker>,
    admin: Option<Admin>,
    /// The doors, for the admin listener.
    open: Doors,
    teller: Option<Teller>,
    load: Arc<Load>,
    leave: watch::Sender<Option<Leave>>,
    report: Report,
    /// Set when the last worker has ended.
    over: watch::Sender<bool>,
    /// What looks after upstreams' servers; it ends when it is replaced or dropped.
    checkups: JoinSet<()>,
    /// What orders certificates, from the first configuration on that has any ordered.
    renewals: Option<Renewals>,
    /// Counts the ordered certificates that came.
    stored: watch::Sender<u64>,
}

/// The running admin listener.
struct Admin {
    address: SocketAddr,
    socket: TcpListener,
    thread: JoinHandle<()>,
}

impl Running {
    /// Binds every listener and serves. Returns when all of them accept.
    ///
    /// # Errors
    /// [`StartFailed`] names the address, file or thread that cannot be had; nothing serves then.
    pub async fn start(settings: Settings, mut options: Options) -> Result<Self, StartFailed> {
        install_provider();
        let doors = doors::open_all(&settings, &mut options)?;
        let admin = match options.taken(ADMIN) {
            Some(Listening::Network(socket)) => Some(socket),
            Some(Listening::Unix(_)) | None => {
                settings.admin.address.map(assemble::listen).transpose()?
            }
        };
        let mut stores = Stores::open(&settings, &options.clock, &options.random)?;
        (stores.audit, stores.tracer) = (options.audit.clone(), options.tracer.clone());
        let (clock, random) = (options.clock.clone(), options.random.clone());
        let site = Site::with_stores(settings, &stores, clock, random);
        options.watched_by(&site.metrics);
        let (memory, now) = (site.memory(), site.clock.now());
        options.inherited.into_iter().for_each(|note| memory.inherit(note, now));
        first_heard(&site).await;
        let site = Arc::new(ArcSwap::from_pointee(site));
        let mut running = Self {
            load: Load::new(site.clone()),
            stores,
            site,
            doors,
            workers: Vec::new(),
            admin: None,
            open: Doors::default(),
            teller: None,
            leave: watch::channel(None).0,
            report: Report::default(),
            over: watch::channel(false).0,
            checkups: JoinSet::new(),
            renewals: None,
            stored: watch::channel(0).0,
        };
        running.look_after_servers();
        for number in 0..workers(options.workers) {
            running.hire(number, options.access.clone()).await?;
        }
        running.note_doors();
        running.teller = Some(Teller::start(running.site.clone())?);
        running.look_after_certificates()?;
        if let Some(socket) = admin {
            socket.set_nonblocking(true).map_err(StartFailed::Thread)?;
            let address = socket.local_addr().map_err(StartFailed::Thread)?;
            let state = State {
                address,
                doors: running.open.clone(),
                load: running.load.clone(),
                leave: running.leave.subscribe(),
                report: running.report.clone(),
                over: running.over.subscribe(),
            };
            let kept = socket.try_clone().map_err(StartFailed::Thread)?;
            let thread = admin::start(socket, state).map_err(StartFailed::Thread)?;
            running.admin = Some(Admin { address, socket: kept, thread });
        }
        Ok(running)
    }

    /// The listeners on the network by name, with the ports they really have.
    pub fn addresses(&self) -> Vec<(String, SocketAddr)> {
        self.doors.iter().filter_map(|door| Some((door.name.clone(), door.address?))).collect()
    }

    /// The listeners in the file system by name, with their paths.
    pub fn paths(&self) -> Vec<(String, PathBuf)> {
        self.doors.iter().filter_map(|door| Some((door.name.clone(), door.path()?))).collect()
    }

    /// The admin listener's address.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(|admin| admin.address)
    }

    /// Lets the admin listener tell how a change went that was asked for, and why.
    pub fn report(&self, wanted: Wanted, outcome: Changed, reasons: Vec<String>) {
        let became = match outcome {
            Changed::Taken => Offered::Taken,
            Changed::Refused | Changed::Never => Offered::Refused,
        };
        let metrics = self.load.metrics();
        if wanted == Wanted::Configuration {
            metrics.reloaded(became);
        }
        metrics.recent().changed(wanted.word(), became.word(), None);
        self.report.write(outcome, reasons);
    }

    /// The listening sockets by name, for a process that takes over; `admin` is the admin listener's.
    /// One in whose place in the file system there is another by now is left out: nobody can connect
    /// to it, and who takes over looks at the place itself.
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub fn sockets(&self) -> io::Result<Vec<(String, Listening)>> {
        let doors = self.doors.iter().filter(|door| door.is_in_place());
        let doors = doors.map(|door| (door.name.clone(), door.socket().try_clone()));
        let admin = self
            .admin
            .iter()
            .map(|admin| (ADMIN.to_owned(), admin.socket.try_clone().map(Listening::Network)));
        doors.chain(admin).map(|(name, socket)| Ok((name, socket?))).collect()
    }

    /// What is remembered of sessions and sign-ins, and the clock that goes with it.
    pub fn memory(&self) -> (Memory, Clock) {
        let site = self.site.load();
        (site.memory(), site.clock.clone())
    }

    /// The system users of the configuration in force: their vault, tickets and tenants.
    pub fn system_users(&self) -> Arc<SystemUsers> {
        self.site.load().users.clone()
    }

    /// Counts the ordered certificates that came: at each of them it is time to look.
    pub fn stored(&self) -> watch::Receiver<u64> {
        self.stored.subscribe()
    }

    /// Looks whether certificates were replaced in their files, and shows the new ones from the next
    /// handshake on; what was found, by listener. What does not hold changes nothing.
    pub fn look_at_certificates(&mut self) -> Vec<(String, Result<(), TlsFailed>)> {
        let looked = self.doors.iter_mut().map(|door| Some((door.name.clone(), door.look()?)));
        let looked: Vec<(String, Result<(), TlsFailed>)> = looked.flatten().collect();
        for (_, became) in &looked {
            let word = if became.is_ok() { Offered::Taken } else { Offered::Refused }.word();
            self.load.metrics().recent().changed("certificate", word, None);
        }
        self.note_doors();
        looked
    }

    /// Puts a new configuration in force for every request that begins from now on: routes, keys,
    /// certificates, listeners. Requests in flight end under the one they began with, and what is
    /// remembered of sessions and sign-ins goes on. The admin address, the access log, and the
    /// sizes `ended_sessions`, `spent_attempts` and those of HTTP/2 stay as they were at the start, and
    /// so does the link to Redis.
    ///
    /// # Errors
    /// [`StartFailed`] when a new listener, certificate or vault cannot be had; nothing has changed
    /// then.
    pub fn reload(&mut self, settings: Settings) -> Result<(), StartFailed> {
        let changed = changed_tables(&self.site.load().settings, &settings);
        let reloaded = self.follow(settings);
        match &reloaded {
            Ok(()) => self.stores.audit.record(Event::ConfigurationChanged { changed: &changed }),
            Err(failed) => self.not_reloaded(&[failed.to_string()]),
        }
        reloaded
    }

    /// A configuration was refused before it came here.
    pub fn not_reloaded(&self, reasons: &[String]) {
        self.stores.audit.record(Event::ConfigurationRefused { reasons });
    }

    fn follow(&mut self, settings: Settings) -> Result<(), StartFailed> {
        let changes = Changes::prepare(&self.doors, &settings)?;
        let shares = self
            .workers
            .iter()
            .map(|_| changes.plans())
            .collect::<Result<Vec<_>, StartFailed>>()?;
        let before = self.site.load();
        let stores = self.stores.following(&settings, &before.clock, &before.random)?;
        let successor = before.successor(settings, &stores);
        self.stores = stores;
        self.site.store(Arc::new(successor));
        self.look_after_servers();
        self.look_after_certificates()?;
        changes.apply(&mut self.doors);
        self.note_doors();
        for (worker, plans) in self.workers.iter().zip(shares) {
            plans.into_iter().for_each(|plan| worker.open(plan));
        }
        Ok(())
    }

    /// Stops: says so in every answer, after `limits.drain_delay` accepts no more, lets requests in
    /// flight end within the drain time, closes what has no end, and returns how that went. Until
    /// then the admin listener answers, and says that it is not ready.
    pub async fn stop(self) -> Drained {
        let leave = Leave::for_good(&self.site.load().settings.limits);
        self.end(leave).await
    }

    /// The same, where another process has the sockets and serves already: accepting and the admin
    /// listener end at once, and connections without a request have the whole drain time.
    pub async fn hand_over(mut self) -> Drained {
        self.leave_to_successor().await;
        let leave = Leave::to_successor(&self.site.load().settings.limits);
        self.end(leave).await
    }

    /// The first of it: returns when every answer says that its connection closes, or a worker does not
    /// get round to hearing of it in time.
    pub async fn leave_to_successor(&mut self) {
        self.over.send_replace(true);
        self.renewals.iter().for_each(Renewals::leave);
        let leave = Leave::to_successor(&self.site.load().settings.limits);
        if self.leave.send_replace(Some(leave)).is_none() {
            let all = async {
                for worker in &mut self.workers {
                    worker.leaves().await;
                }
            };
            let _too_busy_to_hear = timeout(HEARING, all).await;
        }
    }

    fn note_doors(&self) {
        let state = |door: &OpenDoor| DoorState {
            name: door.name.clone(),
            address: door.address.map(|address| address.to_string()),
            certificate_ends: door.certificate_ends(),
        };
        let doors = self.doors.iter().map(state).collect();
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = doors;
    }

    async fn end(self, leave: Leave) -> Drained {
        self.leave.send_replace(Some(leave));
        drop(self.doors);
        let (workers, over, teller) = (self.workers, self.over, self.teller);
        teller.iter().for_each(Teller::leave);
        let renewals = self.renewals;
        renewals.iter().for_each(Renewals::leave);
        let admin = self.admin.map(|admin| admin.thread);
        let ended = tokio::task::spawn_blocking(move || {
            for worker in workers {
                let _panicked = worker.thread.join();
            }
            if let Some(teller) = teller {
                teller.join();
            }
            if let Some(renewals) = renewals {
                renewals.join();
            }
            over.send_replace(true);
            if let Some(thread) = admin {
                let _panicked = thread.join();
            }
        });
        let _runtime_ending = ended.await;
        self.site.load().metrics.all_drained()
    }

    /// By the configuration in force.
    fn look_after_servers(&mut self) {
        let Ok(runtime) = Handle::try_current() else { return };
        self.checkups = JoinSet::new();
        for checkup in self.site.load().checkups() {
            self.checkups.spawn_on(checkup, &runtime);
        }
        let site = self.site.load();
        self.checkups.spawn_on(site.revocations().clone().keep_up(site.clock.clone()), &runtime);
    }

    /// From the first configuration on that has any ordered.
    fn look_after_certificates(&mut self) -> Result<(), StartFailed> {
        if self.renewals.is_none() && !self.site.load().settings.ordered.is_empty() {
            self.renewals = Some(Renewals::start(self.site.clone(), self.stored.clone())?);
        }
        Ok(())
    }

    async fn hire(&mut self, number: usize, access: Option<AccessLog>) -> Result<(), StartFailed> {
        let work = Work {
            site: self.site.clone(),
            access,
            load: self.load.clone(),
            leave: self.leave.subscribe(),
        };
        let plans = self.doors.iter().map(OpenDoor::plan).collect::<Result<Vec<_>, _>>()?;
        let (worker, serves) = Worker::start(number, work)?;
        plans.into_iter().for_each(|plan| worker.open(plan));
        self.workers.push(worker);
        let _worker_died = serves.await;
        Ok(())
    }
}

/// Waits for the list of what other replicas ended, and no longer than its store may be away: nobody
/// is let in until it was read.
async fn first_heard(site: &Site) {
    let read = async {
        while site.revocations().is_ignorant()
            && !site.revocations().catch_up(site.clock.now()).await
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let _it_is_read_later = timeout(LIST, read).await;
}

/// How long a start waits for the list of what other replicas ended.
const LIST: Duration = Duration::from_secs(1);
/// How long workers have to hear that they are to leave.
const HEARING: Duration = Duration::from_secs(5);

fn workers(asked: usize) -> usize {
    match asked {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        count => count,
    }
}

/// What the admin listener's socket is called in [`Options::open`].
pub(super) const ADMIN: &str = "admin";
