//! A worker: one thread with a runtime of its own, a proxy of its own, and every listener's door.

use std::sync::Arc;
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use pingora::apps::{HttpServerApp as _, HttpServerOptions};
use pingora::protocols::http::v2::server::default_h2_options;
use pingora::proxy::HttpProxy;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::gateway::{Gateway, Site};
use crate::telemetry::AccessLog;

use super::assemble::{Load, Roots, StartFailed, pingora_settings};
use super::connection::Front;
use super::doors::DoorPlan;
use super::listener::accept;

/// Everything a worker is made from.
pub(super) struct Work {
    pub(super) site: Arc<ArcSwap<Site>>,
    pub(super) access: Option<AccessLog>,
    pub(super) load: Arc<Load>,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) roots: Roots,
}

/// A running worker.
pub(super) struct Worker {
    pub(super) thread: JoinHandle<()>,
    doors: mpsc::UnboundedSender<DoorPlan>,
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
        let (doors, plans) = mpsc::unbounded_channel();
        let thread = std::thread::Builder::new()
            .name(format!("worker-{number}"))
            .spawn(move || runtime.block_on(run(plans, work, ready)))
            .map_err(StartFailed::Thread)?;
        Ok((Self { thread, doors }, serves))
    }

    /// Lets it accept on one more listener.
    pub(super) fn open(&self, plan: DoorPlan) {
        let _worker_ended = self.doors.send(plan);
    }
}

async fn run(mut plans: mpsc::UnboundedReceiver<DoorPlan>, work: Work, ready: oneshot::Sender<()>) {
    let front = Arc::new(front(&work));
    let mut doors = JoinSet::new();
    let mut stop = work.stop.clone();
    let _nobody_waits = ready.send(());
    loop {
        tokio::select! {
            Some(plan) = plans.recv() => {
                doors.spawn(accept(plan, front.clone(), work.stop.clone()));
            }
            Some(_) = doors.join_next() => {}
            _ = stop.wait_for(|stopping| *stopping) => break,
        }
    }
    front.proxy.http_cleanup().await;
    let drained = async { while doors.join_next().await.is_some() {} };
    let drain = work.site.load().settings.limits.drain_timeout;
    if tokio::time::timeout(drain, drained).await.is_err() {
        tracing::warn!("requests were still open at the end of the drain time and are cut");
    }
}

fn front(work: &Work) -> Front {
    let site = work.site.load();
    let gateway = Gateway::new(work.site.clone(), work.access.clone());
    let mut proxy = HttpProxy::new(gateway, pingora_settings(work.roots));
    proxy.handle_init_modules();
    let mut options = HttpServerOptions::default();
    options.h2_idle_timeout = Some(site.settings.limits.idle_timeout);
    proxy.server_options = Some(options);
    let most = &site.settings.limits.crowd;
    let mut h2 = default_h2_options();
    h2.max_concurrent_streams(most.h2_streams).max_header_list_size(most.h2_header_bytes);
    proxy.h2_options = Some(h2);
    Front {
        proxy: Arc::new(proxy),
        site: work.site.clone(),
        access: work.access.clone(),
        lobby: work.load.house.open_lobby(),
        load: work.load.clone(),
    }
}
