//! The legacy callback's SAML, by form and by address, signed as xmlsec1 verifies.

use base64::prelude::{BASE64_STANDARD, Engine};
use quick_xml::Reader;
use quick_xml::events::Event;
use superid_gateway::emulator::{App, CLAIM_PREFIX, Carriage, LegacyToken, SamlDraft, SamlHash};

use crate::browser::{Browser, Page};
use crate::scene::{ASTRID, CALLBACK, ID, Scene, app};
use crate::xmlsec;

const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion:Assertion";

#[tokio::test]
async fn a_bare_assertion_is_posted_whose_signature_xmlsec_bears_out_by_either_hash() {
    for (hash, algorithm) in [(SamlHash::Sha256, "rsa-sha256"), (SamlHash::Sha1, "rsa-sha1")] {
        let scene = Scene::with(App { saml_hash: hash, ..sending(LegacyToken::Saml) }).await;
        let (address, fields) = arrive(&scene).await.form();
        assert_eq!((address.as_str(), fields[0].0.as_str()), (CALLBACK, "saml"));
        let document = decoded(&fields[0].1);
        assert!(
            document.starts_with("<?xml version=\"1.0\" encoding=\"utf-8\"?><Assertion xmlns=")
        );
        assert!(document.contains(&format!("#{algorithm}\"")), "{document}");
        let changed = document.replace("Nordlys Marine AS", "Nordlys Marine AB");
        let jwks = scene.emulator.keys().jwks();
        let certificate = xmlsec::certificate(&jwks);
        let verdict = |text: &str| xmlsec::verifies(text, &certificate, "ID", ASSERTION);
        assert_ne!(verdict(&document), Some(false), "{document}");
        assert_ne!(verdict(&changed), Some(true));
    }
}

#[tokio::test]
async fn its_attributes_are_the_claims_by_their_uris() {
    let scene = Scene::with(sending(LegacyToken::Saml)).await;
    let document = decoded(&arrive(&scene).await.form().1[0].1);
    let told = attributes(&document);
    let find = |name: &str| {
        let name = format!("{CLAIM_PREFIX}{name}");
        told.iter().find(|(known, _)| *known == name).map(|pair| pair.1.as_str()).unwrap_or("")
    };
    assert_eq!(find("ctx"), "Cust12345");
    assert_eq!(find("is_administrator"), "True");
    assert_eq!(find("serial"), "1201052551");
    assert!(find("ticket").starts_with("7T:"));
    for text in [
        "<Issuer>SuperOffice AS</Issuer><ds:Signature",
        "<Audience>spn:1201052551</Audience>",
        "NotBefore=\"2023-11-14T22:12:20.000Z\" NotOnOrAfter=\"2023-11-14T22:18:20.000Z\"",
        &format!(">{ASTRID}</NameID>"),
        "urn:oasis:names:tc:SAML:2.0:cm:bearer",
    ] {
        assert!(document.contains(text), "{text} in {document}");
    }
}

#[tokio::test]
async fn the_callback_can_come_by_address_with_both_tokens() {
    let both = vec![LegacyToken::Saml, LegacyToken::Jwt];
    let app = App { legacy_method: Carriage::Get, legacy_tokens: both, ..app() };
    let scene = Scene::with(app).await;
    let (address, fields) = arrive(&scene).await.redirect();
    assert_eq!(address, CALLBACK);
    assert_eq!(fields.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["saml", "jwt"]);
    assert!(decoded(&fields[0].1).contains("<Assertion"));
    assert!(scene.verified(&fields[1].1).await.is_some());
}

#[tokio::test]
async fn in_a_response_the_assertion_says_where_it_goes() {
    let scene = Scene::with(sending(LegacyToken::SamlResponse)).await;
    let fields = arrive(&scene).await.form().1;
    assert_eq!(fields[0].0, "SAMLResponse");
    let document = decoded(&fields[0].1);
    assert!(document.contains(&format!(" Destination=\"{CALLBACK}\"")), "{document}");
    assert!(document.contains(&format!(" Recipient=\"{CALLBACK}\"")), "{document}");
    let certificate = xmlsec::certificate(&scene.emulator.keys().jwks());
    assert_ne!(xmlsec::verifies(&document, &certificate, "ID", ASSERTION), Some(false));
}

#[tokio::test]
async fn names_that_need_escaping_are_signed_as_they_are_read() {
    let scene = Scene::with(sending(LegacyToken::Saml)).await;
    let draft = scene.emulator.mint().saml(ID, "soren.akesson@bakke.example", "Cust20011").unwrap();
    let draft = draft.attribute("http://example/x", "a\r\n\t\"<&>'ø").audience(None);
    let document = draft.sign();
    assert!(document.contains("Bakke &amp; Sønner &lt;Bygg&gt; AS"), "{document}");
    let certificate = xmlsec::certificate(&scene.emulator.keys().jwks());
    let verdict = |text: &str| xmlsec::verifies(text, &certificate, "ID", ASSERTION);
    assert_ne!(verdict(&document), Some(false), "{document}");
    let stranger = draft.by_stranger(scene.emulator.keys());
    assert_ne!(verdict(&stranger.sign()), Some(true));
    assert!(!SamlDraft::unsigned(&stranger).contains("Signature"));
}

fn sending(token: LegacyToken) -> App {
    App { legacy_tokens: vec![token], ..app() }
}

async fn arrive(scene: &Scene) -> Page {
    let mut browser = Browser::new();
    let page = browser.get(&scene.url(&format!("/login/?app_id={ID}"))).await;
    scene.pick(&mut browser, &page, ASTRID, "").await
}

fn decoded(value: &str) -> String {
    String::from_utf8(BASE64_STANDARD.decode(value).unwrap()).unwrap()
}

/// Name and value of every attribute, as a parser reads them.
fn attributes(document: &str) -> Vec<(String, String)> {
    let mut reader = Reader::from_str(document);
    let (mut found, mut name) = (Vec::new(), String::new());
    let mut inside = false;
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return found,
            Event::Start(tag) if tag.local_name().as_ref() == "Attribute" => {
                let given = tag.try_get_attribute("Name").unwrap().unwrap();
                name = given.value.to_string();
            }
            Event::Start(tag) => inside = tag.local_name().as_ref() == "AttributeValue",
            Event::End(_) => inside = false,
            Event::Text(text) if inside => found.push((name.clone(), text.to_string())),
            _ => {}
        }
    }
}
