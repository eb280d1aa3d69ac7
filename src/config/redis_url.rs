//! Addresses of Redis servers, as `[redis]` has them.

use url::{Host, Url};

use super::reading::quoted;
use super::redis_place::{RedisAddress, RedisNode};
use super::value::Value;

/// What a URL says beside the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub way: Way,
    pub database: i64,
}

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Plain,
    Tls,
}

/// One server: a host or a socket, and perhaps a database.
pub(super) fn server(value: &Value) -> Option<(RedisAddress, Told)> {
    let instead = "write \"redis://host:6379\", \"rediss://host:6380/0\" or \"unix:///socket\"";
    let url = bare(value, instead)?;
    if url.scheme() == "unix" {
        let told = Told { way: Way::Plain, database: 0 };
        return match (url.host(), url.path()) {
            (None, path) if is_absolute(path) && !path.contains('%') => {
                Some((RedisAddress::Unix(path.into()), told))
            }
            _ => value.refuse("is not the absolute path of a socket", instead),
        };
    }
    let host = host(value, &url, instead)?;
    let database = database(value, &url)?;
    let way = way(value, &url, instead)?;
    let port = url.port().unwrap_or(6_379);
    Some((RedisAddress::Server(RedisNode { host, port }), Told { way, database }))
}

/// One of several servers; `port` unless another is named.
pub(super) fn node(value: &Value, port: u16) -> Option<(RedisNode, Told)> {
    let instead = "write \"redis://host:port\" or \"rediss://host:port\"";
    let url = bare(value, instead)?;
    let host = host(value, &url, instead)?;
    if !matches!(url.path(), "" | "/") {
        return value.refuse("has a path", "leave it out: of several servers database 0 is used");
    }
    let way = way(value, &url, instead)?;
    let port = url.port().unwrap_or(port);
    Some((RedisNode { host, port }, Told { way, database: 0 }))
}

/// Says which part is wrong, never the URL: people put passwords there.
fn bare(value: &Value, instead: &str) -> Option<Url> {
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
    Some(url)
}

fn host(value: &Value, url: &Url, instead: &str) -> Option<String> {
    let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
        return value.refuse("names no host", instead);
    };
    Some(host.trim_start_matches('[').trim_end_matches(']').to_owned())
}

fn way(value: &Value, url: &Url, instead: &str) -> Option<Way> {
    match url.scheme() {
        "redis" => {
            warn_when_plain_and_far(value, url);
            Some(Way::Plain)
        }
        "rediss" => Some(Way::Tls),
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
