//! A socket that listens, on the network or in the file system, and what it accepts.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};

use pingora::protocols::l4::stream::Stream as Connection;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use crate::web::{LocalUser, Peer};

/// A socket that listens.
#[derive(Debug)]
pub enum Listening {
    Network(TcpListener),
    Unix(UnixListener),
}

/// The same, within a runtime.
pub(super) enum Entrance {
    Network(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener),
}

/// A connection that was accepted, and whose it is.
pub(super) struct Arrived {
    stream: Arriving,
    pub(super) peer: Peer,
    /// Its ends by the word of a balancer that passes it on.
    told: Option<Ends>,
}

/// Both ends of a connection, as far as they have addresses on the network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) client: Option<SocketAddr>,
    /// Ours; `None` where the system is to be asked.
    pub(super) server: Option<SocketAddr>,
}

enum Arriving {
    Network(TcpStream, SocketAddr),
    Unix(UnixStream),
}

impl AsFd for Listening {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Network(socket) => socket.as_fd(),
            Self::Unix(socket) => socket.as_fd(),
        }
    }
}

impl Listening {
    /// One more handle of it.
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub fn try_clone(&self) -> io::Result<Self> {
        match self {
            Self::Network(socket) => socket.try_clone().map(Self::Network),
            Self::Unix(socket) => socket.try_clone().map(Self::Unix),
        }
    }

    /// Its address, where it is on the network.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Network(socket) => socket.local_addr().ok(),
            Self::Unix(_) => None,
        }
    }

    /// Its path, where it is in the file system.
    pub(super) fn path(&self) -> Option<PathBuf> {
        match self {
            Self::Network(_) => None,
            Self::Unix(socket) => Some(socket.local_addr().ok()?.as_pathname()?.to_owned()),
        }
    }

    pub(super) fn set_nonblocking(&self) -> io::Result<()> {
        match self {
            Self::Network(socket) => socket.set_nonblocking(true),
            Self::Unix(socket) => socket.set_nonblocking(true),
        }
    }

    /// A connection that waits, if one does.
    ///
    /// # Errors
    /// When none does.
    pub(super) fn accept_waiting(&self) -> io::Result<Arrived> {
        match self {
            Self::Network(socket) => {
                let (stream, address) = socket.accept()?;
                stream.set_nonblocking(true)?;
                Ok(Arrived::from_network(TcpStream::from_std(stream)?, address))
            }
            Self::Unix(socket) => {
                let (stream, _) = socket.accept()?;
                stream.set_nonblocking(true)?;
                Arrived::from_here(UnixStream::from_std(stream)?)
            }
        }
    }
}

impl From<TcpListener> for Listening {
    fn from(socket: TcpListener) -> Self {
        Self::Network(socket)
    }
}

impl From<UnixListener> for Listening {
    fn from(socket: UnixListener) -> Self {
        Self::Unix(socket)
    }
}

impl From<Listening> for OwnedFd {
    fn from(socket: Listening) -> Self {
        match socket {
            Listening::Network(socket) => socket.into(),
            Listening::Unix(socket) => socket.into(),
        }
    }
}

impl Entrance {
    /// # Errors
    /// Outside a runtime.
    pub(super) fn of(socket: Listening) -> io::Result<Self> {
        match socket {
            Listening::Network(socket) => {
                tokio::net::TcpListener::from_std(socket).map(Self::Network)
            }
            Listening::Unix(socket) => tokio::net::UnixListener::from_std(socket).map(Self::Unix),
        }
    }

    /// Waits for a connection.
    ///
    /// # Errors
    /// When the system has no room for it, or it is gone again.
    pub(super) async fn accept(&self) -> io::Result<Arrived> {
        match self {
            Self::Network(socket) => {
                let (stream, address) = socket.accept().await?;
                Ok(Arrived::from_network(stream, address))
            }
            Self::Unix(socket) => Arrived::from_here(socket.accept().await?.0),
        }
    }

    pub(super) fn into_listening(self) -> io::Result<Listening> {
        match self {
            Self::Network(socket) => socket.into_std().map(Listening::Network),
            Self::Unix(socket) => socket.into_std().map(Listening::Unix),
        }
    }
}

impl Arrived {
    fn from_network(stream: TcpStream, address: SocketAddr) -> Self {
        let peer = Peer::Address(address.ip());
        Self { stream: Arriving::Network(stream, address), peer, told: None }
    }

    /// The system noted whose it is when it was made (`SO_PEERCRED`, unix(7)).
    fn from_here(stream: UnixStream) -> io::Result<Self> {
        let made_by = stream.peer_cred()?;
        let user = LocalUser { user: made_by.uid(), group: made_by.gid() };
        Ok(Self { stream: Arriving::Unix(stream), peer: Peer::User(user), told: None })
    }

    /// A balancer says whose it is, and where that one connected.
    pub(super) fn is_from(&mut self, client: SocketAddr, server: SocketAddr) {
        self.peer = Peer::Address(client.ip());
        self.told = Some(Ends { client: Some(client), server: Some(server) });
    }

    /// As pingora takes it, and its ends.
    pub(super) fn into_connection(self) -> (Connection, Ends) {
        let seen = |client| Ends { client, server: None };
        let (connection, ends) = match self.stream {
            Arriving::Network(stream, address) => {
                let _latency_only = stream.set_nodelay(true);
                (stream.into(), seen(Some(address)))
            }
            Arriving::Unix(stream) => (stream.into(), seen(None)),
        };
        (connection, self.told.unwrap_or(ends))
    }
}

/// Before it is pingora's.
impl AsyncRead for Arrived {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Arriving::Network(stream, _) => Pin::new(stream).poll_read(context, buffer),
            Arriving::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsFd for Arrived {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.stream {
            Arriving::Network(stream, _) => stream.as_fd(),
            Arriving::Unix(stream) => stream.as_fd(),
        }
    }
}
