//! The provider like Entra: WS-Federation with tokens that xmlsec1 verifies.

use http::{Method, StatusCode};
use superid_gateway::emulator::{AnswerLie, EntraRealm, EntraToken, Fault};

use crate::browser::{Browser, Page};
use crate::scene::{ASTRID, Scene};
use crate::xmlsec;

const REALM: &str = "https://crm.example/";
const REPLY: &str = "https://crm.example/auth/wsfed";
const GUEST: &str = "guest@elsewhere.example";

#[tokio::test]
async fn a_sign_in_posts_a_token_that_xmlsec_bears_out() {
    for (token, name, id) in [
        (EntraToken::Saml20, "urn:oasis:names:tc:SAML:2.0:assertion:Assertion", "ID"),
        (EntraToken::Saml11, "urn:oasis:names:tc:SAML:1.0:assertion:Assertion", "AssertionID"),
    ] {
        let scene = scene(token).await;
        let (address, fields) = arrive(&scene, ASTRID, "common", "&wctx=a%26b").await.form();
        assert_eq!(address, REPLY);
        let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["wa", "wresult", "wctx"]);
        assert_eq!((fields[0].1.as_str(), fields[2].1.as_str()), ("wsignin1.0", "a&b"));
        let document = &fields[1].1;
        let certificate = certificate(&scene).await;
        let verdict = |text: &str| xmlsec::verifies(text, &certificate, id, name);
        assert_ne!(verdict(document), Some(false), "{document}");
        assert_ne!(verdict(&document.replace(ASTRID, "root@nordlys.example")), Some(true));
        for text in [
            "<t:RequestSecurityTokenResponse xmlns:t=",
            &format!("Audience>{REALM}</"),
            &format!(">{ASTRID}</"),
            "tenantid\"",
            "objectidentifier\"",
        ] {
            assert!(document.contains(text), "{text} in {document}");
        }
    }
}

#[tokio::test]
async fn the_issuer_names_the_directory_and_saml_11_splits_claim_names() {
    let scene = scene(EntraToken::Saml11).await;
    let document = wresult(&scene, ASTRID).await;
    let directory = between(&document, "AttributeName=\"tenantid\"", "</saml:AttributeValue>");
    let directory = directory.rsplit_once('>').unwrap().1;
    assert_eq!(directory.len(), 36);
    assert!(
        document.contains(&format!(" Issuer=\"{}/\"", scene.url(&format!("/entra/{directory}"))))
    );
    let upn = "AttributeName=\"upn\" \
               AttributeNamespace=\"http://schemas.xmlsoap.org/ws/2005/05/identity/claims\"";
    assert!(document.contains(upn), "{document}");
    let own = arrive(&scene, ASTRID, directory, "").await;
    assert_eq!(own.form().0, REPLY);
    let other = arrive(&scene, GUEST, directory, "").await;
    assert!(other.body.contains("AADSTS50020"), "{}", other.body);
    assert!(arrive(&scene, GUEST, "organizations", "").await.body.contains("AADSTS50020"));
    assert_eq!(arrive(&scene, GUEST, "consumers", "").await.form().0, REPLY);
}

#[tokio::test]
async fn unknown_realms_and_replies_stay_on_a_page() {
    let scene = scene(EntraToken::Saml20).await;
    for query in [
        "wa=wsignin1.0&wtrealm=https%3A%2F%2Fevil.example".to_owned(),
        format!("wa=wsignin1.0&wtrealm={REALM}&wreply=https%3A%2F%2Fevil.example"),
        format!("wa=wattr1.0&wtrealm={REALM}"),
    ] {
        let page = Browser::new().get(&scene.url(&format!("/entra/common/wsfed?{query}"))).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert!(page.body.contains("AADSTS"), "{}", page.body);
    }
    let page = arrive(&scene, "nobody@nowhere.example", "common", "").await;
    assert!(page.body.contains("AADSTS50034"), "{}", page.body);
}

#[tokio::test]
async fn the_second_time_is_silent_until_sign_out_which_visits_every_party() {
    let scene = scene(EntraToken::Saml20).await;
    let mut browser = Browser::new();
    let page = browser.get(&sign_in(&scene, "common", "")).await;
    pick(&scene, &mut browser, &page, ASTRID).await.form();
    browser.get(&sign_in(&scene, "common", "")).await.form();
    let page = browser.get(&sign_in(&scene, "common", "&wfresh=0")).await;
    assert!(page.field("request").is_some(), "asked to ask");

    let path = format!("/entra/common/wsfed?wa=wsignout1.0&wreply={REPLY}");
    let page = browser.get(&scene.url(&path)).await;
    assert!(
        page.body.contains(&format!("<img src=\"{REPLY}?wa=wsignoutcleanup1.0\"")),
        "{}",
        page.body
    );
    assert!(page.body.contains(&format!("<a href=\"{REPLY}\">Continue</a>")));
    assert!(browser.get(&sign_in(&scene, "common", "")).await.field("request").is_some());
    let path = "/entra/common/wsfed?wa=wsignout1.0&wreply=https://evil.example/";
    assert!(!browser.get(&scene.url(path)).await.body.contains("evil"));
}

#[tokio::test]
async fn a_foreign_clean_up_ends_the_session() {
    let scene = scene(EntraToken::Saml20).await;
    let mut browser = Browser::new();
    let page = browser.get(&sign_in(&scene, "common", "")).await;
    pick(&scene, &mut browser, &page, ASTRID).await.form();
    browser.get(&scene.url("/entra/common/wsfed?wa=wsignoutcleanup1.0")).await;
    assert!(browser.get(&sign_in(&scene, "common", "")).await.field("request").is_some());
}

#[tokio::test]
async fn it_lies_when_told_to() {
    let scene = scene(EntraToken::Saml20).await;
    let absent = AnswerLie::NoClaim { claim: "tenantid".into() };
    scene.emulator.faults().set(Fault::AnswerLie { lie: absent });
    scene.emulator.faults().set(Fault::AnswerLie { lie: AnswerLie::WrongState });
    let (_, fields) = arrive(&scene, ASTRID, "common", "&wctx=mine").await.form();
    assert!(!fields[1].1.contains("tenantid"));
    assert_ne!(fields[2].1, "mine");
    scene.emulator.faults().clear();
    scene.emulator.faults().set(Fault::WrongKey);
    let document = wresult(&scene, ASTRID).await;
    let name = "urn:oasis:names:tc:SAML:2.0:assertion:Assertion";
    assert_ne!(xmlsec::verifies(&document, &certificate(&scene).await, "ID", name), Some(true));
}

#[tokio::test]
async fn realms_can_be_registered_by_scripts() {
    let scene = Scene::new().await;
    let body = format!(r#"{{"wtrealm":"{REALM}","replies":["{REPLY}"],"token":"saml11"}}"#);
    let url = scene.url("/emulator/entra/realms");
    let page = Browser::new().send(Method::POST, &url, &[], body).await;
    assert_eq!(page.json()["realms"][0]["token"], "saml11");
    assert!(wresult(&scene, ASTRID).await.contains("MajorVersion=\"1\""));
}

async fn scene(token: EntraToken) -> Scene {
    let scene = Scene::new().await;
    let realm = EntraRealm { wtrealm: REALM.into(), replies: vec![REPLY.into()], token };
    scene.emulator.register_at_entra(realm);
    scene
}

fn sign_in(scene: &Scene, directory: &str, more: &str) -> String {
    let time = "2026-11-22T10%3A00%3A00Z";
    scene.url(&format!("/entra/{directory}/wsfed?wa=wsignin1.0&wtrealm={REALM}&wct={time}{more}"))
}

async fn pick(scene: &Scene, browser: &mut Browser, page: &Page, who: &str) -> Page {
    let request = page.field("request").expect("a page of accounts").to_owned();
    let fields = [("request", request.as_str()), ("person", who)];
    browser.post(&scene.url("/entra/sign-in"), &fields).await
}

async fn arrive(scene: &Scene, who: &str, directory: &str, more: &str) -> Page {
    let mut browser = Browser::new();
    let page = browser.get(&sign_in(scene, directory, more)).await;
    pick(scene, &mut browser, &page, who).await
}

async fn wresult(scene: &Scene, who: &str) -> String {
    arrive(scene, who, "common", "").await.form().1.swap_remove(1).1
}

/// The signing certificate as the federation metadata has it.
async fn certificate(scene: &Scene) -> String {
    let path = "/entra/common/FederationMetadata/2007-06/FederationMetadata.xml";
    let page = Browser::new().get(&scene.url(path)).await;
    assert!(page.body.contains(&scene.url("/entra/common/wsfed")), "{}", page.body);
    assert!(page.body.contains("{tenantid}/\""), "{}", page.body);
    between(&page.body, "<X509Certificate>", "</X509Certificate>").to_owned()
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start).expect("a start").1.split_once(end).expect("an end").0
}
