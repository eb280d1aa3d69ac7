//! Callers that prove themselves by a client certificate.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::world::{NORDLYS, World, nightly};

struct Authority {
    params: CertificateParams,
    key: KeyPair,
    pem: String,
    der: CertificateDer<'static>,
}

/// A certificate with its key.
type Shown = (CertificateDer<'static>, PrivateKeyDer<'static>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let (pem, der) = (certificate.pem(), certificate.der().clone());
        Self { params, key, pem, der }
    }

    fn issues(&self, name: &str) -> (Shown, [String; 2]) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let pem = [certificate.pem(), key.serialize_pem()];
        let secret = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        ((certificate.der().clone(), secret), pem)
    }
}

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

impl Folder {
    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

/// A world whose job listener speaks TLS and asks for certificates of `callers`.
async fn secured(callers: &Authority, server: &Authority) -> (World, Folder) {
    let name = format!("superid-gateway-certificates-{}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(name));
    std::fs::create_dir_all(&folder.0).unwrap();
    let (_, [certificate, key]) = server.issues("jobs.test");
    let changes = format!(
        "[job_listener.jobs]\ncertificate = {:?}\nkey = {:?}\nclient_ca = {:?}\n\
         [job_caller.certified]\ncertificate_name = \"nightly.jobs.test\"\ntenants = [\"Cust12345\"]\n",
        folder.write("certificate.pem", &certificate),
        folder.write("key.pem", &key),
        folder.write("callers.pem", &callers.pem),
    );
    (World::with(&changes).await, folder)
}

/// The status line of a call, or nothing where the handshake or the connection fails.
async fn status(
    world: &World,
    server: &Authority,
    shown: Option<Shown>,
    proof: &str,
) -> Option<u16> {
    let mut roots = RootCertStore::empty();
    roots.add(server.der.clone()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots);
    let config = match shown {
        Some((certificate, key)) => config.with_client_auth_cert(vec![certificate], key).unwrap(),
        None => config.with_no_client_auth(),
    };
    let addresses = world.gateway.addresses();
    let (_, address) = addresses.iter().find(|(name, _)| name == "job:jobs").unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("jobs.test").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()?;
    let request = format!(
        "GET /Cust12345/api/v1/Contact/1 HTTP/1.1\r\nHost: jobs.test\r\n{proof}Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    let _cut = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).split(' ').nth(1)?.parse().ok()
}

#[tokio::test]
async fn a_certificate_of_the_right_authority_and_name_is_a_proof_and_no_other_is() {
    let (callers, server, stranger) = (Authority::new(), Authority::new(), Authority::new());
    let (world, _folder) = secured(&callers, &server).await;
    let shown = |authority: &Authority, name: &str| Some(authority.issues(name).0);
    let own = shown(&callers, "nightly.jobs.test");
    assert_eq!(status(&world, &server, own, "").await, Some(200));
    let other = shown(&callers, "other.jobs.test");
    assert_eq!(status(&world, &server, other, "").await, Some(401));
    let forged = shown(&stranger, "nightly.jobs.test");
    assert_eq!(status(&world, &server, forged, "").await, None, "no handshake");
    assert_eq!(status(&world, &server, None, "").await, Some(401));
    let password = format!("Authorization: {}\r\n", nightly());
    assert_eq!(status(&world, &server, None, &password).await, Some(200), "without a certificate");
    assert_eq!(world.exchanges(NORDLYS), 1);
}
