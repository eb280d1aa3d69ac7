//! `[admin]`: where health, readiness and version are answered.

use std::net::SocketAddr;

/// The admin listener; `None` when switched off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    pub address: Option<SocketAddr>,
}
