//! Listening sockets that were open before this process: a predecessor's, or the service manager's.

use std::env;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use listenfd::ListenFd;
use socket2::SockRef;

use crate::config::{ListenAddress, Settings};

use super::doorway::doorways;
use super::run::ADMIN;
use super::socket::Listening;
use super::unix_socket;

/// Sockets that listen already, with the names they came with.
#[derive(Debug, Default)]
pub struct Sockets(Vec<(String, Listening)>);

impl Sockets {
    /// Takes what `LISTEN_FDS` speaks of, by the protocol of systemd's `sd_listen_fds(3)`; names come
    /// from `LISTEN_FDNAMES`. To be called once, before there is a second thread.
    ///
    /// # Errors
    /// When one of them is neither a TCP socket nor a unix stream socket.
    pub fn from_environment() -> io::Result<Self> {
        let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':').map(str::to_owned);
        let mut passed = ListenFd::from_env();
        let mut sockets = Vec::new();
        for number in 0..passed.len() {
            let name = names.next().unwrap_or_default();
            let socket = match passed.take_unix_listener(number) {
                Ok(socket) => socket.map(Listening::Unix),
                Err(_) => passed.take_tcp_listener(number)?.map(Listening::Network),
            };
            sockets.extend(socket.map(|socket| (name, socket)));
        }
        Ok(Self(sockets))
    }

    /// The sockets of those listeners whose address they have, under the listeners' names; where a
    /// configuration leaves the port open, the name decides, and it helps a socket on `[::]` to the
    /// listener on `0.0.0.0` with its port. The rest are closed, and the log names them.
    pub fn assigned(mut self, settings: &Settings) -> Vec<(String, Listening)> {
        let doorways = doorways(settings).map(|doorway| (doorway.name, doorway.address));
        let admin = settings.admin.address.map(|address| (ADMIN.to_owned(), address.into()));
        let mut assigned = Vec::new();
        for (name, address) in doorways.chain(admin) {
            let fits =
                |(known, socket): &(String, Listening)| serves(socket, known, &name, &address);
            if let Some(at) = self.0.iter().position(fits) {
                assigned.push((name, self.0.swap_remove(at).1));
            }
        }
        for (name, socket) in self.0 {
            let path = || socket.path().map(|path| path.display().to_string());
            let address = socket.address().map(|at| at.to_string()).or_else(path);
            tracing::warn!(
                name,
                address,
                "a socket that was passed fits no listener, and is closed"
            );
        }
        assigned
    }
}

/// What a listener's socket is called on its way to another process. A colon would end the name
/// there.
pub fn passed_name(name: &str) -> String {
    name.replace(':', ".")
}

fn serves(socket: &Listening, known: &str, name: &str, asked: &ListenAddress) -> bool {
    match asked {
        ListenAddress::Network(asked) => {
            let is_called_so = || known == passed_name(name);
            socket.address().is_some_and(|has| match asked.port() {
                0 => is_called_so() && has.ip() == asked.ip(),
                port => {
                    let both = || has.port() == port && covers(socket, has, *asked);
                    has == *asked || (is_called_so() && both())
                }
            })
        }
        // Where the file is gone, nobody could connect any more.
        ListenAddress::Unix(asked) => {
            socket.path().is_some_and(|path| path == asked.path)
                && unix_socket::found_at(&asked.path).is_some()
        }
    }
}

/// Whether a socket on every address of both families is to stand for every address of the older:
/// systemd's `ListenStream=443` opens one.
fn covers(socket: &Listening, has: SocketAddr, asked: SocketAddr) -> bool {
    has.ip() == Ipv6Addr::UNSPECIFIED
        && asked.ip() == Ipv4Addr::UNSPECIFIED
        && SockRef::from(socket).only_v6().is_ok_and(|only| !only)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_socket_goes_to_the_listener_with_its_address_whatever_it_is_called() {
        let bound = || Listening::from(TcpListener::bind("127.0.0.1:0").unwrap());
        let (web, other, open) = (bound(), bound(), bound());
        let address = web.address().unwrap();
        let is = |socket: &Listening, known, name, asked: &str| {
            serves(socket, known, name, &ListenAddress::Network(asked.parse().unwrap()))
        };
        assert!(is(&web, "unit.socket", "web", &address.to_string()));
        assert!(!is(&other, "web", "web", &address.to_string()), "the configuration has changed");
        assert!(is(&open, "web", "web", "127.0.0.1:0"));
        assert!(!is(&open, "more", "web", "127.0.0.1:0") && !is(&open, "web", "web", "[::1]:0"));
        assert!(is(&open, "job.nightly", "job:nightly", "127.0.0.1:0"), "as it is passed on");
    }
}
