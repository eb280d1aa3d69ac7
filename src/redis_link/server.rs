//! The server as configured, and one connection to it.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo,
    TlsCertificates,
};

use crate::config::{Redis, RedisAddress};

use super::failure::LinkFailed;

/// Where to connect, and as whom.
pub(super) struct Server {
    client: Client,
    timeout: Duration,
}

impl Server {
    /// Reads the file of authorities, and calls nobody.
    pub fn new(config: &Redis) -> Result<Self, LinkFailed> {
        let mut who = RedisConnectionInfo::default()
            .set_db(config.database)
            // One command less that a user of ours has to be allowed.
            .set_skip_set_lib_name();
        if let Some(username) = &config.username {
            who = who.set_username(username);
        }
        if let Some(password) = &config.password {
            who = who.set_password(password.reveal());
        }
        let client = client(&config.address, who)
            .map_err(|error| LinkFailed::Unusable(error.to_string().into()))?;
        Ok(Self { client, timeout: config.timeout })
    }

    /// Connects, proves who we are, and has an answer to show for it, all within the timeout.
    pub async fn connect(&self) -> Result<MultiplexedConnection, LinkFailed> {
        let settings = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.timeout))
            // Commands have a deadline of their own.
            .set_response_timeout(None);
        let connecting = async {
            let mut connection =
                self.client.get_multiplexed_async_connection_with_config(&settings).await?;
            redis::cmd("PING").exec_async(&mut connection).await?;
            Ok(connection)
        };
        match tokio::time::timeout(self.timeout, connecting).await {
            Ok(connected) => connected.map_err(|error| LinkFailed::of(&error)),
            Err(_elapsed) => Err(LinkFailed::Down("no answer to a new connection".into())),
        }
    }
}

fn client(address: &RedisAddress, who: RedisConnectionInfo) -> redis::RedisResult<Client> {
    let addr = match address {
        RedisAddress::Plain { host, port } => ConnectionAddr::Tcp(host.clone(), *port),
        RedisAddress::Tls { host, port, .. } => ConnectionAddr::TcpTls {
            host: host.clone(),
            port: *port,
            insecure: false,
            tls_params: None,
        },
        RedisAddress::Unix(path) => ConnectionAddr::Unix(path.clone()),
    };
    let info = addr.into_connection_info()?.set_redis_settings(who);
    match address {
        RedisAddress::Tls { ca: Some(path), .. } => {
            let root_cert = Some(std::fs::read(path)?);
            Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert })
        }
        _ => Client::open(info),
    }
}
