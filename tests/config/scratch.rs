//! A folder of a test's own with the files an example may name, and the variables it may ask for.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// 32 bytes in base64.
pub const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// 32 others, in the url-safe alphabet without padding.
pub const OTHER_KEY: &str = "_-4hIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4";

/// A mapping with one person.
const PEOPLE: &str =
    "[[person]]\nissuer = \"https://login.example\"\nsubject = \"1\"\ntenant = \"Cust1\"\n";

/// Removed with everything in it at the end of the test.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("superid-gateway-config-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    /// One with every file the examples name.
    pub fn with_secrets() -> Self {
        let scratch = Self::new();
        scratch.write("session.key", &format!("{KEY}\n"));
        scratch.write("session-1.key", &format!(" {KEY} \n"));
        scratch.write("session-2.key", &format!("{OTHER_KEY}\n"));
        scratch.write("vault.key", &format!("{OTHER_KEY}\n"));
        scratch.write("admin.token", &format!("{OTHER_KEY}\n"));
        scratch.write("callers-ca.pem", "read when the listener opens\n");
        scratch.write("nightly.password", "nightly-0123456789abcdef\n");
        scratch.write("client-secret.txt", "secret\r\n");
        scratch.write("acme-external.key", "AAECAwQFBgcICQoLDA0ODw\n");
        scratch.write("certificate.ocsp", "read when the listener opens\n");
        scratch.write("certificate.pem", "read when the listener opens\n");
        scratch.write("certificate-key.pem", "read when the listener opens\n");
        scratch.write("partner-key.xml", include_str!("partner_keys/2048.xml"));
        scratch.write("partner-key.pem", include_str!("partner_keys/2048-encrypted.pem"));
        scratch.write("weak.xml", include_str!("partner_keys/1024.xml"));
        scratch.write("assertion.key", include_str!("assertion_keys/p256.pem"));
        scratch.write("assertion-1.key", include_str!("assertion_keys/p256-sec1.pem"));
        scratch.write("p384.key", include_str!("assertion_keys/p384.pem"));
        scratch.write("redis-ca.pem", "read when the link opens\n");
        scratch.write("redis-client.pem", "read when the link opens\n");
        scratch.write("redis-client-key.pem", "read when the link opens\n");
        scratch.write("redis-password.txt", "a password\n");
        scratch.write("sentinel-password.txt", "a password\n");
        let (chain, key) = certificate();
        scratch.write("app-ca.pem", chain);
        scratch.write("webhook-ca.pem", chain);
        scratch.write("provider-ca.pem", chain);
        scratch.write("adfs-signing.pem", signing_certificate());
        scratch.write("adfs-signing-next.pem", signing_certificate());
        scratch.write("entra-signing.pem", signing_certificate());
        scratch.write("people.mapping", PEOPLE);
        scratch.write("people-twice.mapping", &format!("{PEOPLE}\n{PEOPLE}"));
        scratch.write("client.pem", chain);
        scratch.write("client-key.pem", key);
        scratch.write("short.key", "AAAA\n");
        scratch.write("garbled.key", "not base64!\n");
        scratch.write("empty.txt", "\n");
        scratch.write("open.key", &format!("{KEY}\n"));
        scratch.set_mode("open.key", 0o644);
        fs::create_dir(scratch.0.join("everybody")).unwrap();
        scratch.set_mode("everybody", 0o777);
        scratch
    }

    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Writes a file only its owner can read.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        self.set_mode(name, 0o600);
        path
    }

    fn set_mode(&self, name: &str, mode: u32) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(self.0.join(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        #[cfg(not(unix))]
        let _ = (name, mode);
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

/// A certificate and its key, made once.
fn certificate() -> &'static (String, String) {
    static MADE: LazyLock<(String, String)> = LazyLock::new(|| {
        let made = rcgen::generate_simple_self_signed(vec!["app.internal".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    });
    &MADE
}

/// What AD FS or Entra signs with, made once; nobody keeps its key.
fn signing_certificate() -> &'static str {
    static MADE: LazyLock<String> = LazyLock::new(|| {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let named = rcgen::CertificateParams::new(vec!["signing.example".to_owned()]).unwrap();
        named.self_signed(&key).unwrap().pem()
    });
    &MADE
}

/// The environment of the tests.
pub fn variables(name: &str) -> Option<String> {
    match name {
        "GOOGLE_CLIENT_SECRET" | "SUPERID_CLIENT_SECRET" => Some("secret".to_owned()),
        "NIGHTLY_PASSWORD" => Some("nightly-0123456789abcdef".to_owned()),
        "REPORT_TOKEN" => Some("report-0123456789abcdef".to_owned()),
        "WEBHOOK_SECRET" => Some("AAECAwQFBgcICQoLDA0ODxAREhMUFRYX".to_owned()),
        "PREVIOUS_WEBHOOK_SECRET" => Some("GBkaGxwdHh8gISIjJCUmJygpKissLS4v".to_owned()),
        "SESSION_KEY" => Some(KEY.to_owned()),
        "PARTNER_KEY_PASSPHRASE" => Some("hello".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}
