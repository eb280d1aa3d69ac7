//! Sign-ins that end without one: consent states, authorization levels, error addresses, silence.

use http::{Method, StatusCode};
use superid_gateway::emulator::{
    App, AuthorizationLevel, Carriage, Consent, Ending, ErrorCallback, ErrorWords, Fault,
};

use crate::browser::{Browser, Page};
use crate::scene::{ASTRID, CALLBACK, ID, JONAS, Scene, app};

const CTX: &str = "Cust12345";
const ERRORS: &str = "https://app.example/auth/error";

#[tokio::test]
async fn the_authorization_level_says_who_may_approve() {
    use AuthorizationLevel::{Admin, Explicit, Implicit, User};
    let asked = |body: &str| body.contains("Approve Order");
    for (level, of_administrator, of_user) in
        [(Explicit, false, false), (Admin, true, false), (User, true, true)]
    {
        let scene = Scene::with(App { level, consent: Consent::Asked, ..app() }).await;
        assert_eq!(asked(&arrive(&scene, ASTRID).await.body), of_administrator, "{level:?}");
        assert_eq!(asked(&arrive(&scene, JONAS).await.body), of_user, "{level:?}");
    }
    let scene = Scene::with(App { level: Implicit, consent: Consent::Asked, ..app() }).await;
    assert_eq!(arrive(&scene, JONAS).await.redirect().1[1].0, "code");

    let app = App { level: Explicit, consent: Consent::Asked, ..app() };
    let scene = Scene::with(app).await;
    let page = arrive(&scene, ASTRID).await;
    assert!(page.body.contains("Authorization error: Denied (4)"), "{}", page.body);
    consent(&scene, "given").await;
    assert_eq!(arrive(&scene, JONAS).await.redirect().1[1].0, "code");
}

#[tokio::test]
async fn re_approval_locks_users_out_until_an_administrator_gives_it() {
    let scene = Scene::new().await;
    assert_eq!(arrive(&scene, JONAS).await.redirect().1[1].0, "code");
    consent(&scene, "needs_reapproval").await;
    let page = arrive(&scene, JONAS).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.body.contains("Authorization error: NeedsReapproval (5)"), "{}", page.body);

    let mut browser = Browser::new();
    let page = browser.get(&scene.authorize("common", &[])).await;
    let page = scene.pick(&mut browser, &page, ASTRID, "").await;
    let request = page.field("request").unwrap().to_owned();
    let fields = [("request", request.as_str()), ("decision", "accept")];
    browser.post(&scene.url("/login/consent"), &fields).await.redirect();
    assert_eq!(arrive(&scene, JONAS).await.redirect().1[1].0, "code");
}

#[tokio::test]
async fn what_was_revoked_or_denied_says_so_and_sends_nothing_back() {
    let scene = Scene::new().await;
    consent(&scene, "revoked").await;
    assert!(arrive(&scene, JONAS).await.body.contains("Authorization error: Revoked (1)"));
    assert!(arrive(&scene, ASTRID).await.body.contains("Approve Order"), "may give it anew");
    consent(&scene, "denied").await;
    for who in [ASTRID, JONAS] {
        let page = arrive(&scene, who).await;
        assert!(page.body.contains("Authorization error: Denied (4)"), "{}", page.body);
        assert!(!page.headers.contains_key("location"));
    }
}

#[tokio::test]
async fn an_error_address_is_told_in_the_words_of_an_rfc() {
    let callback =
        ErrorCallback { url: ERRORS.into(), method: Carriage::Get, words: ErrorWords::Rfc };
    let scene = Scene::with(App { error_callback: Some(callback), ..app() }).await;
    scene.emulator.tenants().require_reapproval(ID, CTX).unwrap();
    let (address, fields) = arrive(&scene, JONAS).await.redirect();
    assert_eq!(address, ERRORS);
    let expected = [
        ("state", "st at&e"),
        ("error", "access_denied"),
        ("error_description", "Authorization error: NeedsReapproval (5)"),
    ];
    assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let (address, _) = arrive(&scene, "guest@elsewhere.example").await.redirect();
    assert_eq!(address, ERRORS);
}

#[tokio::test]
async fn an_error_address_may_be_told_in_words_nobody_knows() {
    let words = ErrorWords::Unknown;
    let callback = ErrorCallback { url: ERRORS.into(), method: Carriage::Post, words };
    let scene = Scene::with(App { error_callback: Some(callback), ..app() }).await;
    scene.emulator.tenants().deny_consent(ID, CTX).unwrap();
    let (address, fields) = arrive(&scene, JONAS).await.form();
    assert_eq!(address, ERRORS);
    assert_eq!(fields[0], ("AuthorizeErrorCode".into(), "4".into()));
    assert!(fields.iter().all(|(name, _)| !["error", "state"].contains(&name.as_str())));
}

#[tokio::test]
async fn every_ending_can_be_had_as_a_fault_and_by_the_page() {
    let scene = Scene::new().await;
    for (ending, name, words) in [
        (Ending::Denied, "denied", "Denied (4)"),
        (Ending::Expired, "expired", "Expired (3)"),
        (Ending::InvalidRedirectUrl, "invalid_redirect_url", "InvalidRedirectUrl (2)"),
        (Ending::NeedsReapproval, "needs_reapproval", "NeedsReapproval (5)"),
        (Ending::NoAccess, "no_access", "Account does not have access"),
        (Ending::Nothing, "nothing", "Technical error"),
        (Ending::Revoked, "revoked", "Revoked (1)"),
    ] {
        scene.emulator.faults().clear();
        let page = pick(&scene, ASTRID, name).await;
        assert!(page.body.contains(words), "{}", page.body);
        let fault = Fault::Ending { client_id: None, ctx: Some(CTX.into()), ending };
        scene.emulator.faults().set(fault);
        assert!(arrive(&scene, ASTRID).await.body.contains(words));
        let siobhan = arrive(&scene, "siobhan@fjordbank.example").await;
        assert_eq!(siobhan.redirect().0, CALLBACK, "of another tenant");
    }
}

#[tokio::test]
async fn silence_does_not_even_tell_the_error_address() {
    let callback =
        ErrorCallback { url: ERRORS.into(), method: Carriage::Get, words: ErrorWords::Rfc };
    let scene = Scene::with(App { error_callback: Some(callback), ..app() }).await;
    let page = pick(&scene, ASTRID, "nothing").await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(!page.headers.contains_key("location"));
}

async fn consent(scene: &Scene, word: &str) {
    let body = format!(r#"{{"client_id":"{ID}","ctx":"{CTX}","consent":"{word}"}}"#);
    let url = scene.url("/emulator/consents");
    let page = Browser::new().send(Method::PUT, &url, &[], body).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
}

async fn arrive(scene: &Scene, who: &str) -> Page {
    pick(scene, who, "").await
}

/// Signs in with a wish from the page's list.
async fn pick(scene: &Scene, who: &str, ending: &str) -> Page {
    let mut browser = Browser::new();
    let page = browser.get(&scene.authorize("common", &[])).await;
    let request = page.field("request").expect("a sign-in page").to_owned();
    let fields = [("request", request.as_str()), ("person", who), ("ending", ending)];
    browser.post(&scene.url("/login/sign-in"), &fields).await
}
