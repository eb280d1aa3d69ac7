//! The audit log of a running gateway: each event once, with who, where and why, and no secret.

use serde_json::Value;
use superid_gateway::config::LineForm;
use superid_gateway::emulator::{Draft, TenantChange, TenantState};
use superid_gateway::telemetry::{AuditLog, Outlet, Writer};

use crate::installing::{NORDLYS, SYSTEM_USER, job, joined};
use crate::jar::Way;
use crate::paper::Paper;
use crate::world::{ASTRID, JONAS, World};

const PAGES: &str = r#"
[host.main]
notice_path = "/auth/tenant_change"
[host.main.app_pages]
install = "/install"
uninstall = "/uninstall"
[route.office]
path = "/office"
upstream = "$APP"
administrator = true
"#;

struct Audited {
    world: World,
    paper: Paper,
    writer: Writer,
}

impl Audited {
    async fn new(changes: &str) -> Self {
        let paper = Paper::default();
        let (outlet, writer) = Outlet::to("audit", LineForm::Json, paper.clone());
        let world = World::audited(changes, AuditLog::through(outlet)).await;
        Self { world, paper, writer }
    }

    /// Stops, and what was recorded since: the event's name and outcome, and the line.
    async fn read(self) -> Vec<(String, Value)> {
        self.world.gateway.stop().await;
        drop(self.writer);
        let named = |line: Value| {
            let name = format!("{} {}", text(&line, "event"), text(&line, "outcome"));
            (name, line)
        };
        self.paper.lines().into_iter().map(named).collect()
    }
}

fn text<'l>(line: &'l Value, member: &str) -> &'l str {
    line[member].as_str().unwrap_or_else(|| panic!("no {member} in {line}"))
}

fn names(events: &[(String, Value)]) -> Vec<&str> {
    events.iter().map(|(name, _)| name.as_str()).collect()
}

#[tokio::test]
async fn a_visit_is_recorded_from_sign_in_to_sign_out_with_who_and_where() {
    let audited = Audited::new(PAGES).await;
    let world = &audited.world;
    let mut browser = world.signed_in(JONAS).await;
    browser.visit(&world.url("/orders")).await;
    browser.visit(&world.url("/office")).await.is_page(403);
    browser.visit(&world.url("/auth/sign_out")).await;
    browser.visit(&world.url("/auth/sign_out")).await;
    let (authority, port) = (world.authority().to_owned(), world.port);
    let events = audited.read().await;
    assert_eq!(names(&events), ["sign_in success", "access_refused refused", "sign_out success"]);
    for (_, line) in &events {
        assert_eq!((text(line, "user"), text(line, "tenant")), (JONAS, NORDLYS));
        assert!(text(line, "associate_id").bytes().all(|byte| byte.is_ascii_digit()));
        assert_eq!((text(line, "client"), text(line, "host")), ("127.0.0.1", &*authority));
        assert_eq!(text(line, "server"), format!("127.0.0.1:{port}"));
        assert!(text(line, "request_id").contains('-') && text(line, "timestamp").ends_with('Z'));
    }
    assert_eq!(text(&events[0].1, "relying_party"), "main");
    let refused = &events[1].1;
    assert_eq!((text(refused, "route"), text(refused, "reason")), ("office", "not_allowed"));
    let ids: std::collections::BTreeSet<_> =
        events.iter().map(|(_, line)| text(line, "request_id")).collect();
    assert_eq!(ids.len(), 3, "each is a request of its own");
}

#[tokio::test]
async fn a_sign_in_that_fails_is_recorded_with_the_reason_and_the_id_on_the_page() {
    let audited = Audited::new("").await;
    let world = &audited.world;
    let mut browser = world.browser();
    let callback = browser.until_callback(&world.url("/orders"), ASTRID).await;
    browser.open(&callback).await;
    let page = browser.visit(&callback).await;
    page.is_page(400);
    let reference = page.header("x-request-id").to_owned();
    let events = audited.read().await;
    assert_eq!(names(&events), ["sign_in success", "sign_in refused"]);
    let refused = &events[1].1;
    assert_eq!(
        (text(refused, "reason"), text(refused, "detail")),
        ("already_used", "finished before")
    );
    assert_eq!(text(refused, "request_id"), reference);
    assert!(page.body.contains(&reference));
}

#[tokio::test]
async fn an_error_of_superids_is_recorded_with_its_code_and_its_words_cleaned() {
    let audited = Audited::new("[relying_party.main]\nerror_callback_path = \"/auth/error\"").await;
    let world = &audited.world;
    let said =
        "error=access_denied%0d%0aX&error_description=Needs%0aReapproval:+NeedsReapproval+(5)";
    world.browser().visit(&world.url(&format!("/auth/callback?{said}"))).await.is_page(403);
    world.browser().visit(&world.url("/auth/error?message=Denied")).await.is_page(403);
    let events = audited.read().await;
    assert_eq!(names(&events), ["sign_in refused", "sign_in refused"]);
    let (first, second) = (&events[0].1, &events[1].1);
    assert_eq!(text(first, "reason"), "reapproval_needed");
    assert_eq!(
        text(first, "detail"),
        "somebody answered \"access_deniedX\" (NeedsReapproval): Needs Reapproval: NeedsReapproval (5)"
    );
    assert_eq!(text(second, "reason"), "consent_declined");
}

#[tokio::test]
async fn a_token_is_recorded_when_it_comes_is_used_is_taken_back_and_goes() {
    let audited = Audited::new(&joined(SYSTEM_USER, PAGES)).await;
    let world = &audited.world;
    assert_eq!(job(world).await.status, 403, "nothing is installed");
    world.signed_in(ASTRID).await;
    for _twice in 0..2 {
        assert_eq!(job(world).await.status, 200);
    }
    let token = || world.superid.tenants().system_token("client-of-main", NORDLYS).unwrap();
    let mut secrets = vec![token()];
    world.superid.tenants().revoke_consent("client-of-main", NORDLYS).unwrap();
    for _twice in 0..2 {
        world.turn_clock(3_600);
        assert_eq!(job(world).await.status, 403, "taken back");
    }
    let mut admin = world.browser();
    let page = admin.open(&world.url("/")).await;
    let page = admin.pick(&page, ASTRID, "").await;
    let request = page.field("request").unwrap();
    let consent = format!("{}/login/consent", world.superid.url());
    let fields = [("request", request.as_str()), ("decision", "accept")];
    let answer = admin.submit(&page.url, &consent, &fields).await;
    assert_eq!(admin.arrive(answer).await.body, "the app");
    secrets.push(token());
    let headers = "Sec-Fetch-Site: same-origin\r\nOrigin: null\r\nSec-Fetch-Mode: navigate\r\n\
                   Sec-Fetch-Dest: document\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    let (url, body) = (world.url("/uninstall"), format!("tenant={NORDLYS}"));
    let answer = admin.request("POST", &url, Way::SameSite, headers, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let paper = audited.paper.clone();
    let mut events = audited.read().await;
    events.retain(|(name, _)| name.starts_with("token_"));
    assert_eq!(
        names(&events),
        [
            "token_stored success",
            "token_used success",
            "token_revoked success",
            "token_stored success",
            "token_forgotten success"
        ]
    );
    for (name, line) in &events {
        assert_eq!(
            (text(line, "tenant"), text(line, "relying_party")),
            (NORDLYS, "main"),
            "{name}"
        );
    }
    assert_eq!(text(&events[0].1, "user"), ASTRID);
    for secret in secrets {
        assert!(!paper.text().contains(&secret));
    }
}

#[tokio::test]
async fn notices_that_are_true_and_notices_that_are_forged_are_recorded() {
    let audited = Audited::new(&joined(SYSTEM_USER, PAGES)).await;
    let world = &audited.world;
    world.signed_in(ASTRID).await;
    world.superid.tenants().set_state(NORDLYS, TenantState::Deleted).unwrap();
    let to = world.url("/auth/tenant_change");
    let notice = || world.superid.mint().notice(NORDLYS, TenantChange::Delete).unwrap();
    let forged = notice().token(|draft: Draft| draft.by_stranger(world.superid.keys()));
    assert_eq!(forged.post(&to).await.unwrap().as_u16(), 400);
    assert_eq!(notice().post(&to).await.unwrap().as_u16(), 200);
    let mut events = audited.read().await;
    events.retain(|(name, _)| name.starts_with("tenant_notice"));
    assert_eq!(names(&events), ["tenant_notice refused", "tenant_notice success"]);
    assert!(text(&events[0].1, "detail").starts_with("notice: "), "{}", events[0].1);
    let line = &events[1].1;
    assert_eq!((text(line, "tenant"), text(line, "environment")), (NORDLYS, "emulator"));
    assert_eq!((text(line, "said"), text(line, "found")), ("Delete", "Deleted"));
    assert_eq!(text(line, "client"), "127.0.0.1");
}

#[tokio::test]
async fn a_job_that_may_not_call_is_recorded_by_name_where_it_proved_one() {
    let audited =
        Audited::new(&joined(SYSTEM_USER, "[job_caller.nightly]\ntenants = [\"Cust1\"]")).await;
    let world = &audited.world;
    assert_eq!(job(world).await.status, 403);
    let addresses = world.gateway.addresses();
    let (_, address) = addresses.iter().find(|(name, _)| name == "job:jobs").unwrap();
    let url = format!("http://{address}/{NORDLYS}/api/v1/Contact/1");
    assert_eq!(world.api().get(&url).await.status, 401);
    let events = audited.read().await;
    assert_eq!(names(&events), ["call_refused refused", "call_refused refused"]);
    let (known, nobody) = (&events[0].1, &events[1].1);
    assert_eq!((text(known, "caller"), text(known, "reason")), ("nightly", "tenant_not_allowed"));
    assert_eq!((text(nobody, "reason"), text(nobody, "listener")), ("caller_unknown", "jobs"));
    assert!(nobody.get("caller").is_none());
}

#[tokio::test]
async fn a_change_of_the_configuration_is_recorded_by_name_and_a_refused_one_with_why() {
    let mut audited = Audited::new("").await;
    audited.world.reload("[route.app]\nadministrator = true\n[session]\nidle = \"2h\"").unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let more = format!("[listener.more]\naddress = \"{}\"", taken.local_addr().unwrap());
    audited.world.reload(&more).unwrap_err();
    audited.world.gateway.not_reloaded(&["gateway.toml:1:1: toml: broken".to_owned()]);
    let events = audited.read().await;
    assert_eq!(
        names(&events),
        [
            "configuration_change success",
            "configuration_change refused",
            "configuration_change refused"
        ]
    );
    assert_eq!(events[0].1["changed"], serde_json::json!(["route.app", "session"]));
    assert!(events[1].1["reasons"][0].as_str().unwrap().contains("cannot listen there"));
    assert!(events[0].1.get("request_id").is_none());
}

#[tokio::test]
async fn no_line_has_what_opens_anything() {
    let audited = Audited::new(SYSTEM_USER).await;
    let world = &audited.world;
    let mut browser = world.browser();
    let callback = browser.until_callback(&world.url("/orders?password=hunter2"), ASTRID).await;
    browser.open(&callback).await;
    browser.visit(&callback).await;
    let forged = format!("{}?state=c2VjcmV0LWZvcmdlZA&code=c0de-c0de", world.url("/auth/callback"));
    browser.visit(&forged).await;
    let mut secrets: Vec<String> =
        ["hunter2", "c2VjcmV0", "c0de-c0de", "secret of main"].map(str::to_owned).into();
    let query = callback.split_once('?').unwrap().1;
    secrets.extend(form_urlencoded::parse(query.as_bytes()).map(|(_, value)| value.into_owned()));
    secrets.extend(browser.jar.values("superid-gateway"));
    secrets.push(world.app.last().header("Authorization").unwrap()[7..].to_owned());
    secrets.extend(world.superid.tenants().system_token("client-of-main", NORDLYS));
    let paper = audited.paper.clone();
    assert_eq!(audited.read().await.len(), 4, "{}", paper.text());
    for secret in &secrets {
        assert!(secret.len() > 4 && !paper.text().contains(secret.as_str()), "{secret}");
    }
}
