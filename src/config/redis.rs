//! `[redis]`: the store that replicas share.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::crypto::Secret;

use super::certificate::existing_file;
use super::reading::quoted;
use super::redis_place::{RedisAddress, RedisNode, SentinelUser};
use super::redis_url::{Told, Way, node, server};
use super::secret_source::secret;
use super::section::Section;
use super::value::Value;
use super::{Key, Table};

pub(super) const TABLE: Table = Table {
    header: "redis",
    keys: &[
        Key::optional("url", "\"rediss://redis.example:6380/0\""),
        Key::optional("sentinels", "[\"rediss://a.example:26379\", \"rediss://b.example:26379\"]"),
        Key::optional("service", "\"mymaster\""),
        Key::optional("sentinel_username", "\"gateway\""),
        Key::optional("sentinel_password", "{ file = \"sentinel-password.txt\" }"),
        Key::optional("cluster", "[\"rediss://a.example:6379\", \"rediss://b.example:6379\"]"),
        Key::optional("username", "\"gateway\""),
        Key::optional("password", "{ file = \"redis-password.txt\" }"),
        Key::optional("ca", "\"redis-ca.pem\""),
        Key::optional("certificate", "\"redis-client.pem\""),
        Key::optional("key", "\"redis-client-key.pem\""),
        Key::defaulted("prefix", "\"superid-gateway\""),
        Key::defaulted("timeout", "\"1s\""),
    ],
};

/// Redis or Valkey. What is kept there is sealed, so it is trusted to be there and to count, and
/// with nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redis {
    pub address: RedisAddress,
    /// How it is spoken to by TLS; `None` where it is spoken to in the clear.
    pub tls: Option<RedisTls>,
    /// The database's number; 0 unless the URL's path names another.
    pub database: i64,
    /// An ACL user's name; without it the password is the default user's.
    pub username: Option<String>,
    pub password: Option<Secret>,
    /// What every key begins with, before a `:`. Default `superid-gateway`.
    pub prefix: String,
    /// The longest making a connection may take. Default 1 second.
    pub timeout: Duration,
}

/// TLS to Redis, and to its Sentinels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedisTls {
    /// A PEM file of authorities that stand in for this machine's.
    pub ca: Option<PathBuf>,
    /// PEM files of a certificate of our own, with its chain, and of its key.
    pub client: Option<(PathBuf, PathBuf)>,
}

/// Reads the table: `Some(None)` where there is no address, and so no shared store.
pub(super) fn redis(root: &Section) -> Option<Option<Redis>> {
    let section = root.section("redis", TABLE.keys);
    let prefix = section.read("prefix", prefix);
    let timeout = section.read("timeout", |value| value.duration(1, 10));
    let (username, password) = user(&section, "username", "password");
    let tls = tls(&section);
    let found = address(&section)?;
    let Some((address, told)) = found else { return Some(None) };
    if told.way != Way::Tls {
        for name in ["ca", "certificate"].into_iter().filter(|name| section.has(name)) {
            section.reading.problem(
                &section.place(name),
                "is for rediss:// alone",
                format!("write rediss://, or leave {name} out"),
            );
        }
    }
    let tls = tls?;
    Some(Some(Redis {
        address,
        tls: (told.way == Way::Tls).then_some(tls),
        database: told.database,
        username: username?,
        password: password?,
        prefix: prefix?,
        timeout: timeout?,
    }))
}

/// Where it is, in one of three ways.
fn address(section: &Section) -> Option<Option<(RedisAddress, Told)>> {
    let written = |name: &&str| section.has(name);
    let mut ways = ["url", "sentinels", "cluster"].into_iter().filter(written);
    let first = ways.next();
    if let (Some(first), Some(other)) = (first, ways.next()) {
        let wrong = format!("stands beside {}", quoted(first));
        section.reading.problem(
            &section.place(other),
            wrong,
            "write url for one server, sentinels for the one they name, or cluster",
        );
        return None;
    }
    let of_sentinels = ["service", "sentinel_username", "sentinel_password"];
    for name in
        of_sentinels.into_iter().filter(|name| first != Some("sentinels") && section.has(name))
    {
        section.reading.problem(
            &section.place(name),
            "is for Sentinels, and none are named",
            format!("leave {name} out, or write sentinels = [\"redis://host:26379\"]"),
        );
    }
    match first {
        None => Some(None),
        Some("url") => section.optional("url", server).map(Some),
        Some("cluster") => {
            let (nodes, told) = nodes(section, "cluster", 6_379)?;
            Some(Some((RedisAddress::Cluster(nodes), told)))
        }
        Some(_) => sentinels(section).map(Some),
    }
}

fn sentinels(section: &Section) -> Option<(RedisAddress, Told)> {
    let service = section.needed("service", |value| value.line(128));
    let (username, password) = user(section, "sentinel_username", "sentinel_password");
    let (nodes, told) = nodes(section, "sentinels", 26_379)?;
    let user = SentinelUser { username: username?, password: password? };
    Some((RedisAddress::Sentinels { nodes, service: service?, user }, told))
}

/// Several servers, all of them spoken to in the same way.
fn nodes(section: &Section, name: &str, port: u16) -> Option<(Vec<RedisNode>, Told)> {
    let read = |value: &Value| {
        let nodes = value.list(|value| node(value, port))?;
        let Some((_, told)) = nodes.first().cloned() else {
            return value.refuse("names no server", "name at least one; three are usual");
        };
        if nodes.iter().any(|(_, other)| *other != told) {
            let wrong = "mixes redis:// and rediss://";
            return value.refuse(wrong, "write the same scheme for all of them");
        }
        if nodes.len() > MOST_NODES {
            let wrong = format!("names {} servers", nodes.len());
            return value.refuse(wrong, format!("name {MOST_NODES} at most: they name the others"));
        }
        Some((nodes.into_iter().map(|(node, _)| node).collect(), told))
    };
    section.optional(name, read)
}

/// A name with a password, a password alone, or neither.
fn user(
    section: &Section,
    name: &str,
    word: &str,
) -> (Option<Option<String>>, Option<Option<Secret>>) {
    let username = read_or_absent(section, name, |value| value.line(128));
    let making = "put the password where this points";
    let password = read_or_absent(section, word, |value| secret(value, making));
    if section.has(name) && !section.has(word) {
        section.reading.problem(
            &section.place(name),
            "has no password beside it",
            format!("add {word} = {}", section.example(word)),
        );
    }
    (username, password)
}

fn tls(section: &Section) -> Option<RedisTls> {
    let ca = read_or_absent(section, "ca", existing_file);
    let certificate = read_or_absent(section, "certificate", existing_file);
    let key = read_or_absent(section, "key", existing_file);
    for (name, other) in [("certificate", "key"), ("key", "certificate")] {
        if section.has(name) && !section.has(other) {
            section.reading.problem(
                &section.place(name),
                format!("has no {other} beside it"),
                format!("add {other} = {}", section.example(other)),
            );
        }
    }
    Some(RedisTls { ca: ca?, client: certificate?.zip(key?) })
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
        let scheme = if self.tls.is_some() { "rediss" } else { "redis" };
        let all = |nodes: &[RedisNode]| {
            let urls = nodes.iter().map(|node| format!("{scheme}://{node}"));
            urls.collect::<Vec<_>>().join(", ")
        };
        match &self.address {
            RedisAddress::Server(node) => write!(out, "{scheme}://{node}/{}", self.database),
            RedisAddress::Unix(path) => write!(out, "unix://{}", path.display()),
            RedisAddress::Sentinels { nodes, service, .. } => {
                write!(out, "{service} of the Sentinels {}", all(nodes))
            }
            RedisAddress::Cluster(nodes) => write!(out, "the cluster of {}", all(nodes)),
        }
    }
}

impl fmt::Display for RedisNode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(out, "[{}]:{}", self.host, self.port),
            false => write!(out, "{}:{}", self.host, self.port),
        }
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

/// Servers in one list; a cluster or its Sentinels name the rest.
const MOST_NODES: usize = 16;
