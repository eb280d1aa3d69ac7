//! Answers of WS-Federation: nothing passes that was not signed for us, and who comes is who was named.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use superid_gateway::clock::Timestamp;
use superid_gateway::config::{Emails, Federation, People, SubjectClaim, Trust};
use superid_gateway::crypto::RsaPublic;
use superid_gateway::identity::ContextId;
use superid_gateway::ws_federation::{Clocks, verify};
use url::Url;

/// The first byte chooses: an answer; a good answer with bytes changed; what stands around a token that
/// we sign; what stands in one, of SAML 1.1.
pub fn wresult(bytes: &[u8]) -> bool {
    let Some((way, bytes)) = bytes.split_first() else { return false };
    match way % 4 {
        0 => {
            assert!(!signs_in(&String::from_utf8_lossy(bytes)), "nobody signs but us");
            false
        }
        1 => {
            let mut document = KEY.good.clone().into_bytes();
            for change in bytes.as_chunks::<3>().0 {
                let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % document.len();
                document[at] = change[2];
            }
            String::from_utf8(document).is_ok_and(|document| signs_in(&document))
        }
        2 => {
            let around = String::from_utf8_lossy(bytes);
            signs_in(&around.replace("TOKEN", &KEY.signed(CLAIMS)))
        }
        _ => {
            let inside = String::from_utf8_lossy(bytes);
            signs_in(&answer(&KEY.signed(&format!("{CLAIMS}{inside}"))))
        }
    }
}

/// Whether somebody is let in; then it is Ada, of her own directory.
fn signs_in(document: &str) -> bool {
    let clocks = Clocks { now: Timestamp(1_000_000), leeway: 60 };
    let ours = ("https://app.example/", "https://app.example/auth/callback");
    let Ok(arrival) = verify(&TRUST, document, ours, clocks) else { return false };
    let person = arrival.admit(&TRUST, &[]).expect("her directory is let in");
    assert_eq!(person.subject, format!("https://sts.example/{DIRECTORY}/#ada"));
    assert_eq!(person.context.as_str(), "Cust12345");
    assert_eq!(person.email, None);
    true
}

struct Key {
    pair: KeyPair,
    good: String,
}

impl Key {
    fn new() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("keys can be made");
        let mut key = Self { pair, good: String::new() };
        key.good = answer(&key.signed(CLAIMS));
        key
    }

    fn public(&self) -> RsaPublic {
        let (modulus, exponent) =
            (self.pair.public_key().modulus(), self.pair.public_key().exponent());
        let public = RsaPublic::of_components(
            modulus.big_endian_without_leading_zero(),
            exponent.big_endian_without_leading_zero(),
        );
        public.expect("2,048 bits")
    }

    fn signed(&self, claims: &str) -> String {
        let hash = STANDARD.encode(digest(&SHA256, assertion("", claims).as_bytes()));
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
        assertion(&signature, claims)
    }
}

fn answer(token: &str) -> String {
    format!(
        "<t:RequestSecurityTokenResponse xmlns:t=\"http://schemas.xmlsoap.org/ws/2005/02/trust\">\
         <t:RequestedSecurityToken>{token}</t:RequestedSecurityToken>\
         </t:RequestSecurityTokenResponse>"
    )
}

/// Canonical, of SAML 1.1.
fn assertion(signature: &str, claims: &str) -> String {
    format!(
        "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:1.0:assertion\" AssertionID=\"_a\" \
         Issuer=\"https://sts.example/{DIRECTORY}/\" MajorVersion=\"1\" MinorVersion=\"1\">\
         <saml:Conditions NotOnOrAfter=\"1970-01-12T13:51:40Z\">\
         <saml:AudienceRestrictionCondition><saml:Audience>https://app.example/</saml:Audience>\
         </saml:AudienceRestrictionCondition></saml:Conditions><saml:AttributeStatement>\
         <saml:Subject><saml:SubjectConfirmation><saml:ConfirmationMethod>\
         urn:oasis:names:tc:SAML:1.0:cm:bearer</saml:ConfirmationMethod>\
         </saml:SubjectConfirmation></saml:Subject>{claims}</saml:AttributeStatement>{signature}\
         </saml:Assertion>"
    )
}

static KEY: LazyLock<Key> = LazyLock::new(Key::new);
static TRUST: LazyLock<Trust> = LazyLock::new(|| {
    let url = Url::parse("https://sts.example/wsfed").expect("an address");
    let tenant = ContextId::parse("Cust12345").expect("a tenant");
    let federation = Federation {
        name: "sts".to_owned(),
        issuer: "https://sts.example/{tenantid}/".to_owned(),
        sign_in_url: url.clone(),
        sign_out_url: url,
        keys: vec![KEY.public()],
        subject: SubjectClaim::Claim(format!("{NAMES}/objectidentifier")),
        emails: Emails::Unverified,
        parameters: Vec::new(),
    };
    let people = People {
        mapping: None,
        directories: [(DIRECTORY.to_owned(), tenant)].into_iter().collect(),
        hosted_domains: [].into_iter().collect(),
        email_domains: [].into_iter().collect(),
    };
    Trust { federation: Arc::new(federation), people }
});

const DIRECTORY: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const NAMES: &str = "http://schemas.microsoft.com/identity/claims";
const CLAIMS: &str = "<saml:Attribute AttributeName=\"tenantid\" \
    AttributeNamespace=\"http://schemas.microsoft.com/identity/claims\"><saml:AttributeValue>\
    72f988bf-86f1-41af-91ab-2d7cd011db47</saml:AttributeValue></saml:Attribute><saml:Attribute \
    AttributeName=\"objectidentifier\" \
    AttributeNamespace=\"http://schemas.microsoft.com/identity/claims\"><saml:AttributeValue>ada\
    </saml:AttributeValue></saml:Attribute>";
const SIGNED_INFO: &str = "<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\
    <ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">\
    </ds:CanonicalizationMethod><ds:SignatureMethod \
    Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"></ds:SignatureMethod>\
    <ds:Reference URI=\"#_a\"><ds:Transforms><ds:Transform \
    Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>\
    <ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform>\
    </ds:Transforms><ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\">\
    </ds:DigestMethod><ds:DigestValue>HASH</ds:DigestValue></ds:Reference></ds:SignedInfo>";
