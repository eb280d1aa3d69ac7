//! The older sign-in with SAML: by form and by address, and what keeps others' assertions out.

use std::sync::atomic::{AtomicU32, Ordering};

use superid_gateway::emulator::{App, CLAIM_PREFIX, Carriage, LegacyToken, SamlDraft, SamlHash};

use crate::browser::Browser;
use crate::installing::{SYSTEM_USER, kept};
use crate::legacy::post;
use crate::wire::Answer;
use crate::world::{ASTRID, NOW, World};

const SAML: &str = r#"
[relying_party.main]
flow = "legacy"
redirect_path = "/auth/legacy"
[relying_party.main.legacy]
serials = { Cust12345 = "1201052551", Cust67890 = "1201052553" }
token = "saml"
"#;

/// The same registration at the emulator, sending what a test wants.
fn registered(world: &World, tokens: &[LegacyToken], method: Carriage) {
    let callback = world.url("/auth/legacy");
    world.superid.register(App {
        legacy_redirect: Some(callback.clone()),
        redirect_uris: vec![callback],
        legacy_tokens: tokens.to_vec(),
        legacy_method: method,
        ..App::new("client-of-main", "secret of main", "")
    });
}

fn draft(world: &World) -> SamlDraft {
    unaddressed(world).recipient(&world.url("/auth/legacy"))
}

/// It names no recipient.
fn unaddressed(world: &World) -> SamlDraft {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let draft = world.superid.mint().saml("client-of-main", ASTRID, "Cust12345").unwrap();
    draft.id(&format!("_{number}"))
}

async fn told(world: &World, document: &str) -> (Browser, Answer) {
    let mut browser = world.browser();
    browser.visit(&world.url("/orders")).await;
    let answer = post(world, &mut browser, &[("saml", &SamlDraft::encoded(document))]).await;
    (browser, answer)
}

fn refused(answer: &Answer, why: &str) {
    let words = answer.body.split("<h1>").nth(1).unwrap_or(&answer.body);
    assert!(answer.status >= 400 && !answer.signs_in(), "{why}: {} {words}", answer.status);
}

#[tokio::test]
async fn a_person_signs_in_by_a_posted_assertion_and_the_app_gets_what_a_jwt_would_bring() {
    let world = World::with(SAML).await;
    for (field, token) in [("saml", LegacyToken::Saml), ("SAMLResponse", LegacyToken::SamlResponse)]
    {
        registered(&world, &[token], Carriage::Post);
        let mut browser = world.browser();
        let page = browser.open(&world.url("/orders/7")).await;
        let form = browser.pick(&page, ASTRID, "").await;
        let value = form.field(field).unwrap();
        let page = form.url.clone();
        let handed = browser.submit(&page, &form.action().unwrap(), &[(field, &value)]).await;
        assert_eq!(handed.location(), world.url("/auth/finish"), "{handed:?}");
        assert!(!handed.signs_in(), "the POST makes no session");
        let landed = browser.step(&handed).await;
        assert_eq!(landed.location(), world.url("/orders/7"));
        assert!(landed.signs_in());
        assert_eq!(browser.step(&landed).await.status, 200);
        let request = world.app.last();
        assert!(request.header("SOTicket").unwrap().starts_with("7T:"));
        assert_eq!(request.header("X-SuperOffice-First-Name"), Some("Astrid"));
        assert_eq!(request.header("X-SuperOffice-Context"), Some("Cust12345"));
        let mut other = world.browser();
        other.visit(&world.url("/orders")).await;
        let again = post(&world, &mut other, &[(field, &value)]).await;
        refused(&again, "once is enough");
    }
}

#[tokio::test]
async fn assertions_in_addresses_are_taken_where_the_configuration_says_so_alone() {
    let both = SAML.replace("token = \"saml\"", "token = \"either\"\nmethod = \"get\"");
    for (changes, taken) in [(both.as_str(), true), (SAML, false)] {
        let world = World::with(&format!("{changes}[limits]\ntarget_bytes = \"16KiB\"\n")).await;
        registered(&world, &[LegacyToken::Saml, LegacyToken::Jwt], Carriage::Get);
        let mut browser = world.browser();
        let page = browser.open(&world.url("/orders/7")).await;
        let redirect = browser.pick(&page, ASTRID, "").await;
        assert!(redirect.location().starts_with(&world.url("/auth/legacy?saml=")));
        // An image on another site brings the same address.
        let image = "Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n";
        let way = crate::jar::Way::CrossSite;
        let shown = browser.request("GET", redirect.location(), way, image, "").await;
        refused(&shown, "an image");
        let handed = browser.step(&redirect).await;
        if !taken {
            handed.is_page(400);
            continue;
        }
        assert_eq!(handed.location(), world.url("/auth/finish"), "{handed:?}");
        assert!(!handed.signs_in());
        assert_eq!(browser.arrive(handed).await.status, 200);
        assert_eq!(world.app.last().target, "/orders/7");
        // Another browser, which began nothing, is not signed in by somebody's address.
        let mut victim = world.browser();
        let document = draft(&world).sign();
        let planted = form_urlencoded::Serializer::new(String::new())
            .append_pair("saml", &SamlDraft::encoded(&document))
            .finish();
        let handed = victim.follow_link(&format!("{}?{planted}", world.url("/auth/legacy"))).await;
        victim.step(&handed).await.is_page(400);
        let form = post(&world, &mut world.browser(), &[("saml", "x")]).await;
        assert_eq!(form.status, 405, "forms are not for this relying party");
    }
}

#[tokio::test]
async fn an_assertion_that_lies_about_anything_signs_nobody_in() {
    let world = World::with(SAML).await;
    let now = i64::try_from(NOW).unwrap();
    let claim = |name: &str| format!("{CLAIM_PREFIX}{name}");
    let good = draft(&world).sign();
    let cases = [
        ("another tenant's audience", draft(&world).audience(Some("spn:1201052553")).sign()),
        ("no audience", draft(&world).audience(None).sign()),
        ("our client id", draft(&world).audience(Some("client-of-main")).sign()),
        ("another tenant", draft(&world).attribute(&claim("ctx"), "Cust67890").sign()),
        ("no tenant", draft(&world).without_attribute(&claim("ctx")).sign()),
        ("two tenants", draft(&world).duplicate_attribute(&claim("ctx"), "Cust67890").sign()),
        ("another serial", draft(&world).attribute(&claim("serial"), "1201052553").sign()),
        ("another issuer", draft(&world).issuer("https://evil.example").sign()),
        ("expired", draft(&world).good_between(now - 600, now - 61).sign()),
        ("not yet", draft(&world).good_between(now + 61, now + 300).sign()),
        ("for ever", draft(&world).good_between(now, now + 100_000_000).sign()),
        ("for elsewhere", draft(&world).recipient("https://evil.example/auth/legacy").sign()),
        ("for nowhere", unaddressed(&world).sign()),
        ("for nowhere", unaddressed(&world).audience(Some("client-of-main")).sign()),
        ("SHA-1", draft(&world).hashed_with(SamlHash::Sha1).sign()),
        ("a stranger's key", draft(&world).by_stranger(world.superid.keys()).sign()),
        ("unsigned", draft(&world).unsigned()),
        ("changed", good.replace("Nordlys Marine", "Nordlys Marina")),
        ("with a DOCTYPE", good.replace("?><", "?><!DOCTYPE Assertion><")),
    ];
    for (name, document) in cases {
        let (mut browser, answer) = told(&world, &document).await;
        refused(&answer, name);
        browser.visit(&world.url("/auth/finish")).await.is_page(400);
    }
    world.app.heard_nothing();
    let (mut browser, answer) = told(&world, &good).await;
    assert_eq!(browser.arrive(answer).await.status, 200);
}

#[tokio::test]
async fn one_kind_of_token_is_taken_unless_both_are_asked_for() {
    let world = World::with(SAML).await;
    let mut browser = world.browser();
    browser.visit(&world.url("/orders")).await;
    let jwt = crate::legacy::draft(&world).sign();
    post(&world, &mut browser, &[("jwt", &jwt)]).await.is_page(400);
    let encoded = SamlDraft::encoded(&draft(&world).sign());
    let twice = [("saml", encoded.as_str()), ("SAMLResponse", encoded.as_str())];
    post(&world, &mut browser, &twice).await.is_page(400);
    post(&world, &mut browser, &[("saml", &encoded), ("SAML", "x")]).await.is_page(400);
    let world = World::with(crate::legacy::LEGACY).await;
    let (_, answer) = told(&world, &draft(&world).sign()).await;
    answer.is_page(400);
    world.app.heard_nothing();
}

#[tokio::test]
async fn sha_1_and_a_name_of_ours_are_the_configurations_to_say() {
    let table = "[relying_party.main.legacy.saml]\naudience = \"https://app.example/\"\n";
    let world = World::with(&format!("{SAML}{table}sha1 = \"accepted\"\n")).await;
    let ours = unaddressed(&world).audience(Some("https://app.example/"));
    let (mut browser, answer) = told(&world, &ours.hashed_with(SamlHash::Sha1).sign()).await;
    assert_eq!(browser.arrive(answer).await.status, 200);
    let (_, answer) = told(&world, &draft(&world).sign()).await;
    refused(&answer, "the tenant's audience is not ours then");
}

#[tokio::test]
async fn a_new_key_of_superids_is_fetched_and_a_pinned_certificate_stays() {
    let mut world = World::with(SAML).await;
    let (mut browser, answer) = told(&world, &draft(&world).sign()).await;
    assert_eq!(browser.arrive(answer).await.status, 200);
    let pinned = Pinned::new(&world);
    let pins = format!("[relying_party.main.legacy.saml]\ncertificates = [{:?}]\n", pinned.path());
    let old = draft(&world).sign();
    world.superid.keys().rotate();
    let (_, answer) = told(&world, &draft(&world).sign()).await;
    refused(&answer, "keys are fetched once in 30 seconds");
    world.clock.advance(31);
    let (mut browser, answer) = told(&world, &draft(&world).sign()).await;
    assert_eq!(browser.arrive(answer).await.status, 200);
    world.reload(&pins).unwrap();
    let (_, answer) = told(&world, &draft(&world).sign()).await;
    refused(&answer, "the key set's key is not believed then");
    let (mut browser, answer) = told(&world, &old).await;
    assert_eq!(browser.arrive(answer).await.status, 200, "the certificate's key is");
}

/// The emulated SuperID's certificate in a file; gone with the value.
struct Pinned(std::path::PathBuf);

impl Pinned {
    fn new(world: &World) -> Self {
        let jwks = world.superid.keys().jwks();
        let body = jwks["keys"][0]["x5c"][0].as_str().unwrap();
        let path = std::env::temp_dir().join(format!("saml-pin-{}.pem", std::process::id()));
        let text = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn an_administrators_assertion_brings_the_system_user_token() {
    let world = World::with(&format!("{SAML}{SYSTEM_USER}")).await;
    let token = world.superid.tenants().system_token("client-of-main", "Cust12345").unwrap();
    let named = |name: &str| format!("{CLAIM_PREFIX}{name}");
    let document = draft(&world)
        .attribute(&named("system_token"), &token)
        .attribute(&named("is_administrator"), "True")
        .sign();
    let (mut browser, answer) = told(&world, &document).await;
    assert_eq!(browser.arrive(answer).await.status, 200);
    assert!(kept(&world).await.is_some());
}
