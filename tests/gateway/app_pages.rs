//! Pages for those who install an app: what came of it, its settings, taking it out, and errors.

use superid_gateway::emulator::{Fault, Kind};

use crate::browser::Browser;
use crate::installing::{NORDLYS, SYSTEM_USER, job, joined, kept};
use crate::jar::Way;
use crate::legacy::LEGACY;
use crate::world::{ASTRID, JONAS, World};

const PAGES: &str = r#"
[host.main.app_pages]
install = "/install"
configure = "/configure"
configure_to = "/settings"
uninstall = "/uninstall"
error = "/superoffice-error"
"#;

async fn world() -> World {
    World::with(&joined(SYSTEM_USER, PAGES)).await
}

/// Presses the button of the page that asks whether the app shall go, which sends no referrer.
pub async fn confirm(world: &World, browser: &mut Browser, tenant: &str) -> (u16, String) {
    post(world, browser, "Sec-Fetch-Site: same-origin\r\nOrigin: null\r\n", tenant).await
}

async fn post(world: &World, browser: &mut Browser, from: &str, tenant: &str) -> (u16, String) {
    let headers = format!(
        "{from}Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n"
    );
    let (url, body) = (world.url("/uninstall"), format!("tenant={tenant}"));
    let answer = browser.request("POST", &url, Way::SameSite, &headers, &body).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn an_administrator_who_installs_signs_in_and_sees_that_it_is_done() {
    for flow in ["", LEGACY] {
        let world = World::with(&joined(&joined(SYSTEM_USER, PAGES), flow)).await;
        let mut browser = world.browser();
        let answer = browser.sign_in(&world.url("/install"), ASTRID).await;
        answer.is_page(200);
        assert!(answer.body.contains("Nordlys Marine AS (Cust12345)"), "{}", answer.body);
        assert!(answer.body.contains("The app is installed"));
        assert!(kept(&world).await.is_some());
        world.app.heard_nothing();
        world.turn_clock(301);
        let again = browser.visit(&world.url("/install")).await;
        assert_eq!(again.status, 303, "an old sign-in brings no new token");
    }
}

#[tokio::test]
async fn a_page_says_why_the_app_is_not_installed() {
    let world = world().await;
    let answer = world.browser().sign_in(&world.url("/install"), JONAS).await;
    answer.is_page(403);
    assert!(answer.body.contains("An administrator has to install this app"));
    world.superid.faults().set(Fault::Status { endpoint: Kind::SystemUser, code: 503 });
    let mut browser = world.browser();
    let answer = browser.sign_in(&world.url("/install"), ASTRID).await;
    answer.is_page(502);
    assert!(answer.body.contains("The app is not installed yet"));
    assert!(answer.body.contains("/auth/start?rd=%2Finstall&#38;with=main"), "{}", answer.body);
    world.superid.faults().clear();
    let answer = browser.open(&world.url("/auth/start?rd=%2Finstall&with=main")).await;
    assert!(answer.body.contains("The app is installed"), "{}", answer.body);
}

#[tokio::test]
async fn configuring_leads_to_the_app_after_a_sign_in() {
    let world = world().await;
    let mut browser = world.browser();
    browser.sign_in(&world.url("/configure"), JONAS).await;
    assert_eq!(world.app.last().target, "/settings");
    let answer = browser.visit(&world.url("/configure?rd=https://evil.example")).await;
    assert_eq!(answer.location(), world.url("/settings"));
}

#[tokio::test]
async fn an_error_gets_a_page_that_helps_and_repeats_nothing() {
    let world = world().await;
    let mut browser = world.browser();
    let url = world.url("/superoffice-error");
    for answer in [
        browser.visit(&format!("{url}?error=%3Cscript%3Ealert(1)&x=evil")).await,
        browser.submit(&format!("{}/", world.superid.url()), &url, &[("error", "<script>")]).await,
    ] {
        answer.is_page(502);
        assert!(!answer.body.contains("script") && !answer.body.contains("evil"));
        assert!(answer.body.contains("href=\"/install\""), "{}", answer.body);
    }
    world.app.heard_nothing();
}

#[tokio::test]
async fn uninstalling_wants_a_fresh_administrator_and_a_button_and_then_forgets() {
    let world = world().await;
    let mut browser = world.browser();
    browser.sign_in(&world.url("/install"), ASTRID).await;
    assert_eq!(job(&world).await.status, 200);
    let page = browser.follow_link(&world.url("/uninstall")).await;
    page.is_page(200);
    assert!(page.body.contains("<form method=\"post\" action=\"/uninstall\">"));
    assert!(kept(&world).await.is_some(), "a link does nothing");

    let url = world.url("/uninstall");
    for from in [
        "",
        "Origin: null\r\n",
        "Origin: https://evil.example\r\n",
        "Sec-Fetch-Site: cross-site\r\nOrigin: null\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Sec-Fetch-Site: same-origin\r\nOrigin: https://evil.example\r\n",
    ] {
        assert_eq!(post(&world, &mut browser, from, NORDLYS).await.0, 403, "{from}");
    }
    assert_eq!(confirm(&world, &mut browser, "Cust67890").await.0, 400);
    assert!(kept(&world).await.is_some());

    world.turn_clock(301);
    assert_eq!(confirm(&world, &mut browser, NORDLYS).await.0, 400, "too late");
    assert_eq!(browser.visit(&url).await.status, 303, "a new sign-in first");
    assert!(kept(&world).await.is_some());

    let page = browser.sign_in_where_asked(&url, ASTRID).await;
    assert!(page.body.contains("Uninstall this app?"), "{}", page.body);
    let (status, body) = confirm(&world, &mut browser, NORDLYS).await;
    assert_eq!(status, 200);
    assert!(body.contains("The app is uninstalled") && body.contains("Nordlys"));
    assert!(kept(&world).await.is_none());
    assert_eq!(job(&world).await.status, 403, "and the ticket is gone with it");
}

#[tokio::test]
async fn a_session_from_before_its_relying_party_meant_another_uninstalls_nothing() {
    let mut world = world().await;
    let mut browser = world.browser();
    browser.sign_in(&world.url("/install"), ASTRID).await.is_page(200);
    assert!(kept(&world).await.is_some());
    world.reload("[relying_party.main]\ntenant = \"Cust67890\"").unwrap();
    assert_eq!(confirm(&world, &mut browser, NORDLYS).await.0, 400);
    assert_eq!(browser.visit(&world.url("/uninstall")).await.status, 303, "a new sign-in first");
    assert!(kept(&world).await.is_some());
}

#[tokio::test]
async fn a_user_or_nobody_uninstalls_nothing() {
    let world = world().await;
    world.signed_in(ASTRID).await;
    let url = world.url("/uninstall");
    let mut browser = world.browser();
    browser.sign_in(&url, JONAS).await.is_page(403);
    assert_eq!(confirm(&world, &mut browser, NORDLYS).await.0, 403);
    assert_eq!(confirm(&world, &mut world.browser(), NORDLYS).await.0, 400);
    let answer = world.api().send("POST", &url, "Content-Length: 0\r\n").await;
    assert_eq!(answer.status, 403, "without an origin");
    assert!(kept(&world).await.is_some());
}

#[tokio::test]
async fn without_a_configuration_the_paths_are_the_app_s() {
    let world = World::new().await;
    let mut browser = world.signed_in(ASTRID).await;
    for path in ["/install", "/configure", "/uninstall", "/superoffice-error"] {
        assert_eq!(browser.visit(&world.url(path)).await.body, "the app");
    }
}
