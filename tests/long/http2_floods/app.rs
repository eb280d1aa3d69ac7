//! An app with an endless answer, a large one, and a small one, over http or https.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// With this certificate it speaks TLS.
pub fn secured(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> TlsAcceptor {
    superid_gateway::crypto::install_provider();
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![certificate], key).unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Starts it on a thread of its own; says its port.
pub fn start(tls: Option<TlsAcceptor>) -> u16 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        runtime.block_on(async {
            while let Ok((stream, _)) = listener.accept().await {
                let tls = tls.clone();
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream).await,
                        Some(tls) => {
                            let Ok(stream) = tls.accept(stream).await else { return };
                            serve(stream).await;
                        }
                    }
                });
            }
        });
    });
    port
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut request = Vec::new();
    loop {
        request.clear();
        while !request.ends_with(b"\r\n\r\n") {
            if !matches!(stream.read_buf(&mut request).await, Ok(1..)) {
                return;
            }
        }
        let asked = request.strip_prefix(b"GET ").unwrap_or_default();
        let asked = asked.strip_prefix(b"/https").unwrap_or(asked);
        if asked.starts_with(b"/held ") {
            let _until_it_is_given_up = stream.read_u8().await;
            return;
        }
        let length = match asked {
            [b'/', b'l', ..] => LARGE,
            [b'/', b'p', ..] => PAGE,
            _ => 5,
        };
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        let answer = [head.into_bytes(), vec![b'x'; length]].concat();
        // TLS keeps the last of it otherwise.
        if stream.write_all(&answer).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

const LARGE: usize = 4 << 20;
const PAGE: usize = 16 << 10;
