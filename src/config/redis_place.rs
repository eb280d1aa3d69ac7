//! Where Redis is: one server, Sentinels that know it, or a cluster.

use std::path::PathBuf;

use crate::crypto::Secret;

/// Where it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisAddress {
    /// One server: `redis://host:port` or `rediss://host:port`.
    Server(RedisNode),
    /// `unix:///path/of/the/socket`.
    Unix(PathBuf),
    /// Whichever server these Sentinels say is the primary of `service`.
    Sentinels { nodes: Vec<RedisNode>, service: String, user: SentinelUser },
    /// The nodes of a Redis Cluster that are asked for the others.
    Cluster(Vec<RedisNode>),
}

/// A host and its port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RedisNode {
    /// A name, or an address without brackets.
    pub host: String,
    pub port: u16,
}

/// As whom Sentinels are asked; they know nothing of the servers' users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SentinelUser {
    pub username: Option<String>,
    pub password: Option<Secret>,
}
