//! An ordinary call, and what passes and does not pass on its way there and back.

use bytes::Bytes;
use http::Method;

use crate::world::{APP, FJORDBANK, NORDLYS, World, nightly};

#[tokio::test]
async fn a_job_calls_two_tenants_with_nothing_but_its_own_password() {
    let world = World::new().await;
    let program = world.program();
    for tenant in [NORDLYS, FJORDBANK] {
        let path = format!("/{tenant}/api/v1/User/currentPrincipal");
        let answer = program.get(&path, &[("authorization", &nightly())]).await;
        assert_eq!(answer.told(), (200, ""), "{:?}", answer.body);
        assert_eq!(answer.json()["DatabaseContextIdentifier"], tenant);
        assert_eq!(world.exchanges(tenant), 1);
    }
    world.assert_nothing_astray();
    assert_eq!(world.superid.exchanges().refused(APP, NORDLYS), 0);
}

#[tokio::test]
async fn a_tenant_s_name_is_taken_in_any_case() {
    let world = World::new().await;
    let program = world.program();
    for path in ["/cust12345/API/v1/User/currentPrincipal", "/CUST12345/api/v1/Contact/1"] {
        let answer = program.get(path, &[("authorization", &nightly())]).await;
        assert_eq!(answer.told(), (200, ""), "{path}");
    }
    assert_eq!(world.exchanges(NORDLYS), 1);
}

#[tokio::test]
async fn a_body_goes_there_and_comes_back_whole() {
    let world = World::new().await;
    let program = world.program();
    let body = Bytes::from(vec![7; 3 << 20]);
    let path = "/Cust12345/api/v1/Document/1/Content";
    let headers = [("authorization", nightly())];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let answer = program.send(Method::POST, path, &headers, body.clone()).await;
    assert_eq!(answer.told(), (200, ""));
    assert_eq!(answer.body, body);
}

#[tokio::test]
async fn tenants_cookies_and_cors_headers_do_not_come_back() {
    let world = World::new().await;
    let program = world.program();
    let headers = [("authorization", &*nightly()), ("so-language", "nb-NO")];
    let answer = program.get("/Cust12345/api/v1/Contact/1", &headers).await;
    assert_eq!(answer.told(), (200, ""));
    let names: Vec<&str> = answer.headers.keys().map(|name| name.as_str()).collect();
    assert!(!names.contains(&"set-cookie"), "{names:?}");
    assert!(!names.iter().any(|name| name.starts_with("access-control-")), "{names:?}");
}

#[tokio::test]
async fn conditional_requests_pass() {
    let world = World::new().await;
    let program = world.program();
    let since = "Fri, 01 Jan 2100 00:00:00 GMT";
    let headers = [("authorization", &*nightly()), ("if-modified-since", since)];
    let answer = program.get("/Cust12345/api/v1/Contact/1", &headers).await;
    assert_eq!(answer.status, 304);
}

#[tokio::test]
async fn a_tenant_nobody_has_installed_the_app_in_is_told_apart() {
    let world = World::new().await;
    let program = world.program();
    let answer = program.get("/Cust20011/api/v1/Contact/1", &[("authorization", &nightly())]).await;
    assert_eq!(answer.told(), (403, "not_installed"));
    let body = answer.json();
    assert_eq!(body["error"], "not_installed");
    assert!(body["next"].as_str().unwrap().contains("administrator"));
    assert_eq!(world.superid.exchanges().all().len(), 0);
}

#[tokio::test]
async fn a_tenant_nobody_knows_is_told_apart() {
    let world = World::new().await;
    let answer =
        world.program().get("/Cust999/api/v1/Contact/1", &[("authorization", &nightly())]).await;
    assert_eq!(answer.told(), (404, "tenant_unknown"));
}

#[tokio::test]
async fn what_is_no_call_goes_nowhere() {
    let world = World::new().await;
    let program = world.program();
    for path in ["/", "/Cust12345", "/Cust12345/", "/Cust12345/login", "/api/v1/Contact/1"] {
        let answer = program.get(path, &[("authorization", &nightly())]).await;
        assert_eq!(answer.told(), (404, "no_such_call"), "{path}");
    }
    let upgrade =
        [("authorization", &*nightly()), ("connection", "upgrade"), ("upgrade", "websocket")];
    let answer = program.get("/Cust12345/api/v1/Contact/1", &upgrade).await;
    assert_eq!(answer.told(), (501, "no_upgrade"));
    assert_eq!(world.superid.tenants().calls(NORDLYS), 0);
}
