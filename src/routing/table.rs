//! All hosts and their routes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::{Host, Route};

use super::matcher::Matcher;

/// Looks a request's host and route up. Built once for each configuration.
#[derive(Debug)]
pub struct Table {
    /// A tree: a few hosts are compared sooner than one name is hashed.
    by_authority: BTreeMap<String, usize>,
    matchers: Vec<Matcher>,
}

impl Table {
    /// The table of these hosts and routes; both are spoken of by their position.
    pub fn new(hosts: &[Arc<Host>], routes: &[Route]) -> Self {
        let mut by_authority = BTreeMap::new();
        for (number, host) in hosts.iter().enumerate() {
            let origin = &host.origin;
            by_authority.insert(origin.authority().to_owned(), number);
            if origin.authority() == origin.host() {
                let port = if origin.is_https() { 443 } else { 80 };
                by_authority.insert(format!("{}:{port}", origin.host()), number);
            }
        }
        let mut matchers: Vec<Matcher> = hosts.iter().map(|_| Matcher::default()).collect();
        for (number, route) in routes.iter().enumerate() {
            for name in route.hosts.iter().map(|host| &host.name) {
                if let Some(host) = hosts.iter().position(|host| host.name == *name) {
                    matchers[host].insert(&route.path, number);
                }
            }
        }
        Self { by_authority, matchers }
    }

    /// The host that answers to an authority, lower case, with or without the scheme's own port.
    pub fn host(&self, authority: &str) -> Option<usize> {
        self.by_authority.get(authority).copied()
    }

    /// The route of a canonical path on a host.
    pub fn route(&self, host: usize, path: &str) -> Option<usize> {
        self.matchers.get(host)?.find(path)
    }
}
