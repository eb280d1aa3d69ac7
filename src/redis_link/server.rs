//! The server that commands go to: one that is named, or whichever is the primary.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{ConnectionAddr, Value};

use crate::config::{Redis, RedisAddress, RedisNode};

use super::dialler::{Dialled, Dialler};
use super::failure::LinkFailed;
use super::sentinels::Sentinels;

/// Where to connect.
pub(super) enum Server {
    Fixed(Dialled),
    Primary(Sentinels, Dialler),
}

impl Server {
    /// The one server of a configuration without a cluster. Calls nobody.
    pub fn new(config: &Redis, dialler: Dialler) -> Result<Self, LinkFailed> {
        match &config.address {
            RedisAddress::Server(node) => Ok(Self::Fixed(dialler.node(node)?)),
            RedisAddress::Unix(path) => {
                Ok(Self::Fixed(dialler.at(ConnectionAddr::Unix(path.clone()))?))
            }
            RedisAddress::Sentinels { nodes, service, user } => {
                Ok(Self::Primary(Sentinels::new(&dialler, nodes, (service, user))?, dialler))
            }
            RedisAddress::Cluster(_) => {
                Err(LinkFailed::Unusable("a cluster is more than one server".into()))
            }
        }
    }

    /// Connects, within the timeout for each server that is met on the way: one, and a Sentinel
    /// before it where they say which.
    pub async fn connect(&self) -> Result<MultiplexedConnection, LinkFailed> {
        match self {
            Self::Fixed(server) => server.connect().await,
            Self::Primary(sentinels, dialler) => {
                let node = sentinels.primary().await?;
                let mut connection = dialler.node(&node)?.connect().await?;
                is_primary(&mut connection, &node, dialler.timeout).await?;
                Ok(connection)
            }
        }
    }
}

/// A Sentinel may be behind the times. A user who may not ask finds out by the first write.
async fn is_primary(
    connection: &mut MultiplexedConnection,
    node: &RedisNode,
    wait: Duration,
) -> Result<(), LinkFailed> {
    let role = redis::cmd("ROLE");
    let answer = tokio::time::timeout(wait, connection.send_packed_command(&role)).await;
    match answer.map(|answer| answer.and_then(Value::extract_error)) {
        Ok(Ok(Value::Array(parts))) if parts.first().is_some_and(is_master) => Ok(()),
        Ok(Ok(_)) => Err(LinkFailed::Down(format!("{node} is not the primary any more").into())),
        Ok(Err(error)) => match LinkFailed::of(&error) {
            LinkFailed::Refused(_) | LinkFailed::Answer(_) => Ok(()),
            failed => Err(failed),
        },
        Err(_elapsed) => Err(LinkFailed::Down(format!("{node} does not answer").into())),
    }
}

fn is_master(word: &Value) -> bool {
    matches!(word, Value::BulkString(word) if word == b"master")
}
