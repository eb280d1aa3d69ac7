//! Looks at an app's servers, whether anybody asks for them or not.

use std::cell::OnceCell;
use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{sleep, timeout};

use crate::clock::Clock;
use crate::config::{HealthCheck, Patience, Settings};
use crate::crypto::Authorities;
use crate::upstreams::{Looks, Pool, Turn};
use crate::web::ProxyHeader;

use super::roads::Pools;
use super::way::Way;

/// The looks at one server.
struct Checkup {
    /// Once there is no pool any more, nobody wants to know.
    pool: Weak<Pool>,
    /// Which of the pool's servers it is.
    number: usize,
    way: Way,
    check: HealthCheck,
    /// What `Host` says.
    host: String,
    clock: Clock,
}

/// What looks after each server that is to be looked after, for as long as it is waited for.
pub(super) fn all(
    settings: &Settings,
    pools: &Pools,
    clock: &Clock,
) -> Vec<impl Future<Output = ()> + Send + use<>> {
    let machine = OnceCell::new();
    let machine = || machine.get_or_init(Authorities::of_this_machine).clone();
    let mut all = Vec::new();
    for servers in &settings.upstreams {
        let pool = servers.name.as_deref().and_then(|name| pools.find(name));
        let (Some(check), Some(pool)) = (&servers.health, pool) else { continue };
        for (number, server) in servers.each.iter().enumerate() {
            let patience = Patience { connect: check.timeout, read: check.timeout };
            let checkup = Checkup {
                pool: Arc::downgrade(pool),
                number,
                way: Way::without_host(server, servers, patience, machine),
                check: check.clone(),
                host: check.host.clone().unwrap_or_else(|| server.authority()),
                clock: clock.clone(),
            };
            all.push(checkup.go_on());
        }
    }
    all
}

impl Checkup {
    async fn go_on(self) {
        loop {
            let looks = self.look().await;
            let Some(pool) = self.pool.upgrade() else { return };
            self.note(&pool, looks);
            drop(pool);
            sleep(self.check.interval).await;
        }
    }

    async fn look(&self) -> Looks {
        match timeout(self.check.timeout, self.asked()).await {
            Ok(Ok(200..=399)) => Looks::Well,
            Ok(_) | Err(_) => Looks::Ill,
        }
    }

    fn note(&self, pool: &Arc<Pool>, looks: Looks) {
        let Some(member) = pool.members().nth(self.number) else { return };
        match member.looked_at(looks, &self.check) {
            Turn::Nothing => {}
            Turn::Down => tracing::warn!(server = member.name(), "is not well: it is sent nothing"),
            Turn::Up => tracing::info!(server = member.name(), "is well again"),
        }
    }

    /// The status of its answer.
    async fn asked(&self) -> io::Result<u16> {
        let address = self.way.address(&self.clock).await?;
        let most: Option<Duration> = Some(self.check.timeout);
        let connected = self.way.dial.connect(&address, most, ProxyHeader::Nobodys).await;
        let mut cord = connected.map_err(|error| io::Error::other(error.to_string()))?;
        let head = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {AGENT}\r\nAccept: */*\r\n\
             Connection: close\r\n\r\n",
            self.check.path, self.host
        );
        cord.write_all(head.as_bytes()).await?;
        cord.flush().await?;
        let mut line = [0; STATUS_LINE];
        cord.read_exact(&mut line).await?;
        status(&line).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

fn status(line: &[u8; STATUS_LINE]) -> Option<u16> {
    let rest = line.strip_prefix(b"HTTP/1.")?;
    let (version, status) = rest.split_at_checked(2)?;
    let known = matches!(version, b"0 " | b"1 ") && status.iter().all(u8::is_ascii_digit);
    known.then(|| str::from_utf8(status).ok()?.parse().ok())?
}

const AGENT: &str = concat!("superid-gateway/", env!("CARGO_PKG_VERSION"), " health");
/// As much of a status line as tells the status: `HTTP/1.1 200`.
const STATUS_LINE: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_twelve_bytes_tell_the_status() {
        for (line, told) in [
            (b"HTTP/1.1 200", Some(200)),
            (b"HTTP/1.0 503", Some(503)),
            (b"HTTP/2.0 200", None),
            (b"HTTP/1.1 2 0", None),
            (b"<!DOCTYPE ht", None),
        ] {
            assert_eq!(status(line), told, "{}", line.escape_ascii());
        }
    }
}
