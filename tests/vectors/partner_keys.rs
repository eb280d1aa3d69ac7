//! Partner keys that SuperOffice's samples published and keys openssl makes: read in every form, and
//! signing exactly as openssl does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use superid_gateway::clock::Timestamp;
use superid_gateway::crypto::{
    CannotSign, KeyForm, KeyRefused, PartnerKey, Secret, SigningKey, WeakKeys,
};
use superid_gateway::identity::SystemUserToken;
use superid_gateway::superid::SignedSystemToken;

use crate::openssl::Openssl;
use crate::published::{folder, text};

const WEAK: [&str; 3] =
    ["LocalhostPrivateKey.xml", "ServiceConsoleCert.xml", "partnerprivatekey.xml"];
const STRONG: &str = "php-example-private-encrypted.pem";
const NOW: Timestamp = Timestamp(1_700_000_000);
const MINUTE: &str = "202311142213";

#[test]
fn every_published_key_is_read_and_named_as_openssl_names_it() {
    let (Some(folder), Some(openssl)) = (folder(), Openssl::here()) else { return };
    let hello = Secret::new("hello".to_owned());
    for name in WEAK.into_iter().chain([STRONG]) {
        let read = text(&folder.join("partner-keys").join(name));
        let key = PartnerKey::read(&read, Some(&hello)).unwrap();
        let weak = name != STRONG;
        assert_eq!((key.bits(), key.is_weak()), if weak { (1024, true) } else { (2048, false) });
        let form = if weak { KeyForm::Xml } else { KeyForm::EncryptedPkcs1 };
        assert_eq!(key.form(), form, "{name}");
        for (file, pem) in [("a.pem", key.to_pem()), ("b.pem", key.to_pkcs1_pem())] {
            let path = openssl.file(file, pem.reveal());
            let checked = openssl.text(&["rsa", "-in", file, "-check", "-noout"]);
            assert_eq!(checked.trim(), "RSA key ok", "{name}");
            assert_eq!(openssl.fingerprint(&path), key.fingerprint(), "{name}");
            assert_eq!(read_plain(pem.reveal()).fingerprint(), key.fingerprint(), "{name}");
        }
        let again = read_plain(key.to_xml().reveal());
        assert_eq!(again.to_pkcs1_pem().reveal(), key.to_pkcs1_pem().reveal(), "{name}");
        if weak {
            let squeezed = |text: &str| text.split_whitespace().collect::<String>();
            let published = squeezed(&read[read.find("<RSAKeyValue").unwrap()..]);
            assert_eq!(squeezed(key.to_xml().reveal()), published, "{name}");
        }
    }
}

#[test]
fn the_published_strong_key_signs_as_openssl_does() {
    let (Some(folder), Some(openssl)) = (folder(), Openssl::here()) else { return };
    let read = text(&folder.join("partner-keys").join(STRONG));
    assert_eq!(PartnerKey::read(&read, None).err(), Some(KeyRefused::PassphraseMissing));
    let wrong = Secret::new("hullo".to_owned());
    assert_eq!(PartnerKey::read(&read, Some(&wrong)).err(), Some(KeyRefused::PassphraseWrong));
    let key = PartnerKey::read(&read, Some(&Secret::new("hello".to_owned()))).unwrap();
    // openssl opens the published file itself: nothing of ours stands between.
    openssl.file("published.pem", &format!("{read}\n"));
    openssl
        .run(&["rsa", "-in", "published.pem", "-passin", "pass:hello", "-out", "plain.pem"], b"");
    signs_as_openssl(&openssl, &key, "plain.pem", WeakKeys::Refused);
}

#[test]
fn a_weak_key_signs_only_where_that_was_asked_for() {
    let Some(folder) = folder() else { return };
    for name in WEAK {
        let key = read_plain(&text(&folder.join("partner-keys").join(name)));
        let refused = key.signing(WeakKeys::Refused).err();
        assert_eq!(refused, Some(CannotSign::Weak { bits: 1024 }), "{name}");
        #[cfg(not(feature = "weak-partner-keys"))]
        {
            let refused = key.signing(WeakKeys::Accepted).err();
            assert_eq!(refused, Some(CannotSign::WeakBuild { bits: 1024 }), "{name}");
        }
    }
}

#[cfg(feature = "weak-partner-keys")]
#[test]
fn the_published_weak_keys_sign_as_openssl_does() {
    let (Some(folder), Some(openssl)) = (folder(), Openssl::here()) else { return };
    for name in WEAK {
        let key = read_plain(&text(&folder.join("partner-keys").join(name)));
        openssl.file("weak.pem", key.to_pem().reveal());
        signs_as_openssl(&openssl, &key, "weak.pem", WeakKeys::Accepted);
    }
}

#[test]
fn keys_openssl_makes_are_read_in_every_form_it_writes() {
    let Some(openssl) = Openssl::here() else { return };
    let pass = Secret::new("päss phrase".to_owned());
    for bits in ["2048", "4096"] {
        openssl.run(&["genrsa", "-out", "new.pem", bits], b"");
        let path = openssl.file("pass", pass.reveal());
        let pass_file = format!("file:{}", path.display());
        for (form, arguments) in FORMS {
            let mut all = arguments.to_vec();
            all.extend(["-in", "new.pem", "-out", "form.pem"]);
            if arguments.iter().any(|argument| CIPHERS.contains(argument)) {
                all.extend(["-passout", &pass_file]);
            }
            openssl.run(&all, b"");
            let written = std::fs::read_to_string(path.with_file_name("form.pem")).unwrap();
            let key = PartnerKey::read(&written, Some(&pass))
                .unwrap_or_else(|refused| panic!("{arguments:?}: {refused}"));
            assert_eq!((key.form(), key.bits().to_string().as_str()), (*form, bits));
            assert_eq!(key.fingerprint(), openssl.fingerprint(&path.with_file_name("new.pem")));
            if matches!(form, KeyForm::EncryptedPkcs1 | KeyForm::EncryptedPkcs8) {
                let wrong = Secret::new("pass phrase".to_owned());
                let refused = PartnerKey::read(&written, Some(&wrong)).err();
                assert_eq!(refused, Some(KeyRefused::PassphraseWrong), "{arguments:?}");
                let refused = PartnerKey::read(&written, None).err();
                assert_eq!(refused, Some(KeyRefused::PassphraseMissing), "{arguments:?}");
            }
            signs_as_openssl(&openssl, &key, "new.pem", WeakKeys::Refused);
        }
    }
}

/// The whole signed token, against what openssl and the shell would have made of it.
fn signs_as_openssl(openssl: &Openssl, key: &PartnerKey, pem: &str, weak: WeakKeys) {
    let path = openssl.file("unused", "").with_file_name(pem);
    let signing: SigningKey = key.signing(weak).unwrap();
    for token in ["Demo App-a1b2c3d4e5", "x"] {
        let message = format!("{token}.{MINUTE}");
        let signature = STANDARD.encode(openssl.signature(&path, message.as_bytes()));
        let token = SystemUserToken::parse(token).unwrap();
        let signed = SignedSystemToken::sign(&token, &signing, NOW).unwrap();
        assert_eq!(signed.reveal(), format!("{message}.{signature}"));
        let shown = format!("{signed:?} {signing:?} {key:?}");
        assert!(!shown.contains(&signature[..8]) && !shown.contains("Demo"), "{shown}");
    }
}

fn read_plain(text: &str) -> PartnerKey {
    PartnerKey::read(text, None).unwrap()
}

const CIPHERS: [&str; 6] = ["-aes128", "-aes192", "-aes256", "-des3", "-scrypt", "-topk8"];

/// What openssl is asked to write, and what that is.
const FORMS: &[(KeyForm, &[&str])] = &[
    (KeyForm::Pkcs1, &["rsa", "-traditional"]),
    (KeyForm::Pkcs8, &["rsa"]),
    (KeyForm::EncryptedPkcs1, &["rsa", "-traditional", "-aes128"]),
    (KeyForm::EncryptedPkcs1, &["rsa", "-traditional", "-aes192"]),
    (KeyForm::EncryptedPkcs1, &["rsa", "-traditional", "-aes256"]),
    (KeyForm::EncryptedPkcs1, &["rsa", "-traditional", "-des3"]),
    (KeyForm::EncryptedPkcs8, &["rsa", "-aes256"]),
    (KeyForm::EncryptedPkcs8, &["pkcs8", "-topk8", "-v2", "aes-128-cbc"]),
    (KeyForm::EncryptedPkcs8, &["pkcs8", "-topk8", "-v2", "aes-256-cbc"]),
    (KeyForm::EncryptedPkcs8, &["pkcs8", "-topk8", "-v2", "des3"]),
    (KeyForm::EncryptedPkcs8, &["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA1"]),
    (KeyForm::EncryptedPkcs8, &["pkcs8", "-topk8", "-scrypt"]),
];
