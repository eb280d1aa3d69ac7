//! How an authority sees for itself that a host is somebody's: over real sockets.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// RFC 8555 §8.3: what the page says has to be the key authorization.
pub async fn by_http(at: SocketAddr, host: &str, authorization: &str) -> Result<(), String> {
    let token = authorization.split_once('.').unwrap().0;
    let answer = page(at, host, &format!("/.well-known/acme-challenge/{token}")).await;
    let (status, body) = answer.ok_or("nobody answers")?;
    match (status, body.trim_end() == authorization) {
        (200, true) => Ok(()),
        (200, false) => Err("the page says something else".to_owned()),
        (status, _) => Err(format!("the page is answered {status}")),
    }
}

/// Status and body of a page by plain http.
pub async fn page(at: SocketAddr, host: &str, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(at).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

/// RFC 8737 §3: one protocol, one name, and the digest in a critical extension.
pub async fn by_tls(at: SocketAddr, host: &str, authorization: &str) -> Result<(), String> {
    let (leaf, protocol) = shown(at, host, &[b"acme-tls/1"]).await?;
    if protocol.as_deref() != Some(b"acme-tls/1") {
        return Err("another protocol was agreed on".to_owned());
    }
    let wanted = digest(&SHA256, authorization.as_bytes());
    // id-pe-acmeIdentifier, critical, an octet string in an octet string.
    let extension: Vec<u8> = [
        &[0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x1f, 0x01, 0x01, 0xff, 0x04][..],
        &[0x22, 0x04, 0x20],
        wanted.as_ref(),
    ]
    .concat();
    let has = leaf.windows(extension.len()).any(|window| window == extension);
    let name = [&[0x82, u8::try_from(host.len()).unwrap()], host.as_bytes()].concat();
    let named = leaf.windows(name.len()).filter(|window| *window == name).count() == 1;
    match has && named {
        true => Ok(()),
        false => Err("the certificate is not the one agreed on".to_owned()),
    }
}

/// The certificate somebody is shown, and the protocol agreed on.
pub async fn shown(
    at: SocketAddr,
    host: &str,
    protocols: &[&[u8]],
) -> Result<(CertificateDer<'static>, Option<Vec<u8>>), String> {
    let seen = Arc::new(Credulous::default());
    let mut config = ClientConfig::builder()
        .dangerous()
        .with_custom_certificate_verifier(seen.clone())
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let stream = TcpStream::connect(at).await.map_err(|error| error.to_string())?;
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let mut stream = connected.map_err(|error| error.to_string())?;
    let protocol = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
    if protocol.as_deref() == Some(b"acme-tls/1") {
        // Nothing may be said on it: not even to who asks.
        let _closed = stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let mut said = Vec::new();
        let _cut = stream.read_to_end(&mut said).await;
        assert!(said.is_empty(), "http over acme-tls/1");
    }
    let leaf = seen.0.lock().unwrap().take().ok_or("nothing is shown")?;
    Ok((leaf, protocol))
}

/// Believes everybody, and remembers what they showed.
#[derive(Debug, Default)]
struct Credulous(Mutex<Option<CertificateDer<'static>>>);

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.0.lock().unwrap() = Some(leaf.clone().into_owned());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}
