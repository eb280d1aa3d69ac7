//! The ways to tenants' web services: few hosts, many tenants.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use http::HeaderValue;
use pingora::{Error, ErrorType};
use url::Url;

use crate::clock::Clock;
use crate::config::{Patience, Server, UpstreamScheme, UpstreamTls};
use crate::crypto::Authorities;
use crate::tenants::{Reach, is_public};

use super::super::addresses::UpstreamAddress;
use super::super::dial::Dial;
use super::super::way::Led;

/// The ways that were needed so far; reading costs no lock.
#[derive(Default)]
pub(in crate::gateway) struct Ways {
    known: ArcSwap<HashMap<String, Arc<TenantWay>>>,
    adding: Mutex<()>,
    /// Read once they are needed.
    machine: OnceLock<Authorities>,
}

/// The way to one host.
pub(in crate::gateway) struct TenantWay {
    address: Arc<UpstreamAddress>,
    dial: Arc<Dial>,
    authority: HeaderValue,
}

impl Ways {
    /// Ways under `machine`'s authorities, which are read before they are needed: that takes a while.
    pub(in crate::gateway) fn believing(machine: Authorities) -> Self {
        Self { machine: OnceLock::from(machine), ..Self::default() }
    }

    /// Whom this machine believed when that was needed first; `None` where it was not.
    pub(in crate::gateway) fn believed(&self) -> Option<&Authorities> {
        self.machine.get()
    }

    /// The way to the host of an address; `None` where the address names none.
    pub(in crate::gateway) fn to(&self, address: &Url) -> Option<Arc<TenantWay>> {
        let origin = &address[..url::Position::BeforePath];
        if let Some(way) = self.known.load().get(origin) {
            return Some(way.clone());
        }
        let _one_at_a_time = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let machine = || self.machine.get_or_init(Authorities::of_this_machine).clone();
        let way = Arc::new(TenantWay::new(address, machine)?);
        let mut known = HashMap::clone(&self.known.load());
        if known.len() >= MOST_HOSTS {
            known.clear();
        }
        known.insert(origin.to_owned(), way.clone());
        self.known.store(Arc::new(known));
        Some(way)
    }
}

impl TenantWay {
    fn new(address: &Url, machine: impl FnOnce() -> Authorities) -> Option<Self> {
        let scheme = match address.scheme() {
            "https" => UpstreamScheme::Https,
            "http" => UpstreamScheme::Http,
            _ => return None,
        };
        let host = address.host_str()?.trim_matches(['[', ']']);
        let port = address.port_or_known_default()?;
        let server = Server { scheme, ..Server::at(host, port) };
        let authority = HeaderValue::try_from(server.authority()).ok()?;
        let dial = Arc::new(Dial::new(&server, &UpstreamTls::default(), machine));
        let address = Arc::new(UpstreamAddress::new(host, port, LOOKUP));
        Some(Self { address, dial, authority })
    }

    /// What `Host` says to it.
    pub(in crate::gateway) fn authority(&self) -> &HeaderValue {
        &self.authority
    }

    /// Where a call is led now. Names under `.superoffice.com` lead nowhere private.
    ///
    /// # Errors
    /// When the name leads nowhere, or where it must not.
    pub(in crate::gateway) async fn lead(
        &self,
        clock: &Clock,
        reach: Reach,
        patience: Patience,
    ) -> pingora::Result<Led> {
        let address = self.address.resolve(clock).await.map_err(|error| {
            Error::because(ErrorType::ConnectError, "the tenant's host does not resolve", error)
        })?;
        if reach == Reach::Public && !is_public(address.ip()) {
            let text = "the tenant's host leads to an address that is not public";
            return Err(Error::explain(ErrorType::ConnectError, text));
        }
        Ok(Led { address: address.into(), dial: self.dial.clone(), patience })
    }
}

/// The longest a name may take to be looked up.
const LOOKUP: Duration = Duration::from_secs(5);
/// SuperOffice has some tens of hosts in each environment.
const MOST_HOSTS: usize = 1024;
