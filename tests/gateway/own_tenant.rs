//! Routes that lead signed-in people to their own tenant, and apps that get a ticket of its system
//! user.

use crate::installing::{NORDLYS, SYSTEM_USER};
use crate::jar::Way;
use crate::legacy::LEGACY;
use crate::world::{ASTRID, JONAS, MIRA, SIOBHAN, World};

const CRM: &str = r#"
[route.crm]
path = "/crm"
upstream = "tenant"
"#;

async fn world(more: &str) -> World {
    World::with(&format!("{SYSTEM_USER}{more}")).await
}

#[tokio::test]
async fn people_call_their_own_tenant_with_their_own_token() {
    let world = world(CRM).await;
    for (who, name) in [(ASTRID, "Astrid Berg"), (SIOBHAN, "Siobhán O'Neill")] {
        let mut browser = world.signed_in(who).await;
        let answer = browser.visit(&world.url("/crm/api/v1/User/currentPrincipal")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json()["FullName"], name);
        assert_eq!(answer.header("set-cookie"), "", "no cookie of the tenant's comes back");
    }
    assert_eq!(world.superid.violations().count(), 0, "no client secret beside a bearer token");
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_tenant_named_in_the_path_counts_for_nothing() {
    let world = world(CRM).await;
    let mut browser = world.signed_in(JONAS).await;
    for path in ["/crm/Cust67890/api/v1/Contact/1", "/crm/", "/crm/login", "/crm"] {
        let answer = browser.visit(&world.url(path)).await;
        assert_eq!(answer.header("superid-gateway-error"), "no_such_call", "{path}");
    }
    assert_eq!(world.superid.tenants().calls("Cust67890"), 0);
}

#[tokio::test]
async fn without_a_session_nobody_gets_to_a_tenant() {
    let world = world(CRM).await;
    let answer = world.api().get(&world.url("/crm/api/v1/User/currentPrincipal")).await;
    assert_eq!(answer.status, 401);
    assert_eq!(world.superid.tenants().calls(NORDLYS), 0);
}

#[tokio::test]
async fn after_a_legacy_sign_in_the_ticket_goes_with_the_client_secret() {
    let world = world(&format!("{LEGACY}{CRM}")).await;
    let mut browser = world.signed_in(ASTRID).await;
    let answer = browser.visit(&world.url("/crm/api/v1/User/currentPrincipal")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["FullName"], "Astrid Berg");
    assert_eq!(world.superid.violations().count(), 0);
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing_in_a_tenant() {
    let world = world(CRM).await;
    let mut browser = world.signed_in(ASTRID).await;
    let url = world.url("/crm/api/v1/Contact");
    let before = world.superid.tenants().calls(NORDLYS);
    let foreign = "Sec-Fetch-Site: cross-site\r\nOrigin: https://evil.example\r\n";
    for headers in [foreign, "Origin: null\r\n", ""] {
        let answer = browser.request("POST", &url, Way::SameSite, headers, "{}").await;
        assert_eq!(answer.status, 403, "{headers}");
    }
    assert_eq!(world.superid.tenants().calls(NORDLYS), before);
    let own = "Sec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\n";
    let answer = browser.request("POST", &url, Way::SameSite, own, "{\"Name\":\"A\"}").await;
    assert!(answer.status < 300, "{}: {}", answer.status, answer.body);
}

#[tokio::test]
async fn what_a_tenant_holds_runs_nowhere_in_the_apps_name() {
    let world = world(CRM).await;
    let mut browser = world.signed_in(ASTRID).await;
    let answer = browser.visit(&world.url("/crm/api/v1/User/currentPrincipal")).await;
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("content-security-policy"), "sandbox");
}

const OFFICE: &str = r#"
[route.office]
path = "/office"
upstream = "tenant"
present = "system_user"
acknowledge_system_user = true
administrator = true
[route.tool]
path = "/tool"
upstream = "$APP"
present = "system_user"
acknowledge_system_user = true
administrator = true
headers = { ticket = "Authorization" }
"#;

#[tokio::test]
async fn administrators_act_through_the_system_user_where_that_is_acknowledged() {
    let world = world(OFFICE).await;
    let mut browser = world.signed_in(ASTRID).await;
    let answer = browser.visit(&world.url("/office/api/v1/User/currentPrincipal")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["RoleName"], "System user");
    let mut user = world.signed_in(JONAS).await;
    for path in ["/office/api/v1/User/currentPrincipal", "/tool/"] {
        let answer = user.visit(&world.url(path)).await;
        assert_eq!(answer.status, 403, "{path}: Jonas is no administrator");
    }
    assert_eq!(world.superid.violations().count(), 0);
}

#[tokio::test]
async fn an_app_gets_the_ticket_and_never_the_client_secret() {
    let world = world(OFFICE).await;
    let mut browser = world.signed_in(ASTRID).await;
    let answer = browser.visit(&world.url("/tool/")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let seen = world.app.last();
    let authorization = seen.header("authorization").unwrap();
    assert!(authorization.starts_with("SOTicket 7T:"), "{authorization}");
    assert_eq!(seen.all("so-apptoken").len(), 0);
}

#[tokio::test]
async fn an_administrator_elsewhere_is_not_one_here() {
    let world = world(OFFICE).await;
    // Mira administers Fjordbank; in Nordlys she is a user.
    let mut browser = world.browser();
    let page = browser.open(&world.url("/office/api/v1/User/currentPrincipal")).await;
    let answer = browser.pick(&page, MIRA, NORDLYS).await;
    let answer = browser.arrive(answer).await;
    assert_eq!(answer.status, 403, "{}", answer.body);
}
