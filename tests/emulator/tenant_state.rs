//! The state API.

use std::time::Duration;

use serde_json::{Value, json};
use superid_gateway::emulator::{Fault, Kind, StateLie, TenantState};

use crate::browser::Browser;
use crate::partner::{CTX, scene};
use crate::scene::Scene;

#[tokio::test]
async fn it_says_where_a_tenant_lives_and_until_when_that_is_good() {
    let scene = scene().await;
    let root = scene.emulator.tenants().root(CTX).unwrap();
    assert_ne!(root, scene.url("/Cust12345"), "SuperID's own host has no tenants");
    let expected = json!({
        "ContextIdentifier": CTX,
        "Endpoint": root,
        "State": "Running",
        "IsRunning": true,
        "ValidUntil": "2023-11-14T22:28:20.0000000Z",
        "Api": format!("{root}/api"),
    });
    assert_eq!(state(&scene, "cust12345").await, expected);
    scene.emulator.tenants().set_valid_for(CTX, Duration::from_millis(1_500)).unwrap();
    let until = state(&scene, CTX).await["ValidUntil"].clone();
    assert_eq!(until, "2023-11-14T22:13:21.5000000Z");
}

#[tokio::test]
async fn every_state_has_its_name_and_only_two_run() {
    let scene = scene().await;
    let mut running = Vec::new();
    for asked in TenantState::ALL {
        scene.emulator.tenants().set_state(CTX, asked).unwrap();
        let answer = state(&scene, CTX).await;
        assert_eq!(answer["State"], json!(format!("{asked:?}")));
        let status = web_api(&scene).await;
        assert_eq!(answer["IsRunning"], json!(status == 200), "{asked:?}: {status}");
        if answer["IsRunning"] == true {
            running.push(asked);
        }
    }
    assert_eq!(running, [TenantState::Running, TenantState::OnlineMaintenance]);
    scene.emulator.tenants().set_state(CTX, TenantState::OfflineMaintenance).unwrap();
    assert_eq!(web_api(&scene).await, 503);
}

#[tokio::test]
async fn a_tenant_nobody_knows_is_in_the_state_unknown_and_has_no_address() {
    let scene = scene().await;
    let answer = state(&scene, "Cust404").await;
    assert_eq!(answer["State"], "Unknown");
    assert_eq!(answer["ContextIdentifier"], "Cust404");
    assert_eq!((&answer["Endpoint"], &answer["Api"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn it_lies_on_request_about_one_tenant_or_all() {
    let scene = scene().await;
    let lie = |lie| Fault::StateLie { ctx: Some("CUST12345".into()), lie };
    let faults = scene.emulator.faults();
    let table = [
        (StateLie::OtherContext, "ContextIdentifier", json!("Cust20011")),
        (StateLie::NullEndpoint, "Api", Value::Null),
        (
            StateLie::Elsewhere { origin: "https://evil.example".into() },
            "Endpoint",
            json!("https://evil.example/Cust12345"),
        ),
        (StateLie::OtherTenant, "Endpoint", json!(scene.emulator.tenants().root("Cust20011"))),
    ];
    let honest = state(&scene, "Cust20011").await;
    for (told, member, expected) in table {
        faults.set(lie(told.clone()));
        assert_eq!(state(&scene, CTX).await[member], expected);
        assert_eq!(state(&scene, "Cust20011").await, honest);
        faults.end(&lie(told));
    }
    faults.set(Fault::StateLie { ctx: None, lie: StateLie::LowerCase });
    let api = state(&scene, CTX).await["Api"].clone();
    assert!(api.as_str().unwrap().ends_with("/cust12345/api"));
    let page = Browser::new().get(api.as_str().unwrap()).await;
    assert_eq!(page.status, 200, "{}", page.body);
}

#[tokio::test]
async fn it_can_be_down_slow_and_garbled_like_any_endpoint() {
    let scene = scene().await;
    scene.emulator.faults().set(Fault::Status { endpoint: Kind::TenantState, code: 502 });
    let url = scene.url("/api/state/Cust12345");
    assert_eq!(Browser::new().get(&url).await.status, 502);
    scene.emulator.faults().clear();
    scene.emulator.faults().set(Fault::Garbage { endpoint: Kind::TenantState });
    let page = Browser::new().get(&url).await;
    assert!(serde_json::from_str::<Value>(&page.body).is_err());
    assert_eq!(scene.emulator.journal().count(Kind::TenantState), 2);
}

async fn state(scene: &Scene, ctx: &str) -> Value {
    Browser::new().get(&scene.url(&format!("/API/state/{ctx}"))).await.json()
}

/// The status of the address that asks for no credential.
async fn web_api(scene: &Scene) -> u16 {
    let url = format!("{}/api", scene.emulator.tenants().root(CTX).unwrap());
    Browser::new().get(&url).await.status.as_u16()
}
