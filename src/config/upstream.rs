//! `[upstream.NAME]`: servers that stand for one another, and how they are reached and watched.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::crypto::{Authorities, ClientIdentity};
use crate::web::ProxyVersion;

use super::{Key, Table};

pub(super) const TABLE: Table = Table {
    header: "upstream.NAME",
    keys: &[
        Key::required("servers", "[\"https://10.0.0.1:8443\", \"https://10.0.0.2:8443\"]"),
        Key::defaulted("balance", "\"least_in_flight\""),
        Key::defaulted("hash_by", "\"address\""),
        Key::optional("health_path", "\"/health\""),
        Key::optional("health_host", "\"app.example\""),
        Key::defaulted("health_interval", "\"5s\""),
        Key::defaulted("health_timeout", "\"2s\""),
        Key::defaulted("healthy_after", "2"),
        Key::defaulted("unhealthy_after", "3"),
        Key::defaulted("eject_after", "5"),
        Key::defaulted("eject_time", "\"30s\""),
        Key::defaulted("max_ejected", "50"),
        Key::optional("ca", "\"app-ca.pem\""),
        Key::optional("certificate", "\"client.pem\""),
        Key::optional("key", "\"client-key.pem\""),
        Key::optional("server_name", "\"app.internal\""),
        Key::optional("proxy_protocol", "\"v2\""),
    ],
};

/// Servers that stand for one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Servers {
    /// The table's; none where a route names its one server by a URL.
    pub name: Option<String>,
    /// At least one, at most 64, no two of the same URL.
    pub each: Vec<Server>,
    pub balance: Balance,
    /// None where nobody looks after them but those who ask.
    pub health: Option<HealthCheck>,
    pub ejection: Ejection,
    pub tls: UpstreamTls,
    /// How each connection says whose it is before anything else, where it does.
    pub introduction: Option<ProxyVersion>,
}

/// One server. Its `Display` is its URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub scheme: UpstreamScheme,
    pub place: ServerPlace,
    /// How much it is given beside the others: 1 to 100.
    pub weight: usize,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerPlace {
    /// `host` is a name or an address, lower case; an IPv6 address without brackets.
    Net { host: String, port: u16 },
    /// A socket of this machine's file system.
    Socket(PathBuf),
}

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamScheme {
    Http,
    Https,
}

/// Which server is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balance {
    /// The same one for the same client or tenant.
    Hash(HashBy),
    /// The one with the fewest requests in flight for its weight.
    LeastInFlight,
    /// Each in turn.
    RoundRobin,
}

/// What has to be the same for requests to meet the same server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashBy {
    /// The client's address.
    Address,
    /// The tenant of whoever is signed in, else the client's address.
    Tenant,
}

/// How servers are looked after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// Asked for by GET; an answer of 200 to 399 is a good one.
    pub path: String,
    /// What `Host` says; the server's own name if left out.
    pub host: Option<String>,
    pub interval: Duration,
    /// For the connection and the answer together.
    pub timeout: Duration,
    /// Good answers in a row until a server is used again.
    pub healthy_after: usize,
    /// Bad ones in a row until it is not.
    pub unhealthy_after: usize,
}

/// When a server that fails is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ejection {
    /// Failures in a row; 0 for never.
    pub after: usize,
    pub time: Duration,
    /// How many of the servers may be left out at a time, of a hundred.
    pub most_percent: usize,
}

/// Whom TLS to servers believes, and what it shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpstreamTls {
    /// In place of the machine's.
    pub authorities: Option<Authorities>,
    /// What is shown to a server that asks.
    pub shown: Option<ClientIdentity>,
    /// The name asked for and looked for in the certificate, where it is not the host's.
    pub server_name: Option<String>,
}

impl Servers {
    /// One server, which is never left out: there is no other.
    pub fn one(server: Server) -> Self {
        Self {
            name: None,
            each: vec![server],
            balance: Balance::RoundRobin,
            health: None,
            ejection: Ejection { after: 0, time: Duration::ZERO, most_percent: 0 },
            tls: UpstreamTls::default(),
            introduction: None,
        }
    }

    /// Where they are: the same for upstreams that lead to the same servers.
    pub fn places(&self) -> Vec<String> {
        self.each.iter().map(ToString::to_string).collect()
    }
}

impl Server {
    /// One that speaks http at this address.
    pub fn at(host: &str, port: u16) -> Self {
        let place = ServerPlace::Net { host: host.to_owned(), port };
        Self { scheme: UpstreamScheme::Http, place, weight: 1 }
    }

    /// Its name and, where it is not the scheme's own, its port; an IPv6 address in brackets. A
    /// socket's is `localhost`.
    pub fn authority(&self) -> String {
        match (&self.place, self.scheme) {
            (ServerPlace::Socket(_), _) => "localhost".to_owned(),
            (ServerPlace::Net { host, port: 80 }, UpstreamScheme::Http)
            | (ServerPlace::Net { host, port: 443 }, UpstreamScheme::Https) => bracketed(host),
            (ServerPlace::Net { host, port }, _) => format!("{}:{port}", bracketed(host)),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            UpstreamScheme::Http => "http",
            UpstreamScheme::Https => "https",
        };
        match &self.place {
            ServerPlace::Net { host, port } => write!(out, "{scheme}://{}:{port}", bracketed(host)),
            ServerPlace::Socket(path) => write!(out, "unix://{}", path.display()),
        }
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}
