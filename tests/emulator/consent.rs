//! Consent is an administrator's, once for each tenant.

use http::StatusCode;
use superid_gateway::emulator::Consent;

use crate::browser::{Browser, Page};
use crate::scene::{ASTRID, CALLBACK, JONAS, Scene, app};

#[tokio::test]
async fn after_an_administrator_approved_nobody_of_the_tenant_is_asked() {
    let scene = asking().await;
    let (_, page) = arrive(&scene, JONAS).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.body.contains("Account does not have access"));

    let (mut browser, page) = arrive(&scene, ASTRID).await;
    assert!(page.body.contains("Approve Order &#60;Desk&#62;?"), "{}", page.body);
    let page = decide(&scene, &mut browser, &page, "accept").await;
    let (address, query) = page.redirect();
    assert_eq!((address.as_str(), query[1].0.as_str()), (CALLBACK, "code"));

    let (_, page) = arrive(&scene, JONAS).await;
    assert_eq!(page.redirect().1[1].0, "code");
}

#[tokio::test]
async fn a_refusal_goes_back_as_access_denied_and_is_not_remembered() {
    let scene = asking().await;
    let (mut browser, page) = arrive(&scene, ASTRID).await;
    let page = decide(&scene, &mut browser, &page, "refuse").await;
    let (_, query) = page.redirect();
    assert_eq!(query[0], ("state".into(), "st at&e".into()));
    assert_eq!(query[1], ("error".into(), "access_denied".into()));
    let page = browser.get(&scene.authorize("common", &[])).await;
    assert!(page.body.contains("Approve"));
}

#[tokio::test]
async fn an_ordinary_user_cannot_approve_by_posting_the_form() {
    let scene = asking().await;
    let (mut browser, page) = arrive(&scene, JONAS).await;
    let link = page.link("Sign in as somebody else").split_once('=').unwrap().1.to_owned();
    let fields = [("request", link.as_str()), ("decision", "accept")];
    let page = browser.post(&scene.url("/login/consent"), &fields).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
}

async fn asking() -> Scene {
    let mut app = app();
    app.consent = Consent::Asked;
    Scene::with(app).await
}

async fn arrive(scene: &Scene, who: &str) -> (Browser, Page) {
    let mut browser = Browser::new();
    let page = browser.get(&scene.authorize("common", &[])).await;
    let page = scene.pick(&mut browser, &page, who, "").await;
    (browser, page)
}

async fn decide(scene: &Scene, browser: &mut Browser, page: &Page, decision: &str) -> Page {
    let request = page.field("request").unwrap().to_owned();
    let fields = [("request", request.as_str()), ("decision", decision)];
    browser.post(&scene.url("/login/consent"), &fields).await
}
