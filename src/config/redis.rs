//! `[redis]`: the store that replicas share.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use url::{Host, Url};

use crate::crypto::Secret;

use super::certificate::existing_file;
use super::reading::quoted;
use super::secret_source::secret;
use super::section::Section;
use super::value::Value;
use super::{Key, Table};

pub(super) const TABLE: Table = Table {
    header: "redis",
    keys: &[
        Key::optional("url", "\"rediss://redis.example:6380/0\""),
        Key::optional("username", "\"gateway\""),
        Key::optional("password", "{ file = \"redis-password.txt\" }"),
        Key::optional("ca", "\"redis-ca.pem\""),
        Key::defaulted("prefix", "\"superid-gateway\""),
        Key::defaulted("timeout", "\"1s\""),
    ],
};

/// A Redis or Valkey server. What is kept there is sealed, so it is trusted to be there and to
/// count, and with nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redis {
    pub address: RedisAddress,
    /// The database's number; 0 unless the URL's path names another.
    pub database: i64,
    /// An ACL user's name; without it the password is the default user's.
    pub username: Option<String>,
    pub password: Option<Secret>,
    /// What every key begins with, before a `:`. Default `superid-gateway`.
    pub prefix: String,
    /// The longest a command may take, connecting included. Default 1 second.
    pub timeout: Duration,
}

/// Where the server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisAddress {
    /// `redis://host:port`; port 6379 unless it is named.
    Plain { host: String, port: u16 },
    /// `rediss://host:port`. `ca` is a PEM file that stands in for this machine's authorities.
    Tls { host: String, port: u16, ca: Option<PathBuf> },
    /// `unix:///path/of/the/socket`.
    Unix(PathBuf),
}

/// Reads the table: `Some(None)` where there is no URL, and so no shared store.
pub(super) fn redis(root: &Section) -> Option<Option<Redis>> {
    let section = root.section("redis", TABLE.keys);
    let prefix = section.read("prefix", prefix);
    let timeout = section.read("timeout", |value| value.duration(1, 10));
    let username = read_or_absent(&section, "username", |value| value.line(128));
    let making = "put the password where this points";
    let password = read_or_absent(&section, "password", |value| secret(value, making));
    let ca = read_or_absent(&section, "ca", existing_file);
    let url = read_or_absent(&section, "url", address);
    if let (true, Some(Some((address, _)))) = (section.has("ca"), &url)
        && !matches!(address, RedisAddress::Tls { .. })
    {
        section.reading.problem(
            &section.place("ca"),
            "is for rediss:// alone",
            "write rediss:// in url, or leave ca out",
        );
    }
    if section.has("username") && !section.has("password") {
        section.reading.problem(
            &section.place("username"),
            "has no password beside it",
            "add password = { file = \"redis-password.txt\" }",
        );
    }
    let Some((mut address, database)) = url? else { return Some(None) };
    if let RedisAddress::Tls { ca: authority, .. } = &mut address {
        *authority = ca?;
    }
    Some(Some(Redis {
        address,
        database,
        username: username?,
        password: password?,
        prefix: prefix?,
        timeout: timeout?,
    }))
}

/// `Some(None)` when the key is not written, `None` when it is wrong.
fn read_or_absent<T>(
    section: &Section,
    name: &str,
    convert: impl FnOnce(&Value) -> Option<T>,
) -> Option<Option<T>> {
    match section.has(name) {
        true => section.optional(name, convert).map(Some),
        false => Some(None),
    }
}

impl fmt::Display for Redis {
    /// Where it is, for people.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bracketed = |host: &str| match host.contains(':') {
            true => format!("[{host}]"),
            false => host.to_owned(),
        };
        match &self.address {
            RedisAddress::Plain { host, port } => write!(out, "redis://{}:{port}", bracketed(host)),
            RedisAddress::Tls { host, port, .. } => {
                write!(out, "rediss://{}:{port}", bracketed(host))
            }
            RedisAddress::Unix(path) => return write!(out, "unix://{}", path.display()),
        }?;
        write!(out, "/{}", self.database)
    }
}

/// Says which part is wrong, never the URL: people put passwords there.
fn address(value: &Value) -> Option<(RedisAddress, i64)> {
    let instead = "write \"redis://host:6379\", \"rediss://host:6380/0\" or \"unix:///socket\"";
    let Ok(url) = Url::parse(value.text()?) else {
        return value.refuse("is not a URL", instead);
    };
    if !url.username().is_empty() || url.password().is_some() {
        return value.refuse(
            "holds a user or a password",
            "leave them out, and write username and password = { file = \"…\" } beside it",
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return value.refuse("holds a query or a fragment", instead);
    }
    if url.scheme() == "unix" {
        return match (url.host(), url.path()) {
            (None, path) if is_absolute(path) && !path.contains('%') => {
                Some((RedisAddress::Unix(path.into()), 0))
            }
            _ => value.refuse("is not the absolute path of a socket", instead),
        };
    }
    let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
        return value.refuse("names no host", instead);
    };
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let database = database(value, &url)?;
    let port = url.port().unwrap_or(6_379);
    match url.scheme() {
        "redis" => {
            warn_when_plain_and_far(value, &url);
            Some((RedisAddress::Plain { host, port }, database))
        }
        "rediss" => Some((RedisAddress::Tls { host, port, ca: None }, database)),
        other => value.refuse(format!("{} is no scheme of Redis", quoted(other)), instead),
    }
}

fn database(value: &Value, url: &Url) -> Option<i64> {
    match url.path().trim_start_matches('/') {
        "" => Some(0),
        digits => match digits.parse::<u16>() {
            Ok(number) => Some(number.into()),
            Err(_) => value.refuse(
                "has a path that is not a database's number",
                "leave the path out, or write a number such as /0",
            ),
        },
    }
}

fn is_absolute(path: &str) -> bool {
    path.starts_with('/') && path.len() > 1
}

/// Values are sealed; the password is not.
fn warn_when_plain_and_far(value: &Value, url: &Url) {
    let near = match url.host() {
        // A scheme the URL standard does not know keeps addresses as names.
        Some(Host::Domain(name)) => {
            name == "localhost"
                || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => true,
    };
    if !near {
        value.reading.warn(
            &value.place,
            "the password and the keys' names cross the network in the clear",
            "write rediss://, or keep the network to yourselves",
        );
    }
}

fn prefix(value: &Value) -> Option<String> {
    let text = value.line(64)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    match text.bytes().all(fits) {
        true => Some(text),
        false => value.refuse(
            format!("{} is not a prefix for keys", quoted(&text)),
            "use letters, digits and -_.: alone",
        ),
    }
}
