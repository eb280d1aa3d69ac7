//! Documents signed by xmlsec1, which has nothing in common with this verifier.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use superid_gateway::crypto::RsaPublic;
use superid_gateway::saml::{SamlRefused, SamlRules, Sha1, verify_xml};

use crate::generous::keys_under;
use crate::signer::{AUDIENCE, DATA, DSIG, Draft, PLAIN, response, rules};

/// A folder with a key and its certificate, made by openssl; gone with the value.
struct Issuer(PathBuf);

impl Issuer {
    /// `None` where xmlsec1 is missing, said aloud; with `CI=true` that fails.
    fn new() -> Option<Self> {
        let found = Command::new("xmlsec1").arg("--version").output().is_ok();
        if !found {
            let must = std::env::var("CI").is_ok_and(|ci| ci == "true");
            assert!(!must, "xmlsec1 is missing");
            eprintln!("SKIPPED: xmlsec1 is missing (apt-get install xmlsec1 openssl)");
            return None;
        }
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("saml-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let issuer = Self(folder);
        issuer.run(
            "openssl",
            &[
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-subj",
                "/CN=issuer",
                "-days",
                "2",
                "-keyout",
                "key.pem",
                "-out",
                "certificate.pem",
            ],
        );
        Some(issuer)
    }

    fn keys(&self) -> Vec<RsaPublic> {
        keys_under(&self.0)
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let output = Command::new(program).args(arguments).current_dir(&self.0).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{program}: {said}");
    }

    /// Fills in the template's signature; the signed element's name is told, as there is no DTD.
    fn sign(&self, template: &str, element: &str) -> String {
        std::fs::write(self.0.join("template.xml"), template).unwrap();
        self.run(
            "xmlsec1",
            &[
                "--sign",
                "--privkey-pem",
                "key.pem,certificate.pem",
                "--id-attr:ID",
                element,
                "--output",
                "signed.xml",
                "template.xml",
            ],
        );
        std::fs::read_to_string(self.0.join("signed.xml")).unwrap()
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(Path::new(&self.0));
    }
}

struct Methods {
    signature: &'static str,
    digest: &'static str,
    c14n: &'static str,
    transform: &'static str,
}

const USUAL: Methods = Methods {
    signature: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    digest: "http://www.w3.org/2001/04/xmlenc#sha256",
    c14n: "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>",
    transform: "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
};

fn template(identifier: &str, methods: &Methods) -> String {
    let Methods { signature, digest, c14n, transform } = methods;
    format!(
        "<ds:Signature xmlns:ds=\"{DSIG}\">\n <ds:SignedInfo>\n  <ds:CanonicalizationMethod \
         Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>\n  <ds:SignatureMethod \
         Algorithm=\"{signature}\"/>\n  <ds:Reference URI=\"#{identifier}\">\n   <ds:Transforms>\
         <ds:Transform Algorithm=\"{transform}\"/>{c14n}</ds:Transforms>\n   <ds:DigestMethod \
         Algorithm=\"{digest}\"/>\n   <ds:DigestValue/>\n  </ds:Reference>\n </ds:SignedInfo>\n \
         <ds:SignatureValue/>\n <ds:KeyInfo><ds:X509Data/></ds:KeyInfo>\n</ds:Signature>"
    )
}

fn outcome(document: &str, keys: &[RsaPublic], sha1: Sha1) -> Result<String, SamlRefused> {
    let rules = SamlRules { sha1, ..rules(keys) };
    let assertion = verify_xml(document.as_bytes(), &rules)?.addressed_to(AUDIENCE)?;
    Ok(assertion.subject().unwrap_or_default().to_owned())
}

#[test]
fn what_xmlsec1_signs_is_believed() {
    let Some(issuer) = Issuer::new() else { return };
    let keys = issuer.keys();
    let mut draft = Draft::confirmed(DATA);
    draft.subject = draft.subject.replace("ada@example.com", "ad\u{e9} &amp; &lt;co>@example.com");
    let name = "ad\u{e9} & <co>@example.com";
    let bare = issuer.sign(&draft.with(&template("_a1", &USUAL)), "Assertion");
    assert_eq!(outcome(&bare, &keys, Sha1::Refused).as_deref(), Ok(name));
    assert!(outcome(&bare.replace("@example", "@evil"), &keys, Sha1::Refused).is_err());
    let inside = draft.with(&template("_a1", &USUAL));
    let in_response = issuer.sign(&response(PLAIN, "", &inside), "Assertion");
    assert_eq!(outcome(&in_response, &keys, Sha1::Refused).as_deref(), Ok(name));
    let whole = response(PLAIN, &template("_r1", &USUAL), &draft.with(""));
    let whole = issuer.sign(&whole, "Response");
    assert_eq!(outcome(&whole, &keys, Sha1::Refused).as_deref(), Ok(name));
    // Indented, with prefixes from further out, other quotes, and an attribute that spans lines.
    let pretty = response(PLAIN, "", &inside)
        .replace("><saml", ">\r\n\t<saml")
        .replace(" ID=\"_a1\" ", "\n  ID = '_a1'\n  xmlns:xs='http://www.w3.org/2001/XMLSchema' ")
        .replace("Name=\"role\"", "Name=\"role\" FriendlyName=\"a&#10;b&lt;&quot;\"");
    let pretty = issuer.sign(&pretty, "Assertion");
    assert_eq!(outcome(&pretty, &keys, Sha1::Refused).as_deref(), Ok(name));
}

#[test]
fn each_method_of_xmlsec1_is_taken_or_refused_by_its_name() {
    let Some(issuer) = Issuer::new() else { return };
    let keys = issuer.keys();
    let with =
        |methods: &Methods| issuer.sign(&Draft::new().with(&template("_a1", methods)), "Assertion");
    for (signature, digest) in [
        (
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
            "http://www.w3.org/2001/04/xmldsig-more#sha384",
        ),
        (
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
            "http://www.w3.org/2001/04/xmlenc#sha512",
        ),
    ] {
        let strong = with(&Methods { signature, digest, ..USUAL });
        assert!(outcome(&strong, &keys, Sha1::Refused).is_ok(), "{signature}");
    }
    let old = with(&Methods {
        signature: "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        digest: "http://www.w3.org/2000/09/xmldsig#sha1",
        ..USUAL
    });
    assert_eq!(outcome(&old, &keys, Sha1::Refused), Err(SamlRefused::Algorithm));
    assert!(outcome(&old, &keys, Sha1::Accepted).is_ok());
    let half = with(&Methods { digest: "http://www.w3.org/2000/09/xmldsig#sha1", ..USUAL });
    assert_eq!(outcome(&half, &keys, Sha1::Refused), Err(SamlRefused::Algorithm));
    let prefixes = with(&Methods {
        c14n: "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">\
               <ec:InclusiveNamespaces xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" \
               PrefixList=\"saml xs #default\"/></ds:Transform>",
        ..USUAL
    });
    assert!(outcome(&prefixes, &keys, Sha1::Refused).is_ok());
    for c14n in [
        "",
        "<ds:Transform Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\"/>",
        "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#WithComments\"/>",
    ] {
        let other = with(&Methods { c14n, ..USUAL });
        assert_eq!(outcome(&other, &keys, Sha1::Accepted), Err(SamlRefused::Algorithm), "{c14n}");
    }
}
