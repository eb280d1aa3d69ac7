//! Callers that prove themselves by a client certificate.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::world::{NORDLYS, World, nightly};

pub struct Authority {
    params: CertificateParams,
    key: KeyPair,
    pub pem: String,
    der: CertificateDer<'static>,
}

/// A certificate with its key.
type Shown = (CertificateDer<'static>, PrivateKeyDer<'static>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let (pem, der) = (certificate.pem(), certificate.der().clone());
        Self { params, key, pem, der }
    }

    pub fn issues(&self, name: &str) -> (Shown, [String; 2]) {
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

/// A world whose job listener speaks TLS and asks for certificates of `callers`, and what made it so.
async fn secured(callers: &Authority, server: &Authority) -> (World, Folder, String) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::SeqCst);
    let name = format!("superid-gateway-certificates-{}-{count}", std::process::id());
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
    (World::with(&changes).await, folder, changes)
}

/// A connection to the job listener; none where the handshake fails.
async fn connected(
    world: &World,
    server: &Authority,
    shown: Option<Shown>,
    protocol: &str,
) -> Option<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(server.der.clone()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots);
    let mut config = match shown {
        Some((certificate, key)) => config.with_client_auth_cert(vec![certificate], key).unwrap(),
        None => config.with_no_client_auth(),
    };
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let addresses = world.gateway.addresses();
    let (_, address) = addresses.iter().find(|(name, _)| name == "job:jobs").unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("jobs.test").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()
}

/// The status line of a call, or nothing where the handshake or the connection fails.
async fn status(
    world: &World,
    server: &Authority,
    shown: Option<Shown>,
    proof: &str,
) -> Option<u16> {
    let mut stream = connected(world, server, shown, "http/1.1").await?;
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
    let (world, _folder, _) = secured(&callers, &server).await;
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

/// Calls over a connection that stays, and gives status and header.
async fn call(stream: &mut TlsStream<TcpStream>) -> (u16, String) {
    let call = "GET /Cust12345/api/v1/Contact/1 HTTP/1.1\r\nHost: jobs.test\r\n\r\n";
    stream.write_all(call.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&answer).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if length.is_some_and(|length| length.trim().parse() == Ok(body.len())) {
                return (head.split(' ').nth(1).unwrap().parse().unwrap(), head);
            }
        }
        let read = timeout(PATIENCE, stream.read_buf(&mut answer));
        assert_ne!(read.await.expect("an answer").unwrap(), 0, "{text}");
    }
}

#[tokio::test]
async fn who_stays_connected_is_proven_for_as_long_as_the_authority_is_believed() {
    let (callers, server, others) = (Authority::new(), Authority::new(), Authority::new());
    let (mut world, folder, changes) = secured(&callers, &server).await;
    let shown = callers.issues("nightly.jobs.test").0;
    let again = (shown.0.clone(), shown.1.clone_key());
    let mut kept = connected(&world, &server, Some(shown), "http/1.1").await.unwrap();
    assert_eq!(call(&mut kept).await.0, 200);
    folder.write("callers.pem", &(others.pem.clone() + &callers.pem));
    world.reload(&changes);
    let (status_of_kept, head) = call(&mut kept).await;
    assert_eq!(status_of_kept, 200, "another authority beside it takes nothing away");
    assert!(!head.contains("connection: close"), "{head}");
    folder.write("callers.pem", &others.pem);
    world.reload(&changes);
    let (status_of_kept, head) = call(&mut kept).await;
    assert_eq!(status_of_kept, 401);
    assert!(head.contains("\r\nconnection: close"), "{head}");
    let end = timeout(PATIENCE, kept.read_u8()).await.expect("it is closed");
    assert!(end.is_err());
    assert_eq!(status(&world, &server, Some(again), "").await, None, "no handshake");
    let new = others.issues("nightly.jobs.test").0;
    assert_eq!(status(&world, &server, Some(new), "").await, Some(200));
}

#[tokio::test]
async fn over_http_2_too_and_who_is_not_proven_any_more_is_told_to_come_anew() {
    let (callers, server, others) = (Authority::new(), Authority::new(), Authority::new());
    let (mut world, folder, changes) = secured(&callers, &server).await;
    let shown = callers.issues("nightly.jobs.test").0;
    let stream = connected(&world, &server, Some(shown), "h2").await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let call = async || {
        let url = "https://jobs.test/Cust12345/api/v1/Contact/1";
        let request = http::Request::get(url).body(()).unwrap();
        let mut client = client.clone().ready().await.unwrap();
        let answer = client.send_request(request, true).unwrap().0;
        timeout(PATIENCE, answer).await.expect("an answer").unwrap().status().as_u16()
    };
    assert_eq!(call().await, 200);
    folder.write("callers.pem", &others.pem);
    world.reload(&changes);
    assert_eq!(call().await, 401);
    let ended = timeout(PATIENCE, connection).await.expect("GOAWAY, and no stream is left");
    ended.unwrap().unwrap();
}

#[tokio::test]
async fn who_stays_connected_to_a_listener_that_moved_away_is_not_proven_by_a_certificate() {
    let (callers, server, others) = (Authority::new(), Authority::new(), Authority::new());
    let (mut world, folder, changes) = secured(&callers, &server).await;
    let shown = callers.issues("nightly.jobs.test").0;
    let mut kept = connected(&world, &server, Some(shown), "http/1.1").await.unwrap();
    assert_eq!(call(&mut kept).await.0, 200);
    folder.write("callers.pem", &others.pem);
    let moved = "[job_listener.jobs]\naddress = \"127.0.0.2:0\"";
    world.reload(&changes.replace("[job_listener.jobs]", moved));
    assert_eq!(call(&mut kept).await.0, 401);
}

const PATIENCE: Duration = Duration::from_secs(10);
