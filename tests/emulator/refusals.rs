//! What SuperID does not do.

use http::StatusCode;
use superid_gateway::emulator::{App, Kind, Pkce};

use crate::browser::Browser;
use crate::scene::{ASTRID, CALLBACK, ID, SECRET, Scene, VERIFIER, app};

#[tokio::test]
async fn an_unknown_client_or_redirect_address_ends_on_a_page_without_callback() {
    let scene = Scene::new().await;
    let wrong = [
        [("redirect_uri", "https://app.example/auth/callback/")],
        [("redirect_uri", "")],
        [("client_id", "nobody")],
    ];
    for change in wrong {
        let page = Browser::new().get(&scene.authorize("common", &change)).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert!(page.body.contains("Technical error") && page.body.contains("Request ID"));
        assert!(!page.headers.contains_key("location"));
    }
    let outcome = &scene.emulator.journal().entries()[0].outcome;
    assert_eq!(outcome, "unknown redirect address");
}

#[tokio::test]
async fn what_can_be_told_to_the_app_goes_back_with_its_state() {
    let mut refuses = App::new("no-pkce", SECRET, CALLBACK);
    refuses.pkce = Pkce::Refused;
    let scene = Scene::new().await;
    scene.emulator.register(refuses);
    let wrong = [
        ("response_type", "code code", "unsupported_response_type"),
        ("response_type", "none", "unsupported_response_type"),
        ("scope", "profile", "invalid_scope"),
        ("code_challenge_method", "S512", "invalid_request"),
        ("client_id", "no-pkce", "invalid_request"),
    ];
    for (name, value, error) in wrong {
        let page = Browser::new().get(&scene.authorize("common", &[(name, value)])).await;
        let (address, query) = page.redirect();
        assert_eq!(address, CALLBACK);
        assert_eq!(query[0], ("state".into(), "st at&e".into()));
        assert_eq!(query[1], ("error".into(), error.into()));
    }
}

#[tokio::test]
async fn a_wrong_token_request_gets_its_rfc_6749_error_and_spends_the_code() {
    let scene = Scene::new().await;
    let wrong = [
        ("code_verifier", "another-verifier", "invalid_grant"),
        ("redirect_uri", "https://app.example/other", "invalid_grant"),
    ];
    for (name, value, error) in wrong {
        let code = scene.code(ASTRID, "").await;
        let page = scene.redeem(&code, &[(name, value)]).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert_eq!(page.json()["error"], error);
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(scene.redeem(&code, &[]).await.json()["error"], "invalid_grant");
    }
}

#[tokio::test]
async fn a_wrong_secret_is_401_and_leaves_the_code_alone() {
    let scene = Scene::new().await;
    let code = scene.code(ASTRID, "").await;
    for change in [("client_secret", "wrong"), ("client_id", "nobody")] {
        let page = scene.redeem(&code, &[change]).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED);
        assert_eq!(page.json()["error"], "invalid_client");
    }
    assert_eq!(scene.redeem(&code, &[]).await.status, StatusCode::OK);
    assert_eq!(scene.redeem(&code, &[]).await.json()["error"], "invalid_grant", "spent");
}

#[tokio::test]
async fn a_code_is_good_for_less_than_ten_minutes() {
    let scene = Scene::new().await;
    let (early, late) = (scene.code(ASTRID, "").await, scene.code(ASTRID, "").await);
    scene.turn_clock(599);
    assert_eq!(scene.redeem(&early, &[]).await.status, StatusCode::OK);
    scene.turn_clock(1);
    assert_eq!(scene.redeem(&late, &[]).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn a_code_belongs_to_one_client() {
    let scene = Scene::new().await;
    scene.emulator.register(App::new("other", SECRET, CALLBACK));
    let code = scene.code(ASTRID, "").await;
    let page = scene.redeem(&code, &[("client_id", "other")]).await;
    assert_eq!(page.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn an_unknown_grant_and_a_missing_one_are_told_apart() {
    let scene = Scene::new().await;
    let client = [("client_id", ID), ("client_secret", SECRET)];
    let page = scene.token_request(&client).await;
    assert_eq!(page.json()["error"], "invalid_request");
    let fields = [client[0], client[1], ("grant_type", "client_credentials")];
    assert_eq!(scene.token_request(&fields).await.json()["error"], "unsupported_grant_type");
    let page = Browser::new().get(&scene.url("/login/common/oauth/tokens")).await;
    assert_eq!(page.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_body_over_64_kilobytes_is_refused() {
    let scene = Scene::new().await;
    let page = scene.token_request(&[("grant_type", &"x".repeat(65 * 1024))]).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn secrets_do_not_reach_the_journal() {
    let scene = Scene::with(app()).await;
    let code = scene.code(ASTRID, "").await;
    scene.redeem(&code, &[]).await;
    assert_eq!(scene.emulator.journal().count(Kind::SignIn), 1);
    let journal = Browser::new().get(&scene.url("/emulator/journal")).await.body;
    for secret in [SECRET, VERIFIER, &code] {
        assert!(!journal.contains(secret), "{journal}");
    }
    assert!(journal.contains("\"kind\":\"sign-in\""));
}

#[tokio::test]
async fn after_stop_nobody_listens() {
    let scene = Scene::new().await;
    let url = scene.url("/login/.well-known/jwks");
    let mut browser = Browser::new();
    assert_eq!(browser.get(&url).await.status, StatusCode::OK);
    scene.emulator.stop().await;
    assert!(browser.try_send(http::Method::GET, &url, &[], String::new()).await.is_none());
}
