//! Listening sockets that were open before this process: a predecessor's, or the service manager's.

use std::env;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use listenfd::ListenFd;
use socket2::SockRef;

use crate::config::Settings;

use super::run::ADMIN;

/// Sockets that listen already, with the names they came with.
#[derive(Debug, Default)]
pub struct Sockets(Vec<(String, TcpListener)>);

impl Sockets {
    /// Takes what `LISTEN_FDS` speaks of, by the protocol of systemd's `sd_listen_fds(3)`; names come
    /// from `LISTEN_FDNAMES`. To be called once, before there is a second thread.
    ///
    /// # Errors
    /// When one of them is no TCP socket.
    pub fn from_environment() -> io::Result<Self> {
        let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':').map(str::to_owned);
        let mut passed = ListenFd::from_env();
        let mut sockets = Vec::new();
        for number in 0..passed.len() {
            let name = names.next().unwrap_or_default();
            sockets.extend(passed.take_tcp_listener(number)?.map(|socket| (name, socket)));
        }
        Ok(Self(sockets))
    }

    /// The sockets of those listeners whose address they have, under the listeners' names; where a
    /// configuration leaves the port open, the name decides, and it helps a socket on `[::]` to the
    /// listener on `0.0.0.0` with its port. The rest are closed, and the log names them.
    pub fn assigned(mut self, settings: &Settings) -> Vec<(String, TcpListener)> {
        let listeners =
            settings.listeners.iter().map(|listener| (listener.name.as_str(), listener.address));
        let admin = settings.admin.address.map(|address| (ADMIN, address));
        let mut assigned = Vec::new();
        for (name, address) in listeners.chain(admin) {
            let fits =
                |(known, socket): &(String, TcpListener)| serves(socket, known, name, address);
            if let Some(at) = self.0.iter().position(fits) {
                assigned.push((name.to_owned(), self.0.swap_remove(at).1));
            }
        }
        for (name, socket) in self.0 {
            let address = socket.local_addr().map_or_else(|_| String::new(), |at| at.to_string());
            tracing::warn!(
                name,
                address,
                "a socket that was passed fits no listener, and is closed"
            );
        }
        assigned
    }
}

fn serves(socket: &TcpListener, known: &str, name: &str, asked: SocketAddr) -> bool {
    let Ok(has) = socket.local_addr() else { return false };
    match asked.port() {
        0 => known == name && has.ip() == asked.ip(),
        port => has == asked || (known == name && has.port() == port && covers(socket, has, asked)),
    }
}

/// Whether a socket on every address of both families is to stand for every address of the older:
/// systemd's `ListenStream=443` opens one.
fn covers(socket: &TcpListener, has: SocketAddr, asked: SocketAddr) -> bool {
    has.ip() == Ipv6Addr::UNSPECIFIED
        && asked.ip() == Ipv4Addr::UNSPECIFIED
        && SockRef::from(socket).only_v6().is_ok_and(|only| !only)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_goes_to_the_listener_with_its_address_whatever_it_is_called() {
        let bound = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (web, other, open) = (bound(), bound(), bound());
        let address = web.local_addr().unwrap();
        let is = |socket: &TcpListener, known, name, asked: &str| {
            serves(socket, known, name, asked.parse().unwrap())
        };
        assert!(is(&web, "unit.socket", "web", &address.to_string()));
        assert!(!is(&other, "web", "web", &address.to_string()), "the configuration has changed");
        assert!(is(&open, "web", "web", "127.0.0.1:0"));
        assert!(!is(&open, "more", "web", "127.0.0.1:0") && !is(&open, "web", "web", "[::1]:0"));
    }
}
