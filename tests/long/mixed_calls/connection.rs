//! A kept connection of a program that calls, and one whole answer.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

pub struct Connection {
    to: SocketAddr,
    sender: Option<SendRequest<Full<Bytes>>>,
}

pub struct Answer {
    pub status: StatusCode,
    headers: HeaderMap,
    pub body: Bytes,
}

impl Connection {
    /// To this address, made when it is needed.
    pub fn new(to: SocketAddr) -> Self {
        Self { to, sender: None }
    }

    /// Sends a request and reads its answer to the end; an error where there is none.
    pub async fn ask(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, hyper::Error> {
        let mut sender = match self.kept().await {
            Some(sender) => sender,
            None => connected(self.to).await?,
        };
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        self.sender = Some(sender);
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    async fn kept(&mut self) -> Option<SendRequest<Full<Bytes>>> {
        let mut sender = self.sender.take()?;
        sender.ready().await.ok().map(|()| sender)
    }
}

impl Answer {
    /// The word by which the gateway says no; `None` where the tenant answered.
    pub fn refusal(&self) -> Option<&str> {
        Some(self.headers.get("superid-gateway-error")?.to_str().unwrap())
    }
}

async fn connected(to: SocketAddr) -> Result<SendRequest<Full<Bytes>>, hyper::Error> {
    let stream = TcpStream::connect(to).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}
