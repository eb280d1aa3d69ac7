//! The listeners that are open, and how they follow a new configuration.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::config::{ListenAddress, Serves, Settings};
use crate::web::Proxies;

use super::assemble::{self, Options, StartFailed};
use super::certificates::{self, Presented, Stamps, TlsFailed};
use super::doorway::{Doorway, doorways};
use super::socket::Listening;
use super::unix_socket::{self, Place};

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
    fate: watch::Sender<Fate>,
    /// Who says whose each connection is, where somebody does.
    introducers: Option<Arc<Proxies>>,
    /// Where it is in the file system.
    place: Option<Place>,
}

/// What became of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Open,
    /// It is to be no more. Those that wait to be accepted would be reset with it.
    Closed,
    /// Another listener has its socket, and those that wait.
    HandedOn,
}

/// What a listener does with those who come. It follows the configuration while the listener is open;
/// after that it stays as it was.
#[derive(Debug)]
pub(super) struct Serving(ArcSwap<Serves>);

impl Serving {
    fn new(serves: Serves) -> Arc<Self> {
        Arc::new(Self(ArcSwap::from_pointee(serves)))
    }

    /// As it is now.
    pub(super) fn now(&self) -> Serves {
        Serves::clone(&self.0.load())
    }

    fn follow(&self, serves: Serves) {
        self.0.store(Arc::new(serves));
    }
}

/// What a worker needs of a listener.
pub(super) struct DoorPlan {
    pub(super) serving: Arc<Serving>,
    pub(super) socket: Listening,
    pub(super) tls: Option<Arc<ArcSwap<Presented>>>,
    pub(super) jobs: Option<Arc<str>>,
    pub(super) introducers: Option<Arc<Proxies>>,
    pub(super) fate: watch::Receiver<Fate>,
}

/// Opened, but not yet in force: everything that could fail has succeeded.
pub(super) struct Changes {
    opened: Vec<OpenDoor>,
    certificates: Vec<(Doorway, Stamps, Arc<Presented>)>,
    permissions: Vec<(String, ListenAddress)>,
    serving: Vec<(Arc<Serving>, Serves)>,
    closed: Vec<(String, Fate)>,
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
            serving: Serving::new(doorway.serves.clone()),
            fate: watch::channel(Fate::Open).0,
            introducers: doorway.introduced_by.clone().map(Arc::new),
            place: place_of(&doorway.address),
        })
    }

    /// A worker's share of it.
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub(super) fn plan(&self) -> Result<DoorPlan, StartFailed> {
        let socket = self.socket.try_clone().map_err(StartFailed::Thread)?;
        let (tls, jobs) = (self.tls.clone(), self.jobs.clone());
        let (serving, introducers) = (self.serving.clone(), self.introducers.clone());
        Ok(DoorPlan { serving, socket, tls, jobs, introducers, fate: self.fate.subscribe() })
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

    /// Whether who connects there comes to this one, as far as can be told: another socket may be in
    /// the place of ours.
    pub(super) fn is_in_place(&self) -> bool {
        self.place == place_of(&self.asked)
    }

    fn serves(&self, doorway: &Doorway) -> bool {
        self.name == doorway.name
            && is_same_place(&self.asked, &doorway.address)
            && self.tls.is_some() == doorway.tls.is_some()
            && self.introducers.as_deref() == doorway.introduced_by.as_ref()
            && self.is_in_place()
    }

    /// Whether its socket can be another listener's, which is to be where it is.
    fn can_become(&self, doorway: &Doorway) -> bool {
        let any_port = doorway.address.network().is_some_and(|address| address.port() == 0);
        is_same_place(&self.asked, &doorway.address) && !any_port && self.is_in_place()
    }
}

fn place_of(address: &ListenAddress) -> Option<Place> {
    match address {
        ListenAddress::Network(_) => None,
        ListenAddress::Unix(socket) => unix_socket::found_at(&socket.path),
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
        let stays = |door: &OpenDoor| doorways(settings).any(|one| door.serves(&one));
        let mut handed_on = Vec::new();
        for doorway in doorways(settings) {
            match open.iter().find(|door| door.serves(&doorway)) {
                Some(door) => {
                    changes.serving.push((door.serving.clone(), doorway.serves.clone()));
                    if door.asked != doorway.address {
                        changes.permissions.push((door.name.clone(), doorway.address.clone()));
                    }
                    let stamps = Stamps::of(&doorway);
                    if let Some(config) = certificates::of(&doorway)? {
                        changes.certificates.push((doorway, stamps, config));
                    }
                }
                None => {
                    let mut leaving = open.iter().filter(|door| !stays(door));
                    let before = leaving.find(|door| door.can_become(&doorway));
                    let socket = before.map(|door| door.socket.try_clone()).transpose();
                    let socket = socket.map_err(StartFailed::Thread)?;
                    handed_on.extend(before.map(|door| door.name.as_str()));
                    changes.opened.push(OpenDoor::open(&doorway, socket)?);
                }
            }
        }
        let fate = |door: &OpenDoor| match handed_on.contains(&door.name.as_str()) {
            true => Fate::HandedOn,
            false => Fate::Closed,
        };
        let leaving = open.iter().filter(|door| !stays(door));
        changes.closed = leaving.map(|door| (door.name.clone(), fate(door))).collect();
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
        self.serving.iter().for_each(|(serving, serves)| serving.follow(serves.clone()));
        for (name, asked) in self.permissions {
            if let Some(door) = open.iter_mut().find(|door| door.name == name) {
                door.permit(asked);
            }
        }
        open.retain(|door| {
            let closed = self.closed.iter().find(|(name, _)| *name == door.name);
            if let Some((_, fate)) = closed {
                if let Some(tls) = &door.tls {
                    tls.store(Arc::new(tls.load().without_authorities()));
                }
                door.fate.send_replace(*fate);
            }
            closed.is_none()
        });
        for mut door in self.opened {
            // One that had another name may have had another mode.
            door.permit(door.asked.clone());
            open.push(door);
        }
    }
}
