//! `[forwarded]`: whose word about the client is believed.

use ipnet::IpNet;

/// Proxies in front of us whose `X-Forwarded-For` is read; empty by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forwarded {
    pub trusted_proxies: Vec<IpNet>,
}
