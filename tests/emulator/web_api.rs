//! A tenant's REST API takes good credentials only, and behaves as programs expect of it.

use http::Method;
use serde_json::json;
use superid_gateway::emulator::{Fault, Kind};

use crate::browser::{Browser, Page};
use crate::partner::{CTX, call, scene, ticket, with};
use crate::scene::{ASTRID, ID, SECRET, Scene, own};

#[tokio::test]
async fn a_system_user_is_its_apps_and_its_tenants() {
    let scene = scene().await;
    let ticket = format!("sOtIcKeT {}", ticket(&scene, CTX).await);
    let page = call(&scene, CTX, "/API/v1/User/currentPrincipal", &with(&ticket, SECRET)).await;
    let body = page.json();
    assert_eq!(body["DatabaseContextIdentifier"], CTX);
    assert_eq!(body["FullName"], "Order <Desk>");
    assert_eq!(
        page.header("set-cookie"),
        "NSCRM=Cust12345; Path=/Cust12345; HttpOnly; SameSite=Lax"
    );
    assert_eq!(scene.emulator.tenants().calls(CTX), 1);
}

#[tokio::test]
async fn a_system_users_ticket_needs_its_app_token_and_a_persons_does_not() {
    let scene = scene().await;
    let system = format!("SOTicket {}", ticket(&scene, CTX).await);
    let path = "/api/v1/User/currentPrincipal";
    assert_eq!(call(&scene, CTX, path, &[("authorization", &system)]).await.status, 401);
    assert_eq!(call(&scene, CTX, path, &with(&system, "wrong")).await.status, 401);
    assert_eq!(call(&scene, CTX, path, &[]).await.status, 401);
    assert_eq!(scene.emulator.violations().count(), 0, "wrong, but nobody else's");

    let draft = scene.emulator.mint().legacy(ID, ASTRID, CTX).unwrap();
    let (_, payload) = scene.verified(&draft.sign()).await.unwrap();
    let person = format!("SOTicket {}", own(&payload, "ticket").as_str().unwrap());
    let page = call(&scene, CTX, path, &[("authorization", &person)]).await;
    assert_eq!(page.json()["EMailAddress"], ASTRID);
}

#[tokio::test]
async fn the_apis_root_asks_for_no_credential() {
    let scene = scene().await;
    let body = call(&scene, CTX, "/api/", &[]).await.json();
    let root = scene.emulator.tenants().root(CTX).unwrap();
    assert_eq!(body["v1"], format!("{root}/api/v1/"));
    assert_eq!(body["ServicesCurrent"], "Services88");
}

#[tokio::test]
async fn contacts_can_be_listed_read_and_sent() {
    let scene = scene().await;
    let list = get(&scene, "/api/v1/Contact", &[]).await.json();
    assert_eq!(list["value"][0]["DatabaseContextIdentifier"], CTX);
    assert_eq!(get(&scene, "/api/v1/Contact/2", &[]).await.json()["ContactId"], 2);
    let body = json!({ "Name": "Søren & Sønner" }).to_string();
    let page = send(&scene, Method::POST, "/api/v1/Contact", &[], &body).await;
    assert_eq!(page.json()["Name"], "Søren & Sønner");
    assert_eq!(send(&scene, Method::POST, "/api/v1/Contact", &[], "[").await.status, 400);
}

#[tokio::test]
async fn a_document_streams_back() {
    let scene = scene().await;
    let body = "0123456789".repeat(200_000);
    let kind = [("content-type", "application/pdf")];
    let page = send(&scene, Method::POST, "/api/v1/Document/7/Content", &kind, &body).await;
    assert_eq!(page.header("content-type"), "application/pdf");
    assert!(page.body == body, "{} bytes came back", page.body.len());
}

#[tokio::test]
async fn conditions_are_heeded() {
    let scene = scene().await;
    let (before, at) = ("Wed, 01 Nov 2023 11:59:59 GMT", "Wed, 01 Nov 2023 12:00:00 GMT");
    let path = "/api/v1/Contact/1";
    assert_eq!(get(&scene, path, &[("if-modified-since", at)]).await.status, 304);
    let page = get(&scene, path, &[("if-modified-since", before)]).await;
    assert_eq!((page.status.as_u16(), page.header("last-modified")), (200, at));
    for (since, status) in [(before, 412), (at, 200)] {
        let header = [("if-unmodified-since", since)];
        assert_eq!(send(&scene, Method::PUT, path, &header, "{}").await.status, status);
    }
}

#[tokio::test]
async fn it_says_which_headers_reached_it_but_never_the_app_token() {
    let scene = scene().await;
    let headers = [("so-language", "en"), ("accept-language", "nb"), ("cookie", "a=b")];
    let page = get(&scene, "/api/v1/Contact", &headers).await;
    assert_eq!(page.header("emulator-saw-so-language"), "en");
    assert_eq!(page.header("emulator-saw-accept-language"), "nb");
    assert_eq!(page.header("emulator-saw-cookie"), "a=b");
    let all: Vec<_> = page.headers.values().collect();
    assert!(all.iter().all(|value| !value.as_bytes().starts_with(SECRET.as_bytes())));
}

#[tokio::test]
async fn the_next_answers_can_be_planned_and_paths_denied() {
    let scene = scene().await;
    let tenants = scene.emulator.tenants();
    tenants.answer_next(CTX, 401, 1).unwrap();
    tenants.answer_next(CTX, 421, 1).unwrap();
    tenants.answer_next(CTX, 503, 1).unwrap();
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(get(&scene, "/api/v1/Contact", &[]).await.status.as_u16());
    }
    assert_eq!(statuses, [401, 421, 503, 200]);
    tenants.answer_next(CTX, 500, u64::MAX).unwrap();
    tenants.answer_next(CTX, 500, 0).unwrap();
    tenants.deny(CTX, &["/api/v1/Preference"]).unwrap();
    assert_eq!(get(&scene, "/API/V1/preference/3", &[]).await.status, 403);
    assert_eq!(get(&scene, "/api/v1/Contact", &[]).await.status, 200);
}

#[tokio::test]
async fn a_held_answer_waits_for_its_release() {
    let scene = scene().await;
    let hold = Fault::Hold { endpoint: Kind::WebApi };
    scene.emulator.faults().set(hold.clone());
    let release = async {
        while scene.emulator.journal().count(Kind::WebApi) == 0 {
            tokio::task::yield_now().await;
        }
        scene.emulator.faults().end(&hold);
    };
    let (page, ()) = tokio::join!(call(&scene, CTX, "/api", &[]), release);
    assert_eq!(page.status, 200);
}

async fn get(scene: &Scene, below: &str, more: &[(&str, &str)]) -> Page {
    send(scene, Method::GET, below, more, "").await
}

/// A call with a ticket bought for it.
async fn send(
    scene: &Scene,
    method: Method,
    below: &str,
    more: &[(&str, &str)],
    body: &str,
) -> Page {
    let ticket = format!("SOTicket {}", ticket(scene, CTX).await);
    let headers: Vec<_> = with(&ticket, SECRET).into_iter().chain(more.iter().copied()).collect();
    let url = format!("{}{below}", scene.emulator.tenants().root(CTX).unwrap());
    Browser::new().send(method, &url, &headers, body.to_owned()).await
}
