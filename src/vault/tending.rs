//! A thread that takes out of a vault what has been dormant for too long.

use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::failure::VaultFailed;

/// Ends when dropped, and the thread soon after it.
pub(super) struct Tending {
    _end: oneshot::Sender<()>,
}

impl Tending {
    /// Prunes at once and after each `pause`. `None` where the system gives no thread: what is put
    /// takes the old along, too.
    pub fn start<P>(pause: Duration, prune: impl Fn() -> P + Send + 'static) -> Option<Self>
    where
        P: Future<Output = Result<usize, VaultFailed>>,
    {
        let runtime = Builder::new_current_thread().enable_time().build().ok()?;
        let (end, ended) = oneshot::channel();
        let tend = move || runtime.block_on(tend(pause, prune, ended));
        thread::Builder::new().name("vault-prune".to_owned()).spawn(tend).ok()?;
        Some(Self { _end: end })
    }
}

async fn tend<P>(pause: Duration, prune: impl Fn() -> P, mut ended: oneshot::Receiver<()>)
where
    P: Future<Output = Result<usize, VaultFailed>>,
{
    loop {
        match prune().await {
            Ok(0) => {}
            Ok(gone) => tracing::info!(gone, "entries that were dormant for 30 days are deleted"),
            Err(failed) => tracing::warn!("dormant entries could not be looked through: {failed}"),
        }
        if timeout(pause, &mut ended).await.is_ok() {
            return;
        }
    }
}
