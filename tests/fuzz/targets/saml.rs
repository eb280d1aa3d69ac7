//! Assertions: nothing passes that was not signed, and what passes says what was signed.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use superid_gateway::clock::Timestamp;
use superid_gateway::crypto::RsaPublic;
use superid_gateway::saml::{
    Assertion, Profile, SamlRecipient, SamlRules, Sha1, verify_posted, verify_xml,
};

/// The first byte chooses: a document; a form field; a good document with bytes changed; an
/// assertion's inside that we sign.
pub fn saml(bytes: &[u8]) -> bool {
    let Some((way, bytes)) = bytes.split_first() else { return false };
    match way % 5 {
        0 => {
            assert!(verify_xml(bytes, &rules(Profile::WebSso)).is_err(), "nobody signs but us");
            false
        }
        1 => {
            assert!(verify_xml(bytes, &rules(Profile::WsFederation)).is_err());
            false
        }
        2 => {
            let field = String::from_utf8_lossy(bytes);
            assert!(verify_posted(&field, &rules(Profile::WebSso)).is_err());
            false
        }
        3 => says_the_same(bytes),
        _ => is_read_as_signed(bytes),
    }
}

/// Three bytes a change: where, where, what. What is taken in another spelling says the same.
fn says_the_same(changes: &[u8]) -> bool {
    let mut document = KEY.good.clone().into_bytes();
    for change in changes.as_chunks::<3>().0 {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % document.len();
        document[at] = change[2];
    }
    let Some(assertion) = verified(&document) else { return false };
    assert_eq!(assertion.subject(), Some("ada@example.com"));
    assert_eq!(assertion.attribute("role"), Some("admin"));
    assert_eq!(assertion.attributes().count(), 1);
    true
}

/// What stands between the conditions and the end, signed as it is: canonical or not at all.
fn is_read_as_signed(inside: &[u8]) -> bool {
    let Ok(inside) = std::str::from_utf8(inside) else { return false };
    let Some(assertion) = verified(KEY.signed(inside).as_bytes()) else { return false };
    assert_eq!(assertion.issuer(), ISSUER);
    for (name, values) in assertion.attributes() {
        assert!(!name.is_empty());
        for value in values {
            let plain = !value.contains(['&', '<', '>', '\r']);
            assert!(!plain || inside.contains(value.as_str()), "{value:?} in {inside:?}");
        }
    }
    true
}

fn verified(document: &[u8]) -> Option<Assertion> {
    verify_xml(document, &rules(Profile::WebSso)).ok()?.addressed_to("ours").ok()
}

fn rules(profile: Profile) -> SamlRules<'static> {
    SamlRules {
        in_response_to: None,
        issuer: ISSUER,
        keys: std::slice::from_ref(&KEY.public),
        leeway: 60,
        now: Timestamp(1_000_000),
        profile,
        recipient: "https://app.example/auth/legacy",
        recipient_rule: SamlRecipient::Optional,
        sha1: Sha1::Accepted,
    }
}

struct Key {
    pair: KeyPair,
    public: RsaPublic,
    good: String,
}

impl Key {
    fn new() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("keys can be made");
        let (modulus, exponent) = (pair.public_key().modulus(), pair.public_key().exponent());
        let public = RsaPublic::of_components(
            modulus.big_endian_without_leading_zero(),
            exponent.big_endian_without_leading_zero(),
        );
        let public = public.expect("2,048 bits");
        let mut key = Self { pair, public, good: String::new() };
        key.good = key.signed(
            "<saml:AttributeStatement><saml:Attribute Name=\"role\"><saml:AttributeValue>admin\
             </saml:AttributeValue></saml:Attribute></saml:AttributeStatement>",
        );
        key
    }

    fn signed(&self, inside: &str) -> String {
        let hash = STANDARD.encode(digest(&SHA256, assertion("", inside).as_bytes()));
        let info = SIGNED_INFO.replace("HASH", &hash);
        let mut value = vec![0; self.pair.public_modulus_len()];
        let random = SystemRandom::new();
        let signed = self.pair.sign(&RSA_PKCS1_SHA256, &random, info.as_bytes(), &mut value);
        signed.expect("RSA signs");
        let value = STANDARD.encode(value);
        let signature = format!(
            "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{info}\
             <ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>"
        );
        assertion(&signature, inside)
    }
}

fn assertion(signature: &str, inside: &str) -> String {
    format!(
        "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_a\" \
         Version=\"2.0\"><saml:Issuer>{ISSUER}</saml:Issuer>{signature}<saml:Subject>\
         <saml:NameID>ada@example.com</saml:NameID><saml:SubjectConfirmation \
         Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"></saml:SubjectConfirmation>\
         </saml:Subject><saml:Conditions NotOnOrAfter=\"1970-01-12T13:51:40Z\">\
         <saml:AudienceRestriction><saml:Audience>ours</saml:Audience></saml:AudienceRestriction>\
         </saml:Conditions>{inside}</saml:Assertion>"
    )
}

static KEY: LazyLock<Key> = LazyLock::new(Key::new);

const ISSUER: &str = "SuperOffice AS";
const SIGNED_INFO: &str = "<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\
    <ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">\
    </ds:CanonicalizationMethod><ds:SignatureMethod \
    Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"></ds:SignatureMethod>\
    <ds:Reference URI=\"#_a\"><ds:Transforms><ds:Transform \
    Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>\
    <ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform>\
    </ds:Transforms><ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\">\
    </ds:DigestMethod><ds:DigestValue>HASH</ds:DigestValue></ds:Reference></ds:SignedInfo>";
