//! Sentinels: who the primary is, by what most of them say.
//!
//! The client has a Sentinel of its own, which takes the first answer in the order of the list: where
//! the first machine hangs, and the primary often lives there too, that is none in time.

use std::time::Duration;

use redis::{RedisConnectionInfo, Value};

use crate::config::{RedisNode, SentinelUser};

use super::ballot::most_say;
use super::dialler::{Dialled, Dialler};
use super::failure::LinkFailed;

/// The Sentinels of one service.
pub(super) struct Sentinels {
    servers: Vec<Dialled>,
    service: String,
    timeout: Duration,
}

impl Sentinels {
    /// Called as `user`, over TLS where the servers are.
    pub fn new(
        dialler: &Dialler,
        nodes: &[RedisNode],
        (service, user): (&str, &SentinelUser),
    ) -> Result<Self, LinkFailed> {
        let mut who = RedisConnectionInfo::default();
        if let Some(username) = &user.username {
            who = who.set_username(username);
        }
        if let Some(password) = &user.password {
            who = who.set_password(password.reveal());
        }
        let dialler = dialler.as_user(who);
        let servers = nodes.iter().map(|node| dialler.node(node));
        let servers = servers.collect::<Result<_, _>>()?;
        Ok(Self { servers, service: service.to_owned(), timeout: dialler.timeout })
    }

    /// Where the primary listens, found within the timeout.
    pub async fn primary(&self) -> Result<RedisNode, LinkFailed> {
        let asked = self.servers.iter().map(|server| says(server.clone(), self.service.clone()));
        most_say(asked.collect(), self.timeout).await.map_err(|failed| match failed {
            LinkFailed::Refused(why) => LinkFailed::Refused(format!("a Sentinel: {why}").into()),
            other => LinkFailed::Down(format!("no Sentinel helps: {other}").into()),
        })
    }
}

/// What one Sentinel says.
async fn says(server: Dialled, service: String) -> Result<RedisNode, LinkFailed> {
    let mut connection = server.connect().await?;
    let mut ask = redis::cmd("SENTINEL");
    ask.arg("get-master-addr-by-name").arg(service);
    let answer = connection.send_packed_command(&ask).await.and_then(Value::extract_error);
    match answer.map_err(|error| LinkFailed::of(&error))? {
        Value::Array(parts) => node(&parts).ok_or_else(|| garbled("an address")),
        _ => Err(LinkFailed::Down("a Sentinel knows no service of this name".into())),
    }
}

fn node(parts: &[Value]) -> Option<RedisNode> {
    let [Value::BulkString(host), Value::BulkString(port)] = parts else { return None };
    let host = std::str::from_utf8(host).ok()?.to_owned();
    let port = std::str::from_utf8(port).ok()?.parse().ok()?;
    Some(RedisNode { host, port })
}

fn garbled(what: &str) -> LinkFailed {
    LinkFailed::Answer(format!("not {what}").into())
}
