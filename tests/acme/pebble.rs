//! The same against somebody else's authority: pebble, which Let's Encrypt tests clients with.
//!
//! It checks in its own way all that clients send, and looks by http and TLS at names that a name
//! server of ours leads back to this machine. Debian has it as a package.

use std::fs;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use superid_gateway::crypto::stands_for;

use crate::gate::{Folder, until};
use crate::looks;

/// Ended when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

#[tokio::test]
async fn pebble_hands_out_a_certificate_by_http_and_by_tls_to_the_program_as_people_run_it() {
    let Some(pebble) = program() else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "pebble is missing");
        return;
    };
    superid_gateway::crypto::install_provider();
    let folder = Folder::new();
    let ports = free();
    let [directory, management, plain, web, other] = ports;
    root(folder.path());
    let at = |file: &str| folder.path().join(file).display().to_string();
    let config = serde_json::json!({ "pebble": {
        "listenAddress": directory.to_string(), "managementListenAddress": management.to_string(),
        "certificate": at("pebble.pem"), "privateKey": at("pebble-key.pem"),
        "httpPort": plain.port(), "tlsPort": web.port(), "externalAccountBindingRequired": true,
        "externalAccountMACKeys": { "kid-1": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" },
    }});
    fs::write(at("pebble.json"), config.to_string()).unwrap();
    let names = names();
    let authority = Command::new(pebble)
        .args(["-config", &at("pebble.json"), "-strict", "-dnsserver", &names.to_string()])
        .envs([("PEBBLE_VA_NOSLEEP", "1"), ("PEBBLE_WFE_NONCEREJECT", "0")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _authority = Running(authority.unwrap());
    until("pebble listens", async || std::net::TcpStream::connect(directory).is_ok()).await;

    let text = TEXT
        .replace("$DIRECTORY", &format!("https://localhost:{}/dir", directory.port()))
        .replace("$PLAIN", &plain.to_string())
        .replace("$WEB", &web.to_string())
        .replace("$ADMIN", &other.to_string());
    fs::write(at("gateway.toml"), text).unwrap();
    let gateway = Command::new(env!("CARGO_BIN_EXE_superid-gateway"))
        .args(["run", "--config", &at("gateway.toml")])
        .env("SSL_CERT_FILE", at("root.pem"))
        .stdout(Stdio::null())
        .spawn();
    let _gateway = Running(gateway.unwrap());
    for host in ["by-http.example", "by-tls.example"] {
        until(&format!("{host} has its certificate"), async || {
            let shown = looks::shown(web, host, &[b"http/1.1"]).await;
            shown.is_ok_and(|(leaf, _)| stands_for(&leaf, host))
        })
        .await;
    }
}

fn program() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join("pebble")).find(|file| file.is_file())
}

/// Addresses that nobody had a moment ago.
fn free() -> [SocketAddr; 5] {
    let held = [(); 5].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    held.each_ref().map(|listener| listener.local_addr().unwrap())
}

/// An authority for pebble's own certificate, which the gateway believes.
fn root(folder: &Path) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    fs::write(folder.join("root.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    let (issuer, own) = (Issuer::new(params, key), KeyPair::generate().unwrap());
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    fs::write(folder.join("pebble.pem"), leaf.signed_by(&own, &issuer).unwrap().pem()).unwrap();
    fs::write(folder.join("pebble-key.pem"), own.serialize_pem()).unwrap();
}

/// A name server: every name is this machine's (RFC 1035 §4.1).
fn names() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut asked = [0; 512];
        while let Ok((length, who)) = socket.recv_from(&mut asked) {
            let question = asked.get(12..length).unwrap_or_default();
            let Some(end) = question.iter().position(|byte| *byte == 0) else { continue };
            let question = &question[..(end + 5).min(question.len())];
            let is_a = question[end..].starts_with(&[0, 0, 1]);
            let mut answer = asked[..2].to_vec();
            answer.extend([0x85, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
            answer.extend(question);
            if is_a {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1]);
            }
            let _lost = socket.send_to(&answer, who);
        }
    });
    address
}

const TEXT: &str = r#"
[listener.plain]
address = "$PLAIN"
redirect_to_https = true
[listener.web]
address = "$WEB"
named_certificate = "http"
[certificate.http]
acme = "pebble"
hosts = ["by-http.example", "also-by-http.example"]
[certificate.tls]
acme = "pebble"
hosts = ["by-tls.example"]
challenge = "tls-alpn-01"
[acme.pebble]
directory = "$DIRECTORY"
agree_to_terms = true
contact = ["mailto:operations@letsencrypt.org"]
external_account_id = "kid-1"
external_account_key = { value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" }
[host.main]
origin = "https://by-http.example"
[route.app]
upstream = "http://127.0.0.1:9"
access = "public"
[session]
keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
[admin]
address = "$ADMIN"
"#;
