//! A worker: one thread with a runtime of its own, a proxy of its own, and every listener's door.

use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use pingora::apps::{HttpServerApp as _, HttpServerOptions};
use pingora::proxy::HttpProxy;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::gateway::{Gateway, Site};
use crate::telemetry::AccessLog;

use super::assemble::{Load, StartFailed, pingora_settings};
use super::connection::Front;
use super::doors::DoorPlan;
use super::drain::{Lead, Leave};
use super::http2;
use super::listener::accept;

/// Everything a worker is made from.
pub(super) struct Work {
    pub(super) site: Arc<ArcSwap<Site>>,
    pub(super) access: Option<AccessLog>,
    pub(super) load: Arc<Load>,
    /// Says how to leave; nobody left to say so means for good.
    pub(super) leave: watch::Receiver<Option<Leave>>,
}

/// A running worker.
pub(super) struct Worker {
    pub(super) thread: JoinHandle<()>,
    doors: mpsc::UnboundedSender<DoorPlan>,
    /// Hears when every answer says that its connection closes.
    leaving: oneshot::Receiver<()>,
}

impl Worker {
    /// Starts a worker; the receiver hears when it serves.
    ///
    /// # Errors
    /// [`StartFailed`] when the thread or its runtime cannot be had.
    pub(super) fn start(
        number: usize,
        work: Work,
    ) -> Result<(Self, oneshot::Receiver<()>), StartFailed> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(StartFailed::Thread)?;
        let (ready, serves) = oneshot::channel();
        let (left, leaving) = oneshot::channel();
        let (doors, plans) = mpsc::unbounded_channel();
        let thread = std::thread::Builder::new()
            .name(format!("worker-{number}"))
            .spawn(move || runtime.block_on(run(plans, work, (ready, left))))
            .map_err(StartFailed::Thread)?;
        Ok((Self { thread, doors, leaving }, serves))
    }

    /// Lets it accept on one more listener.
    pub(super) fn open(&self, plan: DoorPlan) {
        let _worker_ended = self.doors.send(plan);
    }

    /// Waits until every answer of this worker says that its connection closes.
    pub(super) async fn leaves(&mut self) {
        let _worker_ended = (&mut self.leaving).await;
    }
}

async fn run(
    mut plans: mpsc::UnboundedReceiver<DoorPlan>,
    mut work: Work,
    (ready, left): (oneshot::Sender<()>, oneshot::Sender<()>),
) {
    let (front, lead) = (Arc::new(front(&work)), Lead::new());
    let (living, site) = (front.living.clone(), work.site.clone());
    // It ends with the worker's runtime.
    tokio::spawn(async move { living.watch(&site).await });
    let mut doors = JoinSet::new();
    let _nobody_waits = ready.send(());
    let leave = loop {
        tokio::select! {
            Some(plan) = plans.recv() => {
                doors.spawn(accept(plan, front.clone(), lead.course()));
            }
            Some(_) = doors.join_next() => {}
            leave = told(&mut work.leave, &work.site) => break leave,
        }
    };
    let metrics = work.site.load().metrics.clone();
    lead.begin(leave, &metrics);
    let _nobody_waits = left.send(());
    front.proxy.http_cleanup().await;
    let drained = async { while doors.join_next().await.is_some() {} };
    tokio::select! {
        () = drained => {}
        () = lead.go_on(leave, &metrics) => {}
    }
    // Tokens may be on their way that nobody could have twice.
    let site = work.site.load_full();
    site.settled().await;
}

async fn told(leave: &mut watch::Receiver<Option<Leave>>, site: &ArcSwap<Site>) -> Leave {
    let said = leave.wait_for(Option::is_some).await.ok().and_then(|leave| *leave);
    said.unwrap_or_else(|| Leave::for_good(&site.load().settings.limits))
}

fn front(work: &Work) -> Front {
    let site = work.site.load();
    let gateway = Gateway::new(work.site.clone(), work.access.clone());
    let living = gateway.living();
    let mut proxy = HttpProxy::new(gateway.beside(), pingora_settings());
    proxy.handle_init_modules();
    // CONNECT is refused where every method is, with an answer of ours, and counted.
    let mut options = HttpServerOptions::default();
    options.allow_connect_method_proxying = true;
    proxy.server_options = Some(options);
    proxy.h2_options = Some(http2::options(&site.settings.limits.crowd));
    Front {
        gateway,
        proxy: Arc::new(proxy),
        living,
        site: work.site.clone(),
        access: work.access.clone(),
        lobby: work.load.house.open_lobby(),
        load: work.load.clone(),
        spare: OnceLock::new(),
    }
}
