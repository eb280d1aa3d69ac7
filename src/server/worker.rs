//! A worker: one thread with a runtime of its own, a proxy of its own, and every listener's door.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use pingora::apps::HttpServerApp as _;
use pingora::listeners::tls::Acceptor;
use pingora::proxy::HttpProxy;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::gateway::{Gateway, Site};
use crate::telemetry::AccessLog;

use super::assemble::{Bound, Load, StartFailed, pingora_settings};
use super::listener::{Door, accept};

/// Everything a worker is made from.
pub(super) struct Work {
    pub(super) site: Arc<ArcSwap<Site>>,
    pub(super) access: Option<AccessLog>,
    pub(super) load: Arc<Load>,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) drain: Duration,
}

/// Starts a worker; the receiver hears when its doors are open.
///
/// # Errors
/// [`StartFailed`] when a socket or the thread cannot be had.
pub(super) fn start(
    number: usize,
    bound: &[Bound],
    work: Work,
) -> Result<(JoinHandle<()>, oneshot::Receiver<()>), StartFailed> {
    let sockets = bound
        .iter()
        .map(|bound| Ok((bound.socket.try_clone()?, bound.tls.clone())))
        .collect::<Result<Vec<_>, std::io::Error>>()
        .map_err(StartFailed::Thread)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(StartFailed::Thread)?;
    let (ready, opened) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name(format!("worker-{number}"))
        .spawn(move || runtime.block_on(run(sockets, work, ready)))
        .map_err(StartFailed::Thread)?;
    Ok((thread, opened))
}

async fn run(
    sockets: Vec<(std::net::TcpListener, Option<Arc<rustls::ServerConfig>>)>,
    work: Work,
    ready: oneshot::Sender<()>,
) {
    let settings = pingora_settings(&work.site.load().settings);
    let gateway = Gateway::new(work.site.clone(), work.access);
    let mut proxy = HttpProxy::new(gateway, settings);
    proxy.handle_init_modules();
    let mut options = pingora::apps::HttpServerOptions::default();
    options.h2_idle_timeout = Some(work.site.load().settings.limits.idle_timeout);
    proxy.server_options = Some(options);
    let proxy = Arc::new(proxy);
    let mut doors = JoinSet::new();
    for (socket, tls) in sockets {
        let Ok(socket) = tokio::net::TcpListener::from_std(socket) else { return };
        let door = Door { socket, tls: tls.map(Acceptor::from_server_config) };
        doors.spawn(accept(door, proxy.clone(), work.load.clone(), work.stop.clone()));
    }
    let _nobody_waits = ready.send(());
    let mut stop = work.stop;
    let _sender_gone = stop.wait_for(|stopping| *stopping).await;
    proxy.http_cleanup().await;
    let drained = async { while doors.join_next().await.is_some() {} };
    if tokio::time::timeout(work.drain, drained).await.is_err() {
        tracing::warn!("requests were still open at the end of the drain time and are cut");
    }
}
