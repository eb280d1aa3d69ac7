//! Tenants, consents, counts and the journal's detail, over HTTP.

use http::Method;
use serde_json::{Value, json};
use superid_gateway::emulator::{Detail, Kind, TenantState};

use crate::browser::{Browser, Page};
use crate::partner::{CTX, call, exchange, request, scene, ticket, with};
use crate::scene::{ID, SECRET, Scene};

#[tokio::test]
async fn a_script_turns_a_tenant() {
    let scene = scene().await;
    let listed = Browser::new().get(&scene.url("/emulator/tenants")).await.json();
    assert_eq!(listed["hosts"], json!(scene.emulator.hosts()));
    assert_eq!(listed["tenants"][0]["ctx"], CTX);
    assert_eq!(listed["tenants"][0]["valid_for_seconds"], 900);

    let change = json!({
        "state": "OnlineMaintenance",
        "host": 2,
        "valid_for_seconds": 60,
        "denied": ["/api/v1/Preference"],
        "answer_next": { "status": 401, "times": 1 },
    });
    let shown = put(&scene, "/emulator/tenants/cust12345", &change).await.json();
    assert_eq!(shown["host"], 2);
    assert_eq!(shown["root"], format!("{}/Cust12345", scene.emulator.hosts()[2]));
    assert_eq!(shown["state"], "OnlineMaintenance");
    let ticket = format!("SOTicket {}", ticket(&scene, CTX).await);
    let headers = with(&ticket, SECRET);
    let mut statuses = Vec::new();
    for below in ["/api/v1/Contact", "/api/v1/Contact", "/api/v1/Preference"] {
        statuses.push(call(&scene, CTX, below, &headers).await.status.as_u16());
    }
    assert_eq!(statuses, [401, 200, 403]);
}

#[tokio::test]
async fn what_is_not_understood_changes_nothing() {
    let scene = scene().await;
    for (ctx, change) in [
        ("Cust404", json!({ "state": "Running" })),
        (CTX, json!({ "state": "Backup" })),
        (CTX, json!({ "state": "Suspended", "host": 3 })),
        (CTX, json!({ "stat": "Suspended" })),
        (CTX, json!([])),
    ] {
        let page = put(&scene, &format!("/emulator/tenants/{ctx}"), &change).await;
        assert_eq!(page.status, 400, "{change}");
    }
    assert_eq!(scene.emulator.tenants().state(CTX), Some(TenantState::Running));
}

#[tokio::test]
async fn a_script_kills_tickets_and_withdraws_consent() {
    let scene = scene().await;
    let body = request(&scene, CTX, &[]);
    exchange(&scene, &body).await;
    let url = scene.url("/emulator/tenants/Cust12345/tickets");
    let page = Browser::new().send(Method::DELETE, &url, &[], String::new()).await;
    assert_eq!(page.json(), json!({ "killed": 1 }));

    for (consent, good) in [("revoked", false), ("restored", true)] {
        let asked = json!({ "client_id": ID, "ctx": CTX, "consent": consent });
        let page = put(&scene, "/emulator/consents", &asked).await;
        assert_eq!(page.json()["system_token"].is_string(), good);
        assert_eq!(exchange(&scene, &body).await.json()["IsSuccessful"], good);
    }
}

#[tokio::test]
async fn the_journal_can_be_told_to_count_only() {
    let scene = scene().await;
    put(&scene, "/emulator/journal", &json!({ "detail": "counts" })).await;
    assert_eq!(scene.emulator.journal().detail(), Detail::Counts);
    let ticket = format!("SOTicket {}", ticket(&scene, CTX).await);
    for _ in 0..3 {
        call(&scene, CTX, "/api/v1/Contact", &with(&ticket, SECRET)).await;
    }
    let journal = scene.emulator.journal();
    assert_eq!(journal.count(Kind::WebApi), 3);
    assert!(journal.entries().is_empty());
    let counts = Browser::new().get(&scene.url("/emulator/counts")).await.json();
    assert_eq!(counts["requests"]["web-api"], 3);
    assert_eq!(counts["requests"]["system-user"], 1);
    assert_eq!((&counts["calls"], &counts["violations"]), (&json!(3), &json!(0)));
}

async fn put(scene: &Scene, path: &str, body: &Value) -> Page {
    Browser::new().send(Method::PUT, &scene.url(path), &[], body.to_string()).await
}
