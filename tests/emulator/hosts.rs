//! Tenants live at one of several hosts, and move.

use crate::browser::Browser;
use crate::partner::{CTX, OTHER_CTX, call, scene, ticket, with};
use crate::scene::{SECRET, Scene};

const PRINCIPAL: &str = "/api/v1/User/currentPrincipal";

#[tokio::test]
async fn tenants_are_spread_over_the_hosts_that_are_not_superids() {
    let scene = scene().await;
    let hosts = scene.emulator.hosts();
    assert_eq!(hosts.len(), 3);
    assert_eq!(hosts[0], scene.emulator.url());
    let tenants = scene.emulator.tenants();
    assert_eq!(tenants.root(CTX).unwrap(), format!("{}/Cust12345", hosts[1]));
    assert_eq!(tenants.root("cust20011").unwrap(), format!("{}/Cust20011", hosts[2]));
    assert_eq!(tenants.root(OTHER_CTX).unwrap(), format!("{}/Cust67890", hosts[1]));
    let login = format!("{}/login/.well-known/jwks", hosts[1]);
    assert_eq!(Browser::new().get(&login).await.status, 404);
    let controls = format!("{}/emulator/journal", hosts[1]);
    assert_eq!(Browser::new().get(&controls).await.status, 404);
}

#[tokio::test]
async fn with_one_host_everything_lives_there() {
    let scene = Scene::new().await;
    assert_eq!(scene.emulator.hosts(), [scene.emulator.url()]);
    assert_eq!(scene.emulator.tenants().root(CTX).unwrap(), scene.url("/Cust12345"));
}

#[tokio::test]
async fn a_tenant_that_moved_answers_421_where_it_was_and_keeps_its_tickets() {
    let scene = scene().await;
    let ticket = format!("SOTicket {}", ticket(&scene, CTX).await);
    let headers = with(&ticket, SECRET);
    let old = scene.emulator.tenants().root(CTX).unwrap();
    scene.emulator.tenants().move_tenant(CTX, 2).unwrap();
    let state = Browser::new().get(&scene.url("/api/state/Cust12345")).await.json();
    assert_eq!(state["Endpoint"], format!("{}/Cust12345", scene.emulator.hosts()[2]));

    let url = format!("{old}{PRINCIPAL}");
    let page = Browser::new().send(http::Method::GET, &url, &headers, String::new()).await;
    assert_eq!(page.status, 421);
    assert_eq!(page.body, "Wrong subdomain used to access tenant");
    assert_eq!(call(&scene, CTX, PRINCIPAL, &headers).await.status, 200);
    assert_eq!(scene.emulator.violations().count(), 0, "nobody could know before");
    assert!(scene.emulator.tenants().move_tenant(CTX, 3).is_err());
}
