//! The thread that orders and renews certificates, beside the workers.

use std::sync::Arc;
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::acme::{Force, Keeper};
use crate::gateway::Site;

use super::assemble::StartFailed;

/// The running thread.
pub(super) struct Renewals {
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

impl Renewals {
    /// Starts it; it follows the configuration in force, and `stored` hears of what came.
    ///
    /// # Errors
    /// [`StartFailed`] when the thread or its runtime cannot be had.
    pub(super) fn start(
        site: Arc<ArcSwap<Site>>,
        stored: watch::Sender<u64>,
    ) -> Result<Self, StartFailed> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(StartFailed::Thread)?;
        let (stop, stopped) = watch::channel(false);
        let (clock, random) = {
            let site = site.load();
            (site.clock.clone(), site.random.clone())
        };
        let force = move || {
            let site = site.load();
            Force { ordered: site.settings.ordered.clone(), metrics: site.metrics.clone() }
        };
        let thread = std::thread::Builder::new()
            .name("acme".to_owned())
            .spawn(move || {
                runtime.block_on(Keeper::new(clock, random, stored).run(force, stopped));
                // Nobody waits for a name that is still looked up.
                runtime.shutdown_background();
            })
            .map_err(StartFailed::Thread)?;
        Ok(Self { stop, thread })
    }

    /// Nothing more is ordered; what is under way ends at once, and whoever takes over may order.
    pub(super) fn leave(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until it has ended.
    pub(super) fn join(self) {
        self.leave();
        let _panicked = self.thread.join();
    }
}
