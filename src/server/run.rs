//! A gateway that runs, from its first listener to its last request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::config::Settings;
use crate::crypto::install_provider;
use crate::gateway::Site;

use super::admin::{self, State};
use super::assemble::{self, Bound, Load, Options, StartFailed};
use super::worker::{self, Work};

/// A running gateway. Dropping it lets the requests in flight end and returns at once;
/// [`Running::stop`] waits for them.
pub struct Running {
    addresses: Vec<(String, SocketAddr)>,
    admin: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
    /// Ends the admin listener, which tells that we are stopping until everything has stopped.
    ended: watch::Sender<bool>,
    admin_thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Binds every listener and serves. Returns when all of them accept.
    ///
    /// # Errors
    /// [`StartFailed`] names the address, file or thread that cannot be had; nothing serves then.
    pub async fn start(settings: Settings, mut options: Options) -> Result<Self, StartFailed> {
        install_provider();
        let bound = assemble::bind(&settings, &mut options)?;
        let admin_socket = match options.taken(ADMIN) {
            Some(socket) => Some(socket),
            None => settings.admin.address.map(assemble::listen).transpose()?,
        };
        let drain = settings.limits.drain_timeout;
        let site = Arc::new(Site::new(settings, options.clock, options.random));
        let site = Arc::new(ArcSwap::from(site));
        let (stop, stopping) = watch::channel(false);
        let load = Arc::new(Load::default());
        let (ended, ending) = watch::channel(false);
        let mut running = Self {
            addresses: names(&bound),
            admin: None,
            stop,
            threads: Vec::new(),
            ended,
            admin_thread: None,
        };
        for number in 0..workers(options.workers) {
            let work = Work {
                site: site.clone(),
                access: options.access.clone(),
                load: load.clone(),
                stop: stopping.clone(),
                drain,
            };
            let (thread, opened) = worker::start(number, &bound, work)?;
            running.threads.push(thread);
            let _worker_died = opened.await;
        }
        if let Some(socket) = admin_socket {
            socket.set_nonblocking(true).map_err(StartFailed::Thread)?;
            running.admin = socket.local_addr().ok();
            let state = State { load, stopping, ending };
            let started = admin::start(socket, state).map_err(StartFailed::Thread)?;
            running.admin_thread = Some(started);
        }
        Ok(running)
    }

    /// The listeners by name, with the ports they really have.
    pub fn addresses(&self) -> &[(String, SocketAddr)] {
        &self.addresses
    }

    /// The admin listener's address.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Stops accepting, lets requests in flight end within the drain time, and returns.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let ended = tokio::task::spawn_blocking(move || {
            for thread in self.threads {
                let _panicked = thread.join();
            }
            self.ended.send_replace(true);
            let _panicked = self.admin_thread.map(JoinHandle::join);
        });
        let _runtime_ending = ended.await;
    }
}

fn names(bound: &[Bound]) -> Vec<(String, SocketAddr)> {
    bound.iter().map(|bound| (bound.name.clone(), bound.address)).collect()
}

fn workers(asked: usize) -> usize {
    match asked {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        count => count,
    }
}

/// What the admin listener's socket is called in [`Options::open`].
const ADMIN: &str = "admin";
