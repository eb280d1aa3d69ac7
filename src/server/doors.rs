//! The listeners that are open, and how they follow a new configuration.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::config::{ListenAddress, Serves, Settings};

use super::assemble::{self, Options, StartFailed};
use super::certificates::{self, Presented, Stamps, TlsFailed};
use super::doorway::{Doorway, doorways};
use super::socket::Listening;
use super::unix_socket;

/// One open listener.
pub(super) struct OpenDoor {
    pub(super) name: String,
    /// The address that was asked for; the port may have been 0.
    asked: ListenAddress,
    /// The address it has, on the network.
    pub(super) address: Option<SocketAddr>,
    /// The name of the job listener it is.
    jobs: Option<Arc<str>>,
    socket: Listening,
    tls: Option<Arc<ArcSwap<Presented>>>,
    /// Where its certificates come from, and what the files looked like when they were read last.
    read: Option<(Doorway, Stamps)>,
    serving: Arc<Serving>,
    close: watch::Sender<bool>,
}

/// What a listener does with those who come. It follows the configuration while the listener is open;
/// after that it stays as it was.
#[derive(Debug)]
pub(super) struct Serving(AtomicBool);

impl Serving {
    fn new(serves: Serves) -> Arc<Self> {
        Arc::new(Self(AtomicBool::new(serves == Serves::RedirectsToHttps)))
    }

    /// As it is now.
    pub(super) fn now(&self) -> Serves {
        match self.0.load(Ordering::Relaxed) {
            true => Serves::RedirectsToHttps,
            false => Serves::Everything,
        }
    }

    fn follow(&self, serves: Serves) {
        self.0.store(serves == Serves::RedirectsToHttps, Ordering::Relaxed);
    }
}

/// What a worker needs of a listener.
pub(super) struct DoorPlan {
    pub(super) serving: Arc<Serving>,
    pub(super) socket: Listening,
    pub(super) tls: Option<Arc<ArcSwap<Presented>>>,
    pub(super) jobs: Option<Arc<str>>,
    pub(super) closed: watch::Receiver<bool>,
}

/// Opened, but not yet in force: everything that could fail has succeeded.
pub(super) struct Changes {
    opened: Vec<OpenDoor>,
    certificates: Vec<(Doorway, Stamps, Arc<Presented>)>,
    permissions: Vec<(String, ListenAddress)>,
    serving: Vec<(Arc<Serving>, Serves)>,
    closed: Vec<String>,
}

impl OpenDoor {
    /// Binds a listener, or takes a socket that listens already.
    ///
    /// # Errors
    /// [`StartFailed`] names the address or file.
    pub(super) fn open(doorway: &Doorway, socket: Option<Listening>) -> Result<Self, StartFailed> {
        let stamps = Stamps::of(doorway);
        let tls = certificates::of(doorway)?;
        let socket = match socket {
            Some(socket) => socket,
            None => assemble::open(&doorway.address)?,
        };
        socket.set_nonblocking().map_err(StartFailed::Thread)?;
        Ok(Self {
            name: doorway.name.clone(),
            asked: doorway.address.clone(),
            jobs: doorway.jobs.as_deref().map(Arc::from),
            address: socket.address(),
            socket,
            read: tls.is_some().then(|| (doorway.clone(), stamps)),
            tls: tls.map(|config| Arc::new(ArcSwap::from(config))),
            serving: Serving::new(doorway.serves),
            close: watch::channel(false).0,
        })
    }

    /// A worker's share of it.
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub(super) fn plan(&self) -> Result<DoorPlan, StartFailed> {
        let socket = self.socket.try_clone().map_err(StartFailed::Thread)?;
        let (tls, jobs) = (self.tls.clone(), self.jobs.clone());
        let (serving, closed) = (self.serving.clone(), self.close.subscribe());
        Ok(DoorPlan { serving, socket, tls, jobs, closed })
    }

    /// Its path, in the file system.
    pub(super) fn path(&self) -> Option<PathBuf> {
        match &self.asked {
            ListenAddress::Network(_) => None,
            ListenAddress::Unix(socket) => Some(socket.path.clone()),
        }
    }

    pub(super) fn socket(&self) -> &Listening {
        &self.socket
    }

    /// When the first of its certificates stops being valid, in seconds since 1970.
    pub(super) fn certificate_ends(&self) -> Option<u64> {
        self.tls.as_ref()?.load().ends()
    }

    /// Looks whether the files of its certificates are what they were when they were read last, and
    /// reads them where they are not: good ones are shown from the next handshake on, in place of
    /// bad ones the old are shown further. `None` where nothing has changed.
    pub(super) fn look(&mut self) -> Option<Result<(), TlsFailed>> {
        let (doorway, read) = self.read.as_mut()?;
        let stamps = Stamps::of(doorway);
        if stamps == *read {
            return None;
        }
        *read = stamps;
        Some(certificates::of(doorway).map(|config| {
            if let (Some(tls), Some(config)) = (&self.tls, config) {
                tls.store(config);
            }
        }))
    }

    /// Lets others connect from now on.
    fn permit(&mut self, asked: ListenAddress) {
        if let ListenAddress::Unix(socket) = &asked
            && let Err(error) = unix_socket::permit(socket)
        {
            tracing::warn!("{asked}: its owner, group or mode cannot be changed: {error}");
        }
        self.asked = asked;
    }

    fn serves(&self, doorway: &Doorway) -> bool {
        self.name == doorway.name
            && is_same_place(&self.asked, &doorway.address)
            && self.tls.is_some() == doorway.tls.is_some()
    }
}

/// The same address, or the same path, whoever may connect to it.
fn is_same_place(one: &ListenAddress, other: &ListenAddress) -> bool {
    match (one, other) {
        (ListenAddress::Unix(one), ListenAddress::Unix(other)) => one.path == other.path,
        (one, other) => one == other,
    }
}

/// Opens every listener of a configuration.
///
/// # Errors
/// [`StartFailed`] for the first that cannot be had.
pub(super) fn open_all(
    settings: &Settings,
    options: &mut Options,
) -> Result<Vec<OpenDoor>, StartFailed> {
    doorways(settings)
        .map(|doorway| OpenDoor::open(&doorway, options.taken(&doorway.name)))
        .collect()
}

impl Changes {
    /// Prepares what `settings` changes: new listeners are bound and certificates are read, while
    /// everything that serves goes on.
    ///
    /// # Errors
    /// [`StartFailed`]; nothing has changed then.
    pub(super) fn prepare(open: &[OpenDoor], settings: &Settings) -> Result<Self, StartFailed> {
        let mut changes = Self {
            opened: Vec::new(),
            certificates: Vec::new(),
            permissions: Vec::new(),
            serving: Vec::new(),
            closed: Vec::new(),
        };
        for doorway in doorways(settings) {
            match open.iter().find(|door| door.serves(&doorway)) {
                Some(door) => {
                    changes.serving.push((door.serving.clone(), doorway.serves));
                    if door.asked != doorway.address {
                        changes.permissions.push((door.name.clone(), doorway.address.clone()));
                    }
                    let stamps = Stamps::of(&doorway);
                    if let Some(config) = certificates::of(&doorway)? {
                        changes.certificates.push((doorway, stamps, config));
                    }
                }
                None => changes.opened.push(OpenDoor::open(&doorway, None)?),
            }
        }
        let kept = |door: &&OpenDoor| doorways(settings).any(|one| door.serves(&one));
        changes.closed =
            open.iter().filter(|door| !kept(door)).map(|door| door.name.clone()).collect();
        Ok(changes)
    }

    /// The workers' share of the new listeners, one set for each worker.
    ///
    /// # Errors
    /// When there are no descriptors left; nothing has changed then.
    pub(super) fn plans(&self) -> Result<Vec<DoorPlan>, StartFailed> {
        self.opened.iter().map(OpenDoor::plan).collect()
    }

    /// Puts the changes in force. Connections of a closed listener live on.
    pub(super) fn apply(self, open: &mut Vec<OpenDoor>) {
        for (doorway, stamps, config) in self.certificates {
            let door = open.iter_mut().find(|door| door.name == doorway.name);
            if let Some(door) = door
                && let Some(tls) = &door.tls
            {
                tls.store(config);
                door.read = Some((doorway, stamps));
            }
        }
        self.serving.iter().for_each(|(serving, serves)| serving.follow(*serves));
        for (name, asked) in self.permissions {
            if let Some(door) = open.iter_mut().find(|door| door.name == name) {
                door.permit(asked);
            }
        }
        open.retain(|door| {
            let closed = self.closed.contains(&door.name);
            if closed {
                if let Some(tls) = &door.tls {
                    tls.store(Arc::new(tls.load().without_authorities()));
                }
                door.close.send_replace(true);
            }
            !closed
        });
        open.extend(self.opened);
    }
}
