//! Signed XML as Debian's xmlsec1 sees it.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::Value;

/// Whether the certificate's key has signed the element of this name in the document, which names
/// it by this attribute. `None` where the machine has no xmlsec1 and need not have it.
pub fn verifies(document: &str, certificate: &str, id: &str, element: &str) -> Option<bool> {
    if Command::new("xmlsec1").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "xmlsec1 is not installed");
        return None;
    }
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("xmlsec-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (xml, pem) = (folder.join("signed.xml"), folder.join("certificate.pem"));
    std::fs::write(&xml, document).unwrap();
    std::fs::write(&pem, as_pem(certificate)).unwrap();
    let output = Command::new("xmlsec1")
        .args(["--verify", &format!("--id-attr:{id}"), element, "--pubkey-cert-pem"])
        .args([&pem, &xml])
        .output()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    Some(output.status.success())
}

/// The certificate in a key set, base64 of its DER.
pub fn certificate(jwks: &Value) -> String {
    jwks["keys"][0]["x5c"][0].as_str().unwrap().to_owned()
}

fn as_pem(certificate: &str) -> String {
    let der = BASE64_STANDARD.decode(certificate).unwrap();
    let text = BASE64_STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap());
    let lines: Vec<_> = lines.collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}
