//! A thread that takes out of a vault what has been dormant for too long.

use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::entries::Vault;

/// Ends when dropped, and the thread soon after it.
pub(super) struct Tending {
    _end: oneshot::Sender<()>,
}

impl Tending {
    /// `None` where the system gives no thread: what is put takes the old along, too.
    pub fn start(vault: Vault, pause: Duration) -> Option<Self> {
        let runtime = Builder::new_current_thread().enable_time().build().ok()?;
        let (end, ended) = oneshot::channel();
        let tend = move || runtime.block_on(tend(&vault, pause, ended));
        thread::Builder::new().name("vault-prune".to_owned()).spawn(tend).ok()?;
        Some(Self { _end: end })
    }
}

async fn tend(vault: &Vault, pause: Duration, mut ended: oneshot::Receiver<()>) {
    loop {
        match vault.prune().await {
            Ok(0) => {}
            Ok(gone) => tracing::info!(gone, "entries that were dormant for 30 days are deleted"),
            Err(failed) => tracing::warn!("dormant entries could not be looked through: {failed}"),
        }
        if timeout(pause, &mut ended).await.is_ok() {
            return;
        }
    }
}
