//! Ports that stay ours while nobody listens on them.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Holds a port: connections to it are refused unless somebody [`listens`](Port::listen).
pub struct Port {
    _held: TcpSocket,
    address: SocketAddr,
}

impl Port {
    pub fn new() -> io::Result<Self> {
        let held = shared(([127, 0, 0, 1], 0).into())?;
        Ok(Self { address: held.local_addr()?, _held: held })
    }

    pub fn number(&self) -> u16 {
        self.address.port()
    }

    pub fn listen(&self) -> io::Result<TcpListener> {
        shared(self.address)?.listen(1_024)
    }
}

/// From now on its end is a reset.
pub fn will_reset(stream: &TcpStream) -> io::Result<()> {
    socket2::SockRef::from(stream).set_linger(Some(std::time::Duration::ZERO))
}

fn shared(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}
