//! Where an upstream's name leads, looked up by us and remembered for a while.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::clock::Timestamp;
use crate::config::Upstream;

/// The address of one upstream. Reading it costs no lock; a name is looked up again after
/// [`FRESH`] seconds, and its last address serves on while the lookup fails.
#[derive(Debug)]
pub(super) struct UpstreamAddress {
    name: String,
    port: u16,
    fixed: Option<SocketAddr>,
    found: ArcSwapOption<Found>,
}

#[derive(Debug)]
struct Found {
    address: SocketAddr,
    when: Timestamp,
}

impl UpstreamAddress {
    pub(super) fn new(upstream: &Upstream) -> Self {
        let bare = upstream.host.trim_matches(['[', ']']);
        let fixed = bare.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, upstream.port));
        Self {
            name: upstream.host.clone(),
            port: upstream.port,
            fixed,
            found: ArcSwapOption::empty(),
        }
    }

    /// The address now.
    ///
    /// # Errors
    /// The resolver's, when the name never led anywhere.
    pub(super) async fn resolve(&self, now: Timestamp) -> io::Result<SocketAddr> {
        if let Some(fixed) = self.fixed {
            return Ok(fixed);
        }
        let known = self.found.load_full();
        if let Some(found) = known.as_ref().filter(|found| now.since(found.when) < FRESH) {
            return Ok(found.address);
        }
        match tokio::net::lookup_host((self.name.as_str(), self.port)).await {
            Ok(mut addresses) => {
                let address = addresses.next().ok_or(io::ErrorKind::NotFound)?;
                self.found.store(Some(Arc::new(Found { address, when: now })));
                Ok(address)
            }
            Err(error) => known.map(|found| found.address).ok_or(error),
        }
    }
}

/// Seconds: short enough to follow an app that moves, long enough not to ask for each request.
const FRESH: u64 = 10;
