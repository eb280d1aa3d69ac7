//! An issuer that writes canonical XML by hand and signs it; it shares no code with the verifier.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use superid_gateway::clock::Timestamp;
use superid_gateway::crypto::RsaPublic;
use superid_gateway::saml::{
    Assertion, Profile, SamlRecipient, SamlRefused, SamlRules, Sha1, verify_xml,
};

pub const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
pub const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
pub const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
pub const ISSUER: &str = "SuperOffice AS";
pub const AUDIENCE: &str = "spn:1501052557";
pub const RECIPIENT: &str = "https://app.example/auth/callback";
/// 1970-01-12T13:46:40Z.
pub const NOW: u64 = 1_000_000;

pub static KEY: LazyLock<Key> = LazyLock::new(Key::generate);
pub static OTHER_KEY: LazyLock<Key> = LazyLock::new(Key::generate);

pub struct Key(RsaKeyPair);

impl Key {
    fn generate() -> Self {
        Self(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    pub fn public(&self) -> RsaPublic {
        let key = self.0.public_key();
        let modulus = key.modulus().big_endian_without_leading_zero().to_vec();
        let exponent = key.exponent().big_endian_without_leading_zero().to_vec();
        RsaPublic::of_components(&modulus, &exponent).unwrap()
    }

    /// A signature element over canonical bytes that are named so.
    pub fn signature(&self, identifier: &str, canonical: &str) -> String {
        let hash = STANDARD.encode(digest(&SHA256, canonical.as_bytes()));
        self.signature_of(&signed_info(identifier, &hash))
    }

    /// A signature element with a `SignedInfo` of one's own making, which is canonical.
    pub fn signature_of(&self, signed_info: &str) -> String {
        let mut value = vec![0; self.0.public_modulus_len()];
        let random = SystemRandom::new();
        self.0.sign(&RSA_PKCS1_SHA256, &random, signed_info.as_bytes(), &mut value).unwrap();
        let value = STANDARD.encode(value);
        format!(
            "<ds:Signature xmlns:ds=\"{DSIG}\">{signed_info}\
             <ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>"
        )
    }
}

pub fn signed_info(identifier: &str, hash: &str) -> String {
    format!(
        "<ds:SignedInfo xmlns:ds=\"{DSIG}\"><ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\">\
         </ds:CanonicalizationMethod><ds:SignatureMethod \
         Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"></ds:SignatureMethod>\
         <ds:Reference URI=\"#{identifier}\"><ds:Transforms><ds:Transform \
         Algorithm=\"{DSIG}enveloped-signature\"></ds:Transform><ds:Transform \
         Algorithm=\"{EXCLUSIVE}\"></ds:Transform></ds:Transforms><ds:DigestMethod \
         Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>\
         <ds:DigestValue>{hash}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    )
}

/// An assertion in the making; each part is canonical XML.
#[derive(Clone)]
pub struct Draft {
    pub id: String,
    pub issuer: String,
    pub subject: String,
    pub conditions: String,
    pub statements: String,
}

impl Draft {
    /// Of Ada, good for five minutes from a minute ago.
    pub fn new() -> Self {
        Self {
            id: "_a1".to_owned(),
            issuer: ISSUER.to_owned(),
            subject: "<saml:Subject><saml:NameID>ada@example.com</saml:NameID>\
                <saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
                </saml:SubjectConfirmation></saml:Subject>"
                .to_owned(),
            conditions: format!(
                "<saml:Conditions NotBefore=\"1970-01-12T13:45:40Z\" \
                 NotOnOrAfter=\"1970-01-12T13:51:40Z\"><saml:AudienceRestriction>\
                 <saml:Audience>{AUDIENCE}</saml:Audience></saml:AudienceRestriction>\
                 </saml:Conditions>"
            ),
            statements: "<saml:AuthnStatement AuthnInstant=\"1970-01-12T13:46:40Z\">\
                </saml:AuthnStatement><saml:AttributeStatement><saml:Attribute Name=\"role\">\
                <saml:AttributeValue>admin</saml:AttributeValue></saml:Attribute>\
                </saml:AttributeStatement>"
                .to_owned(),
        }
    }

    /// With data in its confirmation, as SAML's own profile wants it.
    pub fn confirmed(data: &str) -> Self {
        let subject = Self::new().subject.replace(
            "</saml:SubjectConfirmation>",
            &format!(
                "<saml:SubjectConfirmationData {data}></saml:SubjectConfirmationData>\
                 </saml:SubjectConfirmation>"
            ),
        );
        Self { subject, ..Self::new() }
    }

    /// Its canonical bytes, with something after the issuer, where a signature belongs.
    pub fn with(&self, signature: &str) -> String {
        let Self { id, issuer, subject, conditions, statements } = self;
        format!(
            "<saml:Assertion xmlns:saml=\"{SAML}\" ID=\"{id}\" \
             IssueInstant=\"1970-01-12T13:46:40Z\" Version=\"2.0\">\
             <saml:Issuer>{issuer}</saml:Issuer>{signature}{subject}{conditions}{statements}\
             </saml:Assertion>"
        )
    }

    pub fn signed(&self) -> String {
        self.with(&KEY.signature(&self.id, &self.with("")))
    }
}

/// A response around something, canonical, with something at the place of its signature.
pub fn response(attributes: &str, signature: &str, inside: &str) -> String {
    format!(
        "<samlp:Response xmlns:samlp=\"{PROTOCOL}\" {attributes}>{signature}<samlp:Status>\
         <samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\">\
         </samlp:StatusCode></samlp:Status>{inside}</samlp:Response>"
    )
}

/// A response's attributes in canonical order.
pub const PLAIN: &str = "ID=\"_r1\" IssueInstant=\"1970-01-12T13:46:40Z\" Version=\"2.0\"";
/// A confirmation's data that holds.
pub const DATA: &str = "NotOnOrAfter=\"1970-01-12T13:51:40Z\" \
    Recipient=\"https://app.example/auth/callback\"";

pub fn rules(keys: &[RsaPublic]) -> SamlRules<'_> {
    SamlRules {
        in_response_to: None,
        issuer: ISSUER,
        keys,
        leeway: 60,
        now: Timestamp(NOW),
        profile: Profile::WebSso,
        recipient: RECIPIENT,
        recipient_rule: SamlRecipient::Optional,
        sha1: Sha1::Refused,
    }
}

pub fn verify(document: &str) -> Result<Assertion, SamlRefused> {
    verify_xml(document.as_bytes(), &rules(&[KEY.public()]))?.addressed_to(AUDIENCE)
}
