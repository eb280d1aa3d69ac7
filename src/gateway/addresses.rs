//! Where an upstream's name leads, looked up by us and remembered for a while.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use crate::clock::{Clock, Timestamp};

/// The address of one upstream. Reading it costs no lock. A name is looked up again after
/// [`FRESH`] seconds by one request, while the others go on with the address that is known; it
/// serves on for as long as the lookup fails.
#[derive(Debug)]
pub(super) struct UpstreamAddress {
    name: String,
    port: u16,
    patience: Duration,
    fixed: Option<SocketAddr>,
    found: ArcSwapOption<Found>,
    asking: AtomicBool,
}

#[derive(Debug)]
struct Found {
    address: SocketAddr,
    when: Timestamp,
}

impl UpstreamAddress {
    /// Of `name`, which is looked up within `patience`.
    pub(super) fn new(name: &str, port: u16, patience: Duration) -> Self {
        let fixed = name.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, port));
        Self {
            name: name.to_owned(),
            port,
            patience,
            fixed,
            found: ArcSwapOption::empty(),
            asking: AtomicBool::new(false),
        }
    }

    /// The address now.
    ///
    /// # Errors
    /// The resolver's, when the name never led anywhere, or took longer than a connection may.
    pub(super) async fn resolve(self: &Arc<Self>, clock: &Clock) -> io::Result<SocketAddr> {
        if let Some(fixed) = self.fixed {
            return Ok(fixed);
        }
        let now = clock.now();
        let Some(found) = self.found.load_full() else { return self.look_up(now).await };
        if now.since(found.when) >= FRESH && !self.asking.swap(true, Ordering::AcqRel) {
            let this = self.clone();
            tokio::spawn(async move {
                let _old_address_serves_on = this.look_up(now).await;
                this.asking.store(false, Ordering::Release);
            });
        }
        Ok(found.address)
    }

    async fn look_up(&self, now: Timestamp) -> io::Result<SocketAddr> {
        let lookup = tokio::net::lookup_host((self.name.as_str(), self.port));
        let mut addresses = tokio::time::timeout(self.patience, lookup).await??;
        let address = addresses.next().ok_or(io::ErrorKind::NotFound)?;
        self.found.store(Some(Arc::new(Found { address, when: now })));
        Ok(address)
    }
}

/// Seconds: short enough to follow an app that moves, long enough not to ask for each request.
const FRESH: u64 = 10;
