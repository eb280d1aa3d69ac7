//! The thread that tells apps of their installations, beside the workers.

use std::sync::Arc;
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::gateway::Site;
use crate::webhook::{Now, Sender};

use super::assemble::StartFailed;

/// The running thread.
pub(super) struct Teller {
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

impl Teller {
    /// Starts it; it follows the configuration in force.
    ///
    /// # Errors
    /// [`StartFailed`] when the thread or its runtime cannot be had.
    pub(super) fn start(site: Arc<ArcSwap<Site>>) -> Result<Self, StartFailed> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(StartFailed::Thread)?;
        let (stop, stopped) = watch::channel(false);
        let (clock, random) = {
            let site = site.load();
            (site.clock.clone(), site.random.clone())
        };
        let thread = std::thread::Builder::new()
            .name("webhooks".to_owned())
            .spawn(move || {
                runtime.block_on(Sender::new(clock, random).run(|| now(&site.load()), stopped));
                // Nobody waits for a name that is still looked up.
                runtime.shutdown_background();
            })
            .map_err(StartFailed::Thread)?;
        Ok(Self { stop, thread })
    }

    /// Nothing more is begun.
    pub(super) fn leave(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until what was begun has ended: the time of one delivery at most.
    pub(super) fn join(self) {
        self.leave();
        let _panicked = self.thread.join();
    }
}

fn now(site: &Site) -> Now {
    Now {
        vault: site.users.vault().cloned(),
        parties: site.settings.relying_parties.clone(),
        metrics: site.metrics.clone(),
    }
}
