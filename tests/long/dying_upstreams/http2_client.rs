//! A client of HTTP/2 over TLS: many requests on one connection.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use h2::client::SendRequest;
use http::Request;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::judge::{PATIENCE, Saw};
use crate::load::Asking;

pub struct Client {
    to: SocketAddr,
    tls: Arc<ClientConfig>,
    kept: Option<SendRequest<Bytes>>,
}

impl Client {
    pub fn new(to: SocketAddr, tls: Arc<ClientConfig>) -> Self {
        Self { to, tls, kept: None }
    }

    /// What takes the next request: the connection there is, or a new one.
    pub async fn ready(&mut self) -> Option<SendRequest<Bytes>> {
        if let Some(kept) = self.kept.take()
            && let Ok(ready) = kept.ready().await
        {
            self.kept = Some(ready.clone());
            return Some(ready);
        }
        let stream = TcpStream::connect(self.to).await.ok()?;
        let name = "localhost".try_into().ok()?;
        let stream = TlsConnector::from(self.tls.clone()).connect(name, stream).await.ok()?;
        let (client, connection) = h2::client::handshake(stream).await.ok()?;
        tokio::spawn(connection);
        let client = client.ready().await.ok()?;
        self.kept = Some(client.clone());
        Some(client)
    }
}

pub async fn ask(client: Option<SendRequest<Bytes>>, asking: Asking) -> Saw {
    let Some(client) = client else { return Saw::Nothing };
    let mut saw = Saw::Nothing;
    match timeout(PATIENCE, whole(client, asking, &mut saw)).await {
        Ok(Ok(whole)) => whole,
        Ok(Err(_)) | Err(_) => saw,
    }
}

async fn whole(
    client: SendRequest<Bytes>,
    asking: Asking,
    saw: &mut Saw,
) -> Result<Saw, h2::Error> {
    let body = asking.body();
    let request = Request::builder()
        .method(asking.method.as_str())
        .uri(format!("https://localhost{}", asking.path()))
        .header("x-number", asking.number)
        .header("content-length", body.len())
        .body(())
        .expect("its parts are good");
    let mut client = client.ready().await?;
    let (response, mut sent) = client.send_request(request, body.is_empty())?;
    if !body.is_empty() {
        sent.send_data(body.into(), true)?;
    }
    let (head, mut body) = response.await?.into_parts();
    *saw = Saw::Cut;
    let mut length = 0;
    while let Some(data) = body.data().await {
        let data = data?;
        length += data.len();
        let _freed = body.flow_control().release_capacity(data.len());
    }
    let server = head.headers.get("x-server");
    let server = server.and_then(|value| value.to_str().ok()?.parse().ok());
    Ok(Saw::Whole { status: head.status.as_u16(), server, length })
}
