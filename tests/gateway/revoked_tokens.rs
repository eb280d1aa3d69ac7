//! Refresh tokens of sessions that were ended: revoked where they came from, beside the request; and those
//! that are not to be used at all.

use serde_json::json;
use superid_gateway::config::LineForm;
use superid_gateway::emulator::{Fault, Kind};
use superid_gateway::telemetry::{AuditLog, Outlet};

use crate::dishonest::Dishonest;
use crate::paper::Paper;
use crate::provider::at;
use crate::wire::until;
use crate::world::{ASTRID, World};

const OFFERED: &str = "[session]\nidle = \"8h\"\n\
    [environment.emulator]\nrevocation_url = \"$SUPERID/login/common/oauth/revoke\"\n";
const HELD: Fault = Fault::Hold { endpoint: Kind::Revoke };
const HOUR: u64 = 3_600;
const REVOKED: &str = "refresh_tokens_revoked_total{outcome=\"revoked\"}";
const FAILED: &str = "refresh_tokens_revoked_total{outcome=\"failed\"}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_out_revokes_the_refresh_token_at_superid_once_and_waits_for_nothing() {
    let paper = Paper::default();
    let (outlet, _writer) = Outlet::to("audit", LineForm::Json, paper.clone());
    let world = World::audited(OFFERED, AuditLog::through(outlet)).await;
    let mut browser = world.signed_in(ASTRID).await;
    let mut copy = browser.clone();
    world.superid.faults().set(HELD);
    assert_eq!(
        browser.visit(&world.url("/auth/sign_out")).await.status,
        303,
        "while SuperID waits"
    );
    assert_eq!(world.metric(REVOKED).await, 0);
    world.superid.faults().end(&HELD);
    until("it is revoked", async || world.metric(REVOKED).await == 1).await;
    let entries = world.superid.journal().entries();
    let asked = entries.iter().find(|entry| entry.kind == Kind::Revoke).unwrap();
    assert_eq!((asked.method.as_str(), asked.outcome.as_str()), ("POST", "ok"));
    let said = |name: &str| asked.parameters.iter().find(|(known, _)| known == name);
    assert_eq!(said("token_type_hint").unwrap().1, "refresh_token");
    assert_eq!(said("client_id").unwrap().1, "client-of-main");
    // A copy of the cookie that comes later tells nobody anything new.
    assert_eq!(copy.visit(&world.url("/orders")).await.status, 303);
    assert_eq!(world.asked(Kind::Revoke), 1);
    until("it is written down", async || {
        paper.lines().iter().any(|line| {
            line["event"] == "refresh_token_revoked"
                && line["outcome"] == "success"
                && line["user"] == ASTRID
        })
    })
    .await;
    assert!(!paper.text().contains("8A:"), "no token is written down");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_that_fails_is_counted_and_the_session_is_over_all_the_same() {
    let world = World::with(OFFERED).await;
    let mut browser = world.signed_in(ASTRID).await;
    world.superid.faults().set(Fault::DropConnection { endpoint: Kind::Revoke });
    let mut copy = browser.clone();
    assert_eq!(browser.visit(&world.url("/auth/sign_out")).await.status, 303);
    until("it has failed", async || world.metric(FAILED).await == 1).await;
    assert_eq!(copy.visit(&world.url("/orders")).await.status, 303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_was_ended_from_elsewhere_has_its_token_revoked_when_its_browser_comes() {
    let api = "[admin]\ntokens = [{ value = \"a-credential-of-the-admin-api-for-tests\" }]\n";
    let world = World::with(&format!("{OFFERED}{api}")).await;
    let mut browser = world.signed_in(ASTRID).await;
    let admin = world.gateway.admin().unwrap().to_string();
    let body = json!({"what": "person", "person": ASTRID}).to_string();
    let head = format!(
        "POST /v1/revocations HTTP/1.1\r\nHost: admin\r\nAuthorization: Bearer \
         a-credential-of-the-admin-api-for-tests\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(world.net.ask(&admin, head.as_bytes()).await.unwrap().status, 200);
    assert_eq!(world.metric("session_revocations_total{what=\"person\"}").await, 1);
    assert_eq!(world.asked(Kind::Revoke), 0);
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 303);
    until("it is revoked", async || world.metric(REVOKED).await == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_is_told_with_our_proof_where_it_publishes_an_address_for_it() {
    let provider = Dishonest::with(|it| it.refreshed = Some(json!({}))).await;
    let more = "[provider.them]\nrevocation_url = \"$URL/revoke\"";
    let world = World::with(&at(&provider, more)).await;
    let mut browser = world.browser();
    assert_eq!(browser.open(&world.url("/")).await.status, 200);
    assert_eq!(browser.visit(&world.url("/auth/sign_out")).await.status, 303);
    // This one has no such page, which is no success.
    until("it was told", async || world.metric(FAILED).await == 1).await;
    let told = provider.asked("/revoke").pop().unwrap();
    assert!(told.fields["token"].starts_with("refresh-"), "{:?}", told.fields);
    assert_eq!(told.fields["token_type_hint"], "refresh_token");
    let unpublished = World::with(&at(&provider, "")).await;
    let mut browser = unpublished.browser();
    assert_eq!(browser.open(&unpublished.url("/")).await.status, 200);
    assert_eq!(browser.visit(&unpublished.url("/auth/sign_out")).await.status, 303);
    unpublished.gateway.stop().await;
    assert_eq!(provider.asked("/revoke").len(), 1, "nobody is told where no address is known");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_are_kept_are_used_and_not_revoked_and_those_to_be_ignored_are_neither() {
    let party =
        |word: &str| format!("{OFFERED}[relying_party.main]\nrefresh_tokens = \"{word}\"\n");
    let world = World::with(&party("use")).await;
    let mut browser = world.signed_in(ASTRID).await;
    world.turn_clock(HOUR / 2 + 60);
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
    let refreshed = "session_refreshes_total{outcome=\"refreshed\"}";
    until("it landed", async || world.metric(refreshed).await == 1).await;
    assert_eq!(browser.visit(&world.url("/auth/sign_out")).await.status, 303);
    let superid = world.superid;
    world.gateway.stop().await;
    assert_eq!(superid.journal().count(Kind::Revoke), 0);

    let world = World::with(&party("ignore")).await;
    let mut browser = world.signed_in(ASTRID).await;
    world.turn_clock(HOUR / 2 + 60);
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 200);
    world.turn_clock(HOUR / 2);
    let sent = browser.visit(&world.url("/orders")).await;
    assert_eq!(sent.status, 303, "a token lives its one life");
    assert_eq!(browser.arrive(sent).await.status, 200, "and SuperID knows them without a page");
    assert_eq!(world.metric(refreshed).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_that_ends_a_session_is_written_down_with_who_it_was() {
    let paper = Paper::default();
    let (outlet, _writer) = Outlet::to("audit", LineForm::Json, paper.clone());
    let world = World::audited("[session]\nidle = \"8h\"", AuditLog::through(outlet)).await;
    let mut browser = world.signed_in(ASTRID).await;
    world.superid.faults().set(Fault::WrongKey);
    world.turn_clock(HOUR);
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 303);
    until("it is written down", async || {
        paper.lines().iter().any(|line| {
            line["event"] == "session_refresh"
                && line["outcome"] == "refused"
                && line["user"] == ASTRID
                && line["tenant"] == "Cust12345"
        })
    })
    .await;
}
