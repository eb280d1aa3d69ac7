//! Faults and the controls under `/emulator/`.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::json;
use superid_gateway::emulator::{Fault, Kind};

use crate::browser::Browser;
use crate::scene::{ASTRID, ID, Scene};

const JWKS: &str = "/login/.well-known/jwks";

#[tokio::test]
async fn a_wrong_key_signs_what_the_key_set_cannot_bear_out() {
    let scene = Scene::new().await;
    scene.emulator.faults().set(Fault::WrongKey);
    let token = scene.redeem(&scene.code(ASTRID, "").await, &[]).await.json()["id_token"].clone();
    assert!(scene.verified(token.as_str().unwrap()).await.is_none());
    scene.emulator.faults().clear();
    let token = scene.redeem(&scene.code(ASTRID, "").await, &[]).await.json()["id_token"].clone();
    assert!(scene.verified(token.as_str().unwrap()).await.is_some());
}

#[tokio::test]
async fn the_key_set_follows_a_new_key() {
    let scene = Scene::new().await;
    let old = scene.emulator.keys().kid();
    let before = scene.emulator.mint().id_token(ID, ASTRID, "Cust12345").unwrap().sign();
    let url = scene.url("/emulator/keys/rotate");
    let answer = Browser::new().post(&url, &[]).await.json();
    assert_ne!(answer["kid"], old);
    assert_eq!(answer["kid"], scene.emulator.keys().kid());
    assert!(scene.verified(&before).await.is_none());
    let after = scene.emulator.mint().id_token(ID, ASTRID, "Cust12345").unwrap().sign();
    assert!(scene.verified(&after).await.is_some());
}

#[tokio::test]
async fn skew_moves_the_times_in_tokens() {
    let scene = Scene::new().await;
    scene.emulator.faults().set(Fault::ClockSkew { seconds: -7200 });
    let token = scene.emulator.mint().id_token(ID, ASTRID, "Cust12345").unwrap().sign();
    let (_, payload) = scene.verified(&token).await.unwrap();
    assert_eq!(payload["exp"], json!(1_700_000_300 - 7200));
}

#[tokio::test]
async fn faults_strike_their_endpoint_only() {
    let scene = Scene::new().await;
    let mut browser = Browser::new();
    let metadata = scene.url("/login/.well-known/openid-configuration");
    scene.emulator.faults().set(Fault::Status { endpoint: Kind::Jwks, code: 503 });
    let page = browser.get(&scene.url(JWKS)).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(browser.get(&metadata).await.json().is_object());

    scene.emulator.faults().clear();
    scene.emulator.faults().set(Fault::Garbage { endpoint: Kind::Jwks });
    let page = browser.get(&scene.url(JWKS)).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(serde_json::from_str::<serde_json::Value>(&page.body).is_err());

    scene.emulator.faults().clear();
    scene.emulator.faults().set(Fault::DropConnection { endpoint: Kind::Jwks });
    let url = scene.url(JWKS);
    assert!(browser.try_send(Method::GET, &url, &[], String::new()).await.is_none());
    assert_eq!(scene.emulator.journal().entries().last().unwrap().outcome, "fault");
}

#[tokio::test]
async fn a_slow_endpoint_is_slow_and_the_wait_is_bounded() {
    let scene = Scene::new().await;
    scene.emulator.faults().slow(Kind::Jwks, Duration::from_secs(86_400));
    let bounded = Fault::Slow { endpoint: Kind::Jwks, milliseconds: 30_000 };
    assert_eq!(scene.emulator.faults().active(), [bounded]);
    scene.emulator.faults().clear();
    scene.emulator.faults().slow(Kind::Jwks, Duration::from_millis(40));
    let start = std::time::Instant::now();
    Browser::new().get(&scene.url(JWKS)).await;
    assert!(start.elapsed() >= Duration::from_millis(40));
}

#[tokio::test]
async fn a_script_reads_and_sets_everything_over_http() {
    let scene = Scene::new().await;
    let mut browser = Browser::new();
    let url = scene.url("/emulator/faults");
    let faults = json!({ "faults": [
        { "fault": "slow", "endpoint": "tokens", "milliseconds": 5 },
        { "fault": "status", "endpoint": "sign-in", "code": 500 },
        { "fault": "wrong_key" },
    ] });
    browser.send(Method::PUT, &url, &[], faults.to_string()).await;
    assert_eq!(browser.get(&url).await.json(), faults);
    let page = browser.send(Method::PUT, &url, &[], "{\"faults\":[{}]}".into()).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    browser.send(Method::PUT, &url, &[], "{\"faults\":[]}".into()).await;

    let people = browser.get(&scene.url("/emulator/people")).await.json();
    assert!(people["people"].as_array().unwrap().iter().any(|person| person["upn"] == ASTRID));

    let app = json!({ "client_id": "new", "client_secret": "s", "redirect_uris": ["https://n/"] });
    let apps = scene.url("/emulator/apps");
    browser.send(Method::POST, &apps, &[], app.to_string()).await;
    let change = [("client_id", "new"), ("redirect_uri", "https://n/")];
    assert_eq!(browser.get(&scene.authorize("common", &change)).await.status, StatusCode::OK);

    let journal = scene.url("/emulator/journal");
    let entries = browser.get(&journal).await.json();
    assert_eq!(entries["entries"][0]["client_id"], "new");
    assert_eq!(entries["entries"][0]["when"], "2023-11-14T22:13:20Z");
    browser.send(Method::DELETE, &journal, &[], String::new()).await;
    assert!(scene.emulator.journal().entries().is_empty());
}

#[tokio::test]
async fn a_foreign_page_cannot_turn_the_controls() {
    let scene = Scene::new().await;
    let headers = [("origin", "https://evil.example")];
    let url = scene.url("/emulator/keys/rotate");
    let page = Browser::new().send(Method::POST, &url, &headers, String::new()).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
}
