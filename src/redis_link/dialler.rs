//! As whom, and how, servers are called; and one connection to one of them.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, IntoConnectionInfo,
    RedisConnectionInfo, TlsCertificates,
};

use crate::config::{Redis, RedisNode, RedisTls};

use super::failure::LinkFailed;

/// What all servers of one configuration have in common.
#[derive(Clone)]
pub(super) struct Dialler {
    who: RedisConnectionInfo,
    certificates: Option<TlsCertificates>,
    /// The longest making a connection may take.
    pub timeout: Duration,
}

/// One server.
#[derive(Clone)]
pub(super) struct Dialled {
    client: Client,
    timeout: Duration,
}

impl Dialler {
    /// Reads the files of TLS, and calls nobody.
    pub fn new(config: &Redis) -> Result<Self, LinkFailed> {
        let mut who = RedisConnectionInfo::default().set_db(config.database);
        if let Some(username) = &config.username {
            who = who.set_username(username);
        }
        if let Some(password) = &config.password {
            who = who.set_password(password.reveal());
        }
        let read = config.tls.as_ref().map(certificates).transpose();
        let certificates = read.map_err(|error| LinkFailed::Unusable(error.to_string().into()))?;
        Ok(Self { who, certificates, timeout: config.timeout })
    }

    /// The same as somebody else.
    pub fn as_user(&self, who: RedisConnectionInfo) -> Self {
        Self { who, ..self.clone() }
    }

    /// A server of this host and port.
    pub fn node(&self, node: &RedisNode) -> Result<Dialled, LinkFailed> {
        let (host, port) = (node.host.clone(), node.port);
        self.at(match self.certificates {
            None => ConnectionAddr::Tcp(host, port),
            Some(_) => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
        })
    }

    /// A server of this address.
    pub fn at(&self, address: ConnectionAddr) -> Result<Dialled, LinkFailed> {
        // One command less that a user of ours has to be allowed.
        let who = self.who.clone().set_skip_set_lib_name();
        let made = address.into_connection_info().and_then(|info| {
            let info = info.set_redis_settings(who);
            match self.certificates.clone() {
                Some(certificates) => Client::build_with_tls(info, certificates),
                None => Client::open(info),
            }
        });
        let client = made.map_err(|error| LinkFailed::Unusable(error.to_string().into()))?;
        Ok(Dialled { client, timeout: self.timeout })
    }
}

impl Dialled {
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

fn certificates(tls: &RedisTls) -> std::io::Result<TlsCertificates> {
    let root_cert = tls.ca.as_ref().map(std::fs::read).transpose()?;
    let client_tls = match &tls.client {
        Some((certificate, key)) => Some(ClientTlsConfig {
            client_cert: std::fs::read(certificate)?,
            client_key: std::fs::read(key)?,
        }),
        None => None,
    };
    Ok(TlsCertificates { client_tls, root_cert })
}
