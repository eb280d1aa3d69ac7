//! Several certificates by name, replaced while serving; https for those who came without.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use superid_gateway::config::TlsPolicy;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::tls::Secure;
use crate::wire::{Answer, Door, read_answer};
use crate::world::World;

/// What a server showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Shown {
    leaf: Vec<u8>,
    ocsp: Vec<u8>,
    suite: Option<CipherSuite>,
}

/// Believes everybody, and remembers what they showed.
#[derive(Debug, Default)]
struct Credulous(Mutex<Shown>);

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.0.lock().unwrap() = Shown { leaf: leaf.to_vec(), ocsp: ocsp.to_vec(), suite: None };
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

/// Shakes hands, asks for a public page of `host`, and tells what it was shown and answered.
async fn visit(port: u16, named: &str, host: &str) -> Option<(Shown, Answer)> {
    visit_by(port, named, host, &TLS13).await
}

async fn visit_by(
    port: u16,
    named: &str,
    host: &str,
    version: &'static rustls::SupportedProtocolVersion,
) -> Option<(Shown, Answer)> {
    let seen = Arc::new(Credulous::default());
    let mut config = ClientConfig::builder_with_protocol_versions(&[version])
        .dangerous()
        .with_custom_certificate_verifier(seen.clone())
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let name = ServerName::try_from(named.to_owned()).unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()?;
    let request = format!("GET /public/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = read_answer(&mut stream, "GET").await.expect("an answer");
    let mut shown = seen.0.lock().unwrap().clone();
    shown.suite = stream.get_ref().1.negotiated_cipher_suite().map(|suite| suite.suite());
    Some((shown, answer))
}

/// Writes a certificate for these names and its key, and gives what the certificate is.
fn issue(folder: &Path, name: &str, hosts: &[&str]) -> Vec<u8> {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(hosts).unwrap();
    std::fs::write(folder.join(format!("{name}-key.pem")), made.signing_key.serialize_pem())
        .unwrap();
    std::fs::write(folder.join(format!("{name}.pem")), made.cert.pem()).unwrap();
    made.cert.der().to_vec()
}

/// A folder with one further certificate for `shop.example`, and the TOML that names it.
struct Shop {
    folder: PathBuf,
    leaf: Vec<u8>,
}

impl Shop {
    fn new(test: &str) -> Self {
        let folder = format!("superid-gateway-certificates-{test}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let leaf = issue(&folder, "shop", &["shop.example", "mall.example"]);
        Self { folder, leaf }
    }

    fn toml(&self) -> String {
        let at = |name: &str| self.folder.join(name).display().to_string();
        format!(
            "[certificate.shop]\ncertificate = {:?}\nkey = {:?}\n\
             [host.shop]\norigin = \"https://shop.example\"\nrelying_parties = [\"main\"]\n\
             [host.mall]\norigin = \"https://mall.example\"\nrelying_parties = [\"main\"]\n",
            at("shop.pem"),
            at("shop-key.pem"),
        )
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn each_name_is_shown_its_own_certificate_and_unknown_ones_the_listeners() {
    let shop = Shop::new("names");
    let secure = Secure::with("names", &shop.toml()).await;
    let (port, authority) = (secure.world.port, secure.world.authority().to_owned());
    let own = secure.certificate.to_vec();
    for (named, host, leaf, status) in [
        ("localhost", authority.as_str(), &own, 200),
        ("shop.example", "shop.example", &shop.leaf, 200),
        ("SHOP.example", "shop.example", &shop.leaf, 200),
        ("mall.example", "shop.example", &shop.leaf, 200),
        ("nobody.example", authority.as_str(), &own, 200),
        ("localhost", "shop.example", &own, 421),
        ("shop.example", authority.as_str(), &shop.leaf, 421),
        ("nobody.example", "shop.example", &own, 421),
    ] {
        let (shown, answer) = visit(port, named, host).await.unwrap();
        assert!(shown.leaf == *leaf, "{named} is shown the wrong one");
        assert_eq!(answer.status, status, "TLS for {named}, a request for {host}");
    }
}

#[tokio::test]
async fn a_certificate_replaced_in_its_file_is_shown_from_the_next_look_on() {
    let shop = Shop::new("replaced");
    let mut secure = Secure::with("replaced", &shop.toml()).await;
    let port = secure.world.port;
    let shown = async || visit(port, "shop.example", "shop.example").await.unwrap().0.leaf;
    assert!(secure.world.gateway.look_at_certificates().is_empty(), "nothing has changed");

    let second = issue(&shop.folder, "shop", &["shop.example"]);
    assert!(shown().await == shop.leaf, "nobody has looked yet");
    let looked = secure.world.gateway.look_at_certificates();
    assert!(matches!(looked.as_slice(), [(name, Ok(()))] if name == "web"), "{looked:?}");
    assert!(shown().await == second);

    std::fs::write(shop.folder.join("shop.pem"), "half a certif").unwrap();
    let looked = secure.world.gateway.look_at_certificates();
    let [(_, Err(failed))] = looked.as_slice() else { panic!("{looked:?}") };
    assert!(failed.to_string().contains("shop.pem: no certificate can be read"), "{failed}");
    assert!(shown().await == second, "the old one stays");
    assert!(secure.world.gateway.look_at_certificates().is_empty(), "it is said once");

    std::fs::remove_file(shop.folder.join("shop.pem")).unwrap();
    assert!(secure.world.gateway.look_at_certificates()[0].1.is_err());
    let third = issue(&shop.folder, "shop", &["shop.example"]);
    assert!(secure.world.gateway.look_at_certificates()[0].1.is_ok());
    assert!(shown().await == third);
}

#[tokio::test]
async fn the_policy_says_which_versions_are_spoken() {
    let secure = Secure::with("policy", "").await;
    let (port, host) = (secure.world.port, secure.world.authority().to_owned());
    assert!(visit_by(port, "localhost", &host, &TLS12).await.is_some());
    assert!(visit_by(port, "localhost", &host, &TLS13).await.is_some());
    let modern = Secure::tuned("modern", |settings| {
        settings.listeners[0].tls.as_mut().unwrap().policy = TlsPolicy::Modern;
    });
    let modern = modern.await;
    let (port, host) = (modern.world.port, modern.world.authority().to_owned());
    assert!(visit_by(port, "localhost", &host, &TLS12).await.is_none());
    assert!(visit_by(port, "localhost", &host, &TLS13).await.is_some());
}

#[tokio::test]
async fn of_the_suites_a_client_has_our_first_is_taken() {
    let secure = Secure::with("suite", "").await;
    let (port, host) = (secure.world.port, secure.world.authority().to_owned());
    for (version, first) in [
        (&TLS12, CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
        (&TLS13, CipherSuite::TLS13_AES_128_GCM_SHA256),
    ] {
        // This client would rather have AES with 256 bits.
        let (shown, _) = visit_by(port, "localhost", &host, version).await.unwrap();
        assert_eq!(shown.suite, Some(first));
    }
}

#[tokio::test]
async fn an_authoritys_word_is_shown_with_the_certificate_and_no_other_file_is() {
    let shop = Shop::new("ocsp");
    let file = shop.folder.join("word.der");
    // The shortest there is: "try later" (RFC 6960 §4.2.1).
    let word = [0x30, 0x03, 0x0a, 0x01, 0x03];
    std::fs::write(&file, word).unwrap();
    let secure = Secure::tuned("ocsp", |settings| {
        settings.listeners[0].tls.as_mut().unwrap().certificates[0].ocsp = Some(file.clone());
    });
    let mut secure = secure.await;
    let (port, host) = (secure.world.port, secure.world.authority().to_owned());
    assert_eq!(visit(port, "localhost", &host).await.unwrap().0.ocsp, word);
    std::fs::write(&file, "-----BEGIN OCSP RESPONSE-----").unwrap();
    let looked = secure.world.gateway.look_at_certificates();
    let [(_, Err(failed))] = looked.as_slice() else { panic!("{looked:?}") };
    assert!(failed.to_string().contains("no OCSP response in DER"), "{failed}");
    assert_eq!(visit(port, "localhost", &host).await.unwrap().0.ocsp, word);
}

#[tokio::test]
async fn a_plain_listener_sends_everybody_on_to_https_and_serves_nobody() {
    let more = "[listener.plain]\naddress = \"127.0.0.1:0\"\nredirect_to_https = true\n\
                [host.main.hsts]\n";
    let secure = Secure::with("redirect", more).await;
    let world = &secure.world;
    let addresses = world.gateway.addresses();
    let address = addresses.iter().find(|(name, _)| name == "plain").unwrap().1;
    world.net.lead("plain", Door { address, tls: None });
    for (start, host, status) in [
        ("GET /public/x?a=1&b=%2F", "localhost", 308),
        ("POST /public/x?a=1&b=%2F", "LOCALHOST:80", 308),
        ("GET /orders", "evil.example", 421),
        ("GET //evil.example", "localhost", 400),
    ] {
        let head = format!("{start} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n");
        let answer = world.api().raw("plain", &head).await.unwrap();
        assert_eq!(answer.status, status, "{start} {host}");
        assert_eq!(answer.header("strict-transport-security"), "", "not without TLS");
        if status == 308 {
            assert_eq!(answer.header("location"), world.url("/public/x?a=1&b=%2F"));
            assert_eq!(answer.header("set-cookie"), "");
        }
    }
    world.app.heard_nothing();
}

#[tokio::test]
async fn browsers_are_told_to_come_by_https_in_every_answer_whatever_the_app_says() {
    let more = "[host.main.hsts]\nmax_age = \"730d\"\ninclude_subdomains = true\npreload = true\n";
    let secure = Secure::with("hsts", more).await;
    let world = &secure.world;
    let told = "max-age=63072000; includeSubDomains; preload";
    for path in ["/public/", "/orders", "/auth/signed_out", "/auth/nothing"] {
        let answer = world.api().get(&world.url(path)).await;
        assert_eq!(answer.all("strict-transport-security"), [told], "{path}");
    }
    world.app.says_with("Strict-Transport-Security: max-age=0\r\n");
    let answer = world.api().get(&world.url("/public/")).await;
    assert_eq!(answer.all("strict-transport-security"), [told]);

    let plain = World::new().await;
    let answer = plain.api().get(&plain.url("/public/")).await;
    assert!(answer.all("strict-transport-security").is_empty());
}

/// One more request on a connection that is kept; its status, or none where it is closed.
async fn again(stream: &mut TcpStream) -> Option<u16> {
    let request = "GET /public/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
    stream.write_all(request.as_bytes()).await.ok()?;
    Some(read_answer(stream, "GET").await?.status)
}

#[tokio::test]
async fn a_listener_that_begins_to_send_people_on_serves_nobody_on_a_kept_connection_either() {
    let plain = "[listener.plain]\naddress = \"127.0.0.1:0\"\nredirect_to_https = false\n";
    let mut secure = Secure::with("begins", plain).await;
    let address = |secure: &Secure| {
        let addresses = secure.world.gateway.addresses();
        addresses.into_iter().find(|(name, _)| name == "plain").unwrap().1
    };
    let place = address(&secure);
    let mut kept = TcpStream::connect(place).await.unwrap();
    assert_eq!(again(&mut kept).await, Some(421), "localhost without its port is no host of ours");
    secure.world.reload("[listener.plain]\nredirect_to_https = true\n").unwrap();
    assert_eq!(address(&secure), place, "the same listener");
    assert_eq!(again(&mut kept).await, None);
    let mut fresh = TcpStream::connect(place).await.unwrap();
    assert_eq!(again(&mut fresh).await, Some(308));

    // It goes on sending people on while the listener goes away.
    secure
        .world
        .reload("[listener.plain]\naddress = \"127.0.0.2:0\"\nredirect_to_https = false\n")
        .unwrap();
    assert_ne!(address(&secure), place);
    assert_eq!(again(&mut fresh).await, Some(308));
    secure.world.app.heard_nothing();
}
