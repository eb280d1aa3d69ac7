//! Who may go where: routes, their rules, and the pages that say no.

use crate::world::{ASTRID, JONAS, MIRA, SIOBHAN, World};

const RULES: &str = r#"
[route.app]
path = "/"
[route.tenant]
path = "/fjordbank"
upstream = "$APP"
tenants = ["Cust67890", "Cust20011"]
[route.admin]
path = "/admin"
upstream = "$APP"
administrator = true
[route.claim]
path = "/claim"
upstream = "$APP"
claims = { initials = ["XX", "YY"] }
[route.deep]
path = "/admin/open"
upstream = "$APP"
access = "public"
[route.one]
path = "/fjordbank/lobby"
match = "exact"
upstream = "$APP"
access = "public"
"#;

#[tokio::test]
async fn people_outside_a_rule_see_a_page_that_names_it_and_programs_get_json() {
    let world = World::with(RULES).await;
    let mut browser = world.signed_in(JONAS).await;
    let cookie = browser.jar.value("superid-gateway").unwrap();
    for (path, words) in [
        ("/fjordbank/x", "Your company does not have access here"),
        ("/admin/x", "Only administrators come in here"),
        ("/claim/x", "You do not have access here"),
    ] {
        let answer = browser.visit(&world.url(path)).await;
        answer.is_page(403);
        assert!(answer.body.contains(words), "{path}: {}", answer.body);
        assert!(answer.body.contains("/auth/sign_out"), "a way to be somebody else");
        let headers = format!("Cookie: superid-gateway={cookie}\r\n");
        for method in ["GET", "POST", "OPTIONS", "HEAD"] {
            let headers = format!("{headers}Content-Length: 0\r\n");
            let answer = world.api().send(method, &world.url(path), &headers).await;
            assert_eq!(answer.status, 403, "{method} {path}");
            if method == "GET" {
                assert_eq!(answer.json()["error"], "not_allowed");
                assert!(answer.json()["request_id"].as_str().unwrap().len() == 17);
            }
        }
    }
    world.app.heard_nothing();
    assert_eq!(browser.visit(&world.url("/")).await.status, 200, "and stay signed in");
}

#[tokio::test]
async fn people_within_a_rule_come_in() {
    let world = World::with(RULES).await;
    let mut browser = world.signed_in(SIOBHAN).await;
    assert_eq!(browser.visit(&world.url("/fjordbank/x")).await.status, 200);
    assert_eq!(browser.visit(&world.url("/admin")).await.status, 403);
    let mut browser = world.signed_in(ASTRID).await;
    assert_eq!(browser.visit(&world.url("/admin")).await.status, 200);
    assert_eq!(browser.visit(&world.url("/fjordbank")).await.status, 403);
}

#[tokio::test]
async fn a_claim_rule_is_met_by_one_of_its_values() {
    let world = World::with("[route.app]\nclaims = { ctx = [\"Cust67890\"] }").await;
    let mut browser = world.browser();
    assert_eq!(browser.sign_in(&world.url("/"), SIOBHAN).await.status, 200);
    world.app.clear();
    let mut browser = world.browser();
    browser.sign_in(&world.url("/"), ASTRID).await.is_page(403);
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_person_of_two_tenants_is_let_in_as_the_one_they_picked() {
    let world = World::with(RULES).await;
    for (tenant, status) in [("Cust67890", 200), ("Cust12345", 403)] {
        let mut browser = world.browser();
        let page = browser.open(&world.url("/fjordbank")).await;
        let answer = browser.pick(&page, MIRA, tenant).await;
        assert_eq!(browser.arrive(answer).await.status, status, "{tenant}");
    }
    let tenants = world.app.requests();
    assert_eq!(tenants.len(), 1);
    assert_eq!(tenants[0].header("X-SuperOffice-Context"), Some("Cust67890"));
}

#[tokio::test]
async fn the_most_specific_route_wins_wherever_it_stands() {
    let world = World::with(RULES).await;
    for (path, status) in [
        ("/admin/open", 200),
        ("/admin/open/", 200),
        ("/admin/open/x", 200),
        ("/admin/opening", 401),
        ("/admin/Open", 401),
        ("/admin", 401),
        ("/fjordbank/lobby", 200),
        ("/fjordbank/lobby/", 401),
        ("/fjordbank/lobby/x", 401),
        ("/fjordbanks", 401),
        ("/public", 200),
        ("/", 401),
    ] {
        assert_eq!(world.api().get(&world.url(path)).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn a_path_without_a_route_is_404_and_no_sign_in() {
    let world = World::with("[route.app]\npath = \"/app\"").await;
    let mut browser = world.browser();
    browser.visit(&world.url("/elsewhere")).await.is_page(404);
    assert_eq!(world.api().get(&world.url("/")).await.status, 404);
    assert_eq!(browser.visit(&world.url("/app")).await.status, 303);
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_public_route_tells_the_app_nothing_about_anybody() {
    let world = World::new().await;
    let mut browser = world.signed_in(ASTRID).await;
    assert_eq!(browser.visit(&world.url("/public")).await.status, 200);
    let request = world.app.last();
    let told = request.headers.iter().find(|(name, _)| {
        let name = name.to_ascii_lowercase();
        name.starts_with("x-superoffice") || name == "authorization" || name == "soticket"
    });
    assert_eq!(told, None);
}

#[tokio::test]
async fn an_outsiders_authorization_reaches_an_app_only_where_no_route_sets_that_header() {
    let headers = "Authorization: Basic YXBwOmFwcA==\r\n";
    let world = World::new().await;
    assert_eq!(world.api().send("GET", &world.url("/public"), headers).await.status, 200);
    assert_eq!(world.app.last().header("Authorization"), None);
    let world = World::with("[route.app]\npresent = \"nothing\"").await;
    assert_eq!(world.api().send("GET", &world.url("/public"), headers).await.status, 200);
    assert_eq!(world.app.last().header("Authorization"), Some("Basic YXBwOmFwcA=="));
}

#[tokio::test]
async fn several_relying_parties_on_one_host_are_a_choice() {
    let two = r#"
[relying_party.main]
title = "Orders <b>"
[relying_party.second]
title = "Archive"
environment = "emulator"
client_id = "client-of-second"
client_secret = { value = "secret of second" }
redirect_path = "/auth/second"
"#;
    let world = World::with(two).await;
    let mut browser = world.browser();
    let page = browser.visit(&world.url("/orders/7?tab=2")).await;
    page.is_page(200);
    assert!(page.body.contains("Orders &#60;b&#62;") && page.body.contains("Archive"));
    assert!(page.all("set-cookie").is_empty());
    let link = "/auth/start?rd=%2Forders%2F7%3Ftab%3D2&#38;with=second";
    assert!(page.body.contains(link), "{}", page.body);
    let answer = browser.sign_in(&world.url(&link.replace("&#38;", "&")), ASTRID).await;
    assert_eq!(answer.url, world.url("/orders/7?tab=2"));
    let authorize = world.superid.journal().entries();
    assert!(authorize.iter().any(|entry| entry.client_id.as_deref() == Some("client-of-second")));
    let refused = world.api().get(&world.url("/other")).await;
    assert_eq!(refused.status, 401, "a program has no use for a choice");

    let answer = browser.visit(&world.url("/auth/start?rd=/x&with=nobody")).await;
    answer.is_page(200);
}

#[tokio::test]
async fn a_route_chooses_what_the_app_is_given() {
    let routes = r#"
[route.nothing]
path = "/nothing"
upstream = "$APP"
present = "nothing"
[route.bearer]
path = "/bearer"
upstream = "$APP"
present = "bearer"
[route.quiet]
path = "/quiet"
upstream = "$APP"
[route.quiet.headers]
email = false
user = false
bearer = "X-Token"
"#;
    let world = World::with(routes).await;
    let mut browser = world.signed_in(ASTRID).await;
    browser.visit(&world.url("/nothing")).await;
    assert_eq!(world.app.last().header("Authorization"), None);
    assert_eq!(world.app.last().header("X-SuperOffice-User"), Some(ASTRID));
    browser.visit(&world.url("/bearer")).await;
    assert!(world.app.last().header("Authorization").unwrap().starts_with("Bearer 8A:"));
    browser.visit(&world.url("/quiet")).await;
    let request = world.app.last();
    assert_eq!(request.header("X-SuperOffice-Email"), None);
    assert_eq!(request.header("X-SuperOffice-User"), None);
    assert_eq!(request.header("Authorization"), None);
    assert!(request.header("X-Token").unwrap().starts_with("Bearer 8A:"));
}

#[tokio::test]
async fn oauth2_proxys_names_and_addresses_work_where_they_are_turned_on() {
    let aliases =
        "[host.main]\noauth2_proxy_paths = true\n[route.app]\noauth2_proxy_headers = true";
    let world = World::with(aliases).await;
    let mut browser = world.browser();
    for path in ["/oauth2/start?rd=/orders", "/oauth2/sign_in?rd=/orders"] {
        let begun = browser.visit(&world.url(path)).await;
        assert!(begun.location().starts_with(world.superid.url()), "{path}");
    }
    let answer = browser.sign_in(&world.url("/oauth2/start?rd=/orders%3Fa"), ASTRID).await;
    assert_eq!(answer.url, world.url("/orders?a"));
    let request = world.app.last();
    assert_eq!(request.header("X-Forwarded-User"), Some(ASTRID));
    assert_eq!(request.header("X-Forwarded-Email"), Some(ASTRID));
    assert_eq!(request.header("X-Forwarded-Groups"), Some("Cust12345"));
    assert!(request.header("X-Forwarded-Access-Token").unwrap().starts_with("8A:"));
    let out = browser.visit(&world.url("/oauth2/sign_out")).await;
    assert!(out.location().contains("/login/logout?"));

    let world = World::new().await;
    assert_eq!(
        world.api().get(&world.url("/oauth2/start")).await.status,
        401,
        "off: the app's own"
    );
}
