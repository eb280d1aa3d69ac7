//! State-change notices, true and forged.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use superid_gateway::emulator::{DemoApp, Draft, TenantChange};

use crate::browser::Browser;
use crate::partner::{CTX, scene};
use crate::scene::own;

#[tokio::test]
async fn a_notice_has_the_members_of_superoffice_and_a_token_of_its_own() {
    let scene = scene().await;
    scene.emulator.tenants().move_tenant(CTX, 2).unwrap();
    let notice = scene.emulator.mint().notice("cust12345", TenantChange::Move).unwrap();
    let body: Value = serde_json::from_str(&notice.to_json()).unwrap();
    assert_eq!(body["ChangeType"], 5);
    assert_eq!(body["ContextIdentifier"], CTX);
    assert!(body["VersionName"].is_string() && body["FileVersion"].is_string());
    let host = scene.emulator.hosts()[2].strip_prefix("http://").unwrap();
    assert_eq!(body["PublicEndpoint"], host);
    let (_, claims) = scene.verified(body["Token"].as_str().unwrap()).await.unwrap();
    assert_eq!(claims["iss"], "SuperOffice AS");
    assert_eq!(own(&claims, "ctx"), CTX);

    let again = scene.emulator.mint().notice(CTX, TenantChange::Upgrade).unwrap().to_json();
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(again["ChangeType"], 0);
    assert!(again.get("PublicEndpoint").is_none(), "a move alone has one");
    assert_ne!(again["Token"], body["Token"], "each has one of its own");
    assert!(scene.emulator.mint().notice("Cust404", TenantChange::Delete).is_none());
}

#[tokio::test]
async fn any_part_of_a_notice_can_be_forged() {
    let scene = scene().await;
    let notice = scene.emulator.mint().notice(CTX, TenantChange::Delete).unwrap();
    let forged =
        notice.clone().member("ContextIdentifier", "Cust67890").without_member("FileVersion");
    let body: Value = serde_json::from_str(&forged.to_json()).unwrap();
    assert_eq!(body["ContextIdentifier"], "Cust67890");
    assert!(body.get("FileVersion").is_none());
    assert!(scene.verified(body["Token"].as_str().unwrap()).await.is_some());

    let stranger = notice.clone().token(|draft: Draft| draft.by_stranger(scene.emulator.keys()));
    let body: Value = serde_json::from_str(&stranger.to_json()).unwrap();
    assert!(scene.verified(body["Token"].as_str().unwrap()).await.is_none());
    let copied = notice.member("Token", "e.y.J");
    assert!(copied.to_json().contains("\"Token\":\"e.y.J\""));
}

#[tokio::test]
async fn it_is_posted_to_the_app_by_a_test_or_a_script() {
    let scene = scene().await;
    let app = DemoApp::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let to = format!("{}/notify", app.url());
    let notice = scene.emulator.mint().notice(CTX, TenantChange::Suspend).unwrap();
    assert_eq!(notice.post(&to).await.unwrap(), StatusCode::OK);

    let body = json!({ "ctx": CTX, "change": "Move", "to": to });
    let url = scene.url("/emulator/notices");
    let page = Browser::new().send(Method::POST, &url, &[], body.to_string()).await;
    assert_eq!(page.json(), json!({ "status": 200 }));
    let requests = app.requests();
    let sent: Value = serde_json::from_slice(&requests[0].body).unwrap();
    assert_eq!(sent["ChangeType"], 2);
    assert!(requests[0].headers["content-type"].to_str().unwrap().starts_with("application/json"));
    let sent: Value = serde_json::from_slice(&requests[1].body).unwrap();
    assert_eq!(sent["ChangeType"], 5);
    assert!(notice.post("http://127.0.0.1:1/").await.is_err());
}
