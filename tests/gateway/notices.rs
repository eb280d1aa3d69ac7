//! State-change notices: true ones lead to a question, and its answer to what is done; others to nothing.

use superid_gateway::emulator::{Draft, Fault, Kind, Notice, TenantChange, TenantState};

use crate::installing::{NORDLYS, SYSTEM_USER, job, joined, kept};
use crate::wire::Answer;
use crate::world::{ASTRID, SIOBHAN, World};

const NOTICES: &str = "[host.main]\nnotice_path = \"/auth/tenant_change\"";

/// A gateway that takes notices, with the app installed in Nordlys and a ticket of it.
async fn installed(more: &str) -> World {
    let world = World::with(&joined(&joined(SYSTEM_USER, NOTICES), more)).await;
    world.signed_in(ASTRID).await;
    assert_eq!(job(&world).await.status, 200);
    world
}

fn notice(world: &World, change: TenantChange) -> Notice {
    world.superid.mint().notice(NORDLYS, change).unwrap()
}

async fn post(world: &World, body: &str) -> Answer {
    let length = body.len();
    let headers = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n");
    let authority = world.authority();
    let text = format!(
        "POST /auth/tenant_change HTTP/1.1\r\nHost: {authority}\r\n{headers}\
         Connection: close\r\n\r\n{body}"
    );
    world.net.ask(authority, text.as_bytes()).await.expect("an answer")
}

fn set(world: &World, state: TenantState) {
    world.superid.tenants().set_state(NORDLYS, state).unwrap();
}

async fn sleeps(world: &World) -> bool {
    kept(world).await.unwrap().dormant.is_some()
}

#[tokio::test]
async fn a_deleted_tenant_s_token_sleeps_and_wakes_when_it_runs_again() {
    let world = installed("").await;
    set(&world, TenantState::Deleted);
    let answer = post(&world, &notice(&world, TenantChange::Delete).to_json()).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert!(sleeps(&world).await);
    assert_eq!(job(&world).await.status, 410);
    set(&world, TenantState::Running);
    world.turn_clock(60);
    let to = world.url("/auth/tenant_change");
    let status = notice(&world, TenantChange::Resume).post(&to).await.unwrap();
    assert_eq!(status.as_u16(), 200);
    assert!(!sleeps(&world).await);
    assert_eq!(job(&world).await.status, 200);
}

#[tokio::test]
async fn everybody_of_a_tenant_that_is_gone_or_suspended_is_signed_out_and_nobody_on_a_notice_s_word()
 {
    let world = installed("").await;
    let url = world.url("/orders");
    for (state, change) in [
        (TenantState::Suspended, TenantChange::Suspend),
        (TenantState::Deleted, TenantChange::Delete),
    ] {
        let (mut browser, mut bystander) =
            (world.signed_in(ASTRID).await, world.signed_in(SIOBHAN).await);
        world.turn_clock(60);
        assert_eq!(post(&world, &notice(&world, change).to_json()).await.status, 200);
        assert_eq!(browser.visit(&url).await.status, 200, "the state API says that it runs");
        set(&world, state);
        world.turn_clock(60);
        assert_eq!(post(&world, &notice(&world, change).to_json()).await.status, 200);
        let began = std::time::Instant::now();
        assert_eq!(browser.visit(&url).await.status, 303);
        println!("sign-out of a tenant: seen {:?} after the notice was answered", began.elapsed());
        assert_eq!(bystander.visit(&url).await.status, 200, "another tenant");
        set(&world, TenantState::Running);
        world.turn_clock(60);
        assert_eq!(post(&world, &notice(&world, TenantChange::Resume).to_json()).await.status, 200);
    }
}

#[tokio::test]
async fn what_a_notice_says_is_not_believed_where_the_state_api_says_otherwise() {
    let world = installed("").await;
    let asked = world.asked(Kind::TenantState);
    let granted = || world.superid.exchanges().granted("client-of-main", NORDLYS);
    let before = granted();
    let lie = notice(&world, TenantChange::Delete).member("PublicEndpoint", "evil.example");
    assert_eq!(post(&world, &lie.to_json()).await.status, 200);
    assert_eq!(world.asked(Kind::TenantState), asked + 1, "asked");
    assert!(!sleeps(&world).await);
    assert_eq!(job(&world).await.status, 200);
    assert_eq!(granted(), before, "the ticket is kept");
}

#[tokio::test]
async fn a_suspended_tenant_is_known_at_once_and_its_tickets_are_forgotten() {
    let world = installed("").await;
    set(&world, TenantState::Suspended);
    assert_eq!(post(&world, &notice(&world, TenantChange::Suspend).to_json()).await.status, 200);
    assert_eq!(job(&world).await.status, 503);
    assert!(!sleeps(&world).await);
    set(&world, TenantState::Running);
    world.turn_clock(60);
    assert_eq!(post(&world, &notice(&world, TenantChange::Resume).to_json()).await.status, 200);
    assert_eq!(job(&world).await.status, 200);
    assert_eq!(world.superid.exchanges().granted("client-of-main", NORDLYS), 3);
}

#[tokio::test]
async fn a_forged_notice_asks_nothing_and_is_told_nothing() {
    let world = installed("").await;
    set(&world, TenantState::Deleted);
    let asked = world.asked(Kind::TenantState);
    let delete = || notice(&world, TenantChange::Delete);
    let stranger = delete().token(|draft: Draft| draft.by_stranger(world.superid.keys()));
    let forged = [
        ("wrong key", stranger.to_json()),
        ("other issuer", delete().token(|it| it.claim("iss", world.superid.url())).to_json()),
        ("expired", delete().token(|it| it.claim("exp", 1_699_990_000)).to_json()),
        ("unsigned", delete().member("Token", delete_unsigned(&world)).to_json()),
        ("other tenant", delete().member("ContextIdentifier", "Cust67890").to_json()),
        ("no tenant", delete().without_member("ContextIdentifier").to_json()),
        ("no token", delete().without_member("Token").to_json()),
        ("no notice", "[]".to_owned()),
        ("nothing", String::new()),
    ];
    let mut told = Vec::new();
    for (what, body) in forged {
        let answer = post(&world, &body).await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.body);
        let mut said = answer.json();
        said["request_id"].take();
        told.push(said.to_string());
    }
    told.dedup();
    assert_eq!(told.len(), 1, "all are told the same: {told:?}");
    assert_eq!(world.asked(Kind::TenantState), asked);
    assert!(!sleeps(&world).await);
}

fn delete_unsigned(world: &World) -> String {
    world.superid.mint().system_user("client-of-main", NORDLYS).unwrap().unsigned()
}

#[tokio::test]
async fn a_notice_is_good_once_also_after_a_reload() {
    let world = installed("").await;
    let body = notice(&world, TenantChange::Upgrade).to_json();
    assert_eq!(post(&world, &body).await.status, 200);
    let asked = world.asked(Kind::TenantState);
    assert_eq!(post(&world, &body).await.status, 400);
    assert_eq!(world.asked(Kind::TenantState), asked);
    let mut world = world;
    world.reload("[limits]\nheader_count = 50").unwrap();
    assert_eq!(post(&world, &body).await.status, 400, "nor after a reload");
}

#[tokio::test]
async fn while_superid_cannot_be_asked_the_notice_is_not_taken_and_may_come_again() {
    let world = installed("").await;
    set(&world, TenantState::Deleted);
    let body = notice(&world, TenantChange::Delete).to_json();
    world.superid.faults().set(Fault::Status { endpoint: Kind::TenantState, code: 503 });
    let answer = post(&world, &body).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "10"));
    assert!(!sleeps(&world).await);
    world.superid.faults().clear();
    world.turn_clock(11);
    assert_eq!(post(&world, &body).await.status, 200);
    assert!(sleeps(&world).await);
}

#[tokio::test]
async fn only_a_post_of_at_most_16_kib_is_taken() {
    let world = installed("").await;
    for method in ["GET", "HEAD", "PUT", "DELETE"] {
        let answer = world.api().send(method, &world.url("/auth/tenant_change"), "").await;
        assert_eq!(answer.status, 405, "{method}");
    }
    let large = notice(&world, TenantChange::Upgrade).member("VersionName", "x".repeat(16_000));
    assert_eq!(post(&world, &large.to_json()).await.status, 413);
    world.app.heard_nothing();
}

#[tokio::test]
async fn without_a_configured_path_the_address_is_nobody_s() {
    let world = World::new().await;
    let answer = post(&world, &notice(&world, TenantChange::Delete).to_json()).await;
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn an_address_that_posts_too_many_notices_is_told_when_to_come_back() {
    let world = installed("[limits]\nnotices_per_minute = 1").await;
    let mut told = Vec::new();
    for _ in 0..3 {
        let answer = post(&world, "{}").await;
        told.push(answer.status);
        assert_eq!(answer.status == 429, !answer.header("retry-after").is_empty());
    }
    assert_eq!(told, [400, 400, 429]);
    assert_eq!(world.metric("limit_hits_total{limit=\"notices_per_minute\"}").await, 1);
    world.turn_clock(61);
    assert_eq!(post(&world, "{}").await.status, 400);
}
