//! Clients of HTTP/2 over TLS: many requests on one connection, left when it says GOAWAY.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use http::Request;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsConnector;

use crate::Load;
use crate::counts::{Begun, Kind, Loss};

pub fn connector(certificate: CertificateDer<'static>) -> TlsConnector {
    superid_gateway::crypto::install_provider();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsConnector::from(Arc::new(config))
}

pub async fn ask(load: Load, connector: TlsConnector, _number: usize) {
    let mut turns = interval(Duration::from_millis(20));
    turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut kept: Option<SendRequest<Bytes>> = None;
    let mut flying = JoinSet::new();
    while !load.counts.is_over() {
        turns.tick().await;
        // A connection that was told to go takes no more; that is no loss.
        let ready = match kept.take() {
            Some(client) => client.ready().await.ok(),
            None => None,
        };
        let mut client = match ready {
            Some(client) => client,
            None => match connect(&load, &connector).await {
                Ok(client) => client,
                Err(loss) => {
                    load.counts.lost(loss, "connecting over HTTP/2");
                    continue;
                }
            },
        };
        let request = Request::get("https://localhost:8443/x").body(()).unwrap();
        match client.send_request(request, true) {
            Ok((response, _)) => {
                let counts = load.counts.clone();
                flying.spawn(async move {
                    match whole(response).await {
                        Ok(200) => counts.answered(Kind::Http2),
                        Ok(_) => counts.lost(Loss::Otherwise, "HTTP/2"),
                        Err(error) => counts.lost(Loss::Unanswered, &format!("HTTP/2: {error}")),
                    }
                });
                kept = Some(client);
            }
            Err(error) if error.is_go_away() => {}
            Err(error) => load.counts.lost(Loss::Unanswered, &format!("HTTP/2: {error}")),
        }
        while flying.try_join_next().is_some() {}
    }
    while flying.join_next().await.is_some() {}
}

async fn whole(response: h2::client::ResponseFuture) -> Result<u16, h2::Error> {
    let (head, mut body) = response.await?.into_parts();
    while let Some(data) = body.data().await {
        let _freed = body.flow_control().release_capacity(data?.len());
    }
    Ok(head.status.as_u16())
}

async fn connect(load: &Load, connector: &TlsConnector) -> Result<SendRequest<Bytes>, Loss> {
    let stream = TcpStream::connect(("127.0.0.1", load.tls_port)).await;
    let stream = stream.map_err(|error| Loss::of(&error, Begun::Not))?;
    let stream = connector.connect("localhost".try_into().unwrap(), stream).await;
    let stream = stream.map_err(|error| Loss::of(&error, Begun::Not))?;
    let (client, connection) = h2::client::handshake(stream).await.map_err(|_| Loss::Unanswered)?;
    tokio::spawn(connection);
    load.counts.connected();
    client.ready().await.map_err(|_| Loss::Unanswered)
}
