//! TLS between the clients and the gateway.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::setting::HOST;

/// The gateway's.
pub struct Certificate {
    certificate: CertificateDer<'static>,
    chain: PathBuf,
    key: PathBuf,
}

impl Certificate {
    /// Makes one, and writes its files.
    pub fn write(folder: &Path) -> Self {
        let made = rcgen::generate_simple_self_signed(vec![HOST.to_owned()]).unwrap();
        let (chain, key) = (folder.join("chain.pem"), folder.join("key.pem"));
        std::fs::write(&chain, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        Self { certificate: made.cert.der().clone(), chain, key }
    }

    /// The table of the listener that shows it.
    pub fn listener(&self, port: u16) -> String {
        format!(
            "[listener.secure]\naddress = \"127.0.0.1:{port}\"\ncertificate = {:?}\nkey = {:?}\n",
            self.chain.display().to_string(),
            self.key.display().to_string()
        )
    }

    /// Who connects, and speaks this protocol.
    pub fn connector(&self, protocol: &[u8]) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let mut client =
            ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        client.alpn_protocols = vec![protocol.to_vec()];
        TlsConnector::from(Arc::new(client))
    }
}

/// A connection.
pub async fn connect(connector: &TlsConnector, port: u16) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    connector.connect(HOST.try_into().unwrap(), stream).await.unwrap()
}
