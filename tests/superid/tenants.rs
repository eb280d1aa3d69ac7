//! The directory of tenants over real sockets: asked once, kept, doubted, and served while SuperID is
//! down.

use std::sync::Arc;

use serde_json::{Value, json};
use superid_gateway::identity::ContextId;
use superid_gateway::superid::{NoticeRefused, TenantChange};
use superid_gateway::tenants::{Away, AwayReason, Home, Reach};

use crate::double::Reply;
use crate::mint::{FIRST, SECOND, claim};
use crate::world::{NOW, World};

const PATH: &str = "/state/Cust12345";
const HOUR: u64 = 3_600;

fn tenant() -> ContextId {
    ContextId::parse("cust12345").unwrap()
}

async fn find(world: &World) -> Result<Arc<Home>, Away> {
    world.tenants.find(world.code.environment().unwrap(), &tenant()).await
}

async fn api(world: &World) -> String {
    find(world).await.unwrap().api().as_str().to_owned()
}

fn state(host: &str, valid_for: i64) -> Value {
    let until = time::OffsetDateTime::from_unix_timestamp(NOW as i64 + valid_for).unwrap();
    let until = until.format(&time::format_description::well_known::Rfc3339).unwrap();
    json!({
        "ContextIdentifier": "Cust12345", "State": "Running", "IsRunning": true,
        "Endpoint": format!("https://{host}.superoffice.com/Cust12345"),
        "Api": format!("https://{host}.superoffice.com:443/Cust12345/api"),
        "ValidUntil": until.replace('Z', ".1234567Z"),
    })
}

fn says(world: &World, state: &Value) {
    world.double.says(PATH, Reply::ok(state.to_string()));
}

fn asked(world: &World) -> usize {
    world.double.asked(PATH).len()
}

fn unwell(name: &str) -> Value {
    let mut state = state("sod2", 0);
    state["State"] = json!(name);
    state["IsRunning"] = json!(false);
    state
}

#[tokio::test]
async fn a_home_is_where_superid_says() {
    let world = World::start().await;
    says(&world, &state("sod2", 600));
    let home = find(&world).await.unwrap();
    assert_eq!(home.api().as_str(), "https://sod2.superoffice.com/Cust12345/api/");
    assert_eq!(home.soap().as_str(), "https://sod2.superoffice.com/Cust12345/Remote/");
    assert_eq!(home.origin(), "https://sod2.superoffice.com");
    assert_eq!((home.environment(), home.tenant()), ("test", &tenant()));
    assert_eq!(home.reach(), Reach::Public);
    let [request] = &world.double.asked(PATH)[..] else { panic!("asked once") };
    assert!(!request.to_lowercase().contains("authorization"), "{request}");
}

#[tokio::test]
async fn it_is_asked_again_when_its_time_is_over_and_not_before() {
    let world = World::start().await;
    for (valid_for, last, first) in [
        // Between the floor and the ceiling SuperID decides.
        (600, 599, 1),
        // The floor.
        (0, 59, 1),
        (-10_000, 59, 1),
        // The ceiling.
        (100 * HOUR as i64, 8 * HOUR - 1, 1),
    ] {
        let world = World::start().await;
        says(&world, &state("sod2", valid_for));
        find(&world).await.unwrap();
        world.clock.advance(last);
        find(&world).await.unwrap();
        assert_eq!(asked(&world), 1, "{valid_for}");
        world.clock.advance(first);
        find(&world).await.unwrap();
        assert_eq!(asked(&world), 2, "{valid_for}");
    }
    assert_eq!(asked(&world), 0);
}

#[tokio::test]
async fn a_thousand_callers_ask_once() {
    let world = World::start().await;
    says(&world, &state("sod2", 600));
    world.double.shut();
    let callers: Vec<_> = (0..1_000)
        .map(|_| {
            let (tenants, party) = (world.tenants.clone(), world.code.clone());
            tokio::spawn(async move {
                tenants.find(party.environment().unwrap(), &tenant()).await.is_ok()
            })
        })
        .collect();
    world.double.is_asked().await;
    world.double.open();
    for caller in callers {
        assert!(caller.await.unwrap());
    }
    assert_eq!(asked(&world), 1);
}

#[tokio::test]
async fn callers_outlive_the_runtime_of_the_one_who_asked() {
    let world = World::start().await;
    says(&world, &state("sod2", 600));
    world.double.shut();
    let (tenants, party) = (world.tenants.clone(), world.code.clone());
    let (dying, death) = tokio::sync::oneshot::channel::<()>();
    let runtime = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let (environment, tenant) = (party.environment().unwrap().clone(), tenant());
            tokio::select! {
                found = tenants.find(&environment, &tenant) => panic!("{found:?}"),
                _ = death => {}
            }
        });
    });
    world.double.is_asked().await;
    let (tenants, party) = (world.tenants.clone(), world.code.clone());
    let waiter =
        tokio::spawn(
            async move { tenants.find(party.environment().unwrap(), &tenant()).await.is_ok() },
        );
    dying.send(()).unwrap();
    tokio::task::spawn_blocking(|| runtime.join().unwrap()).await.unwrap();
    world.double.is_asked().await;
    world.double.open();
    assert!(waiter.await.unwrap());
}

#[tokio::test]
async fn while_superid_fails_the_old_home_serves_for_a_day() {
    let world = World::start().await;
    says(&world, &state("sod2", 600));
    find(&world).await.unwrap();
    world.double.says(PATH, Reply::status(503, "busy"));
    world.clock.advance(600);
    assert!(find(&world).await.is_ok());
    assert_eq!(asked(&world), 2);
    assert!(find(&world).await.is_ok(), "cooling");
    assert_eq!(asked(&world), 2);
    world.clock.advance(24 * HOUR - 1);
    assert!(find(&world).await.is_ok());
    world.clock.advance(10);
    let expected = Away { reason: AwayReason::Outage, retry_after: 10 };
    assert_eq!(find(&world).await, Err(expected));
    says(&world, &state("sod3", 100_000));
    world.clock.advance(10);
    assert_eq!(api(&world).await, "https://sod3.superoffice.com/Cust12345/api/");
}

#[tokio::test]
async fn once_superid_has_failed_nobody_waits_for_it_while_there_is_an_old_home() {
    let world = World::start().await;
    says(&world, &state("sod2", 600));
    find(&world).await.unwrap();
    world.double.is_asked().await;
    world.double.says(PATH, Reply::status(503, "busy"));
    world.clock.advance(600);
    find(&world).await.unwrap();
    world.double.is_asked().await;
    world.clock.advance(10);
    says(&world, &state("sod3", 2_000));
    world.double.shut();
    assert_eq!(api(&world).await, "https://sod2.superoffice.com/Cust12345/api/");
    world.double.is_asked().await;
    world.double.open();
    while api(&world).await.contains("sod2") {
        tokio::task::yield_now().await;
    }
    assert_eq!(asked(&world), 3);
}

#[tokio::test]
async fn nothing_known_and_no_answer_is_an_outage() {
    let world = World::start().await;
    world.double.says(PATH, Reply::CutOff);
    let expected = Away { reason: AwayReason::Outage, retry_after: 10 };
    assert_eq!(find(&world).await, Err(expected));
    assert_eq!(find(&world).await, Err(expected));
    assert_eq!(asked(&world), 1);
    says(&world, &state("sod2", 600));
    world.clock.advance(10);
    assert!(find(&world).await.is_ok());
}

#[tokio::test]
async fn a_tenant_that_is_away_says_why_and_for_how_long() {
    for (name, reason) in [
        ("OfflineMaintenance", AwayReason::Maintenance),
        ("Suspended", AwayReason::Suspended),
        ("Deleted", AwayReason::Deleted),
        ("MigrationPending", AwayReason::Migrating),
        ("Provisioning", AwayReason::Provisioning),
        ("Unknown", AwayReason::Unknown),
        ("Running", AwayReason::NotRunning),
    ] {
        let world = World::start().await;
        says(&world, &unwell(name));
        assert_eq!(find(&world).await, Err(Away { reason, retry_after: 60 }), "{name}");
        world.clock.advance(59);
        assert_eq!(find(&world).await, Err(Away { reason, retry_after: 1 }), "{name}");
        assert_eq!(asked(&world), 1);
        says(&world, &state("sod2", 600));
        world.clock.advance(1);
        assert!(find(&world).await.is_ok(), "{name}");
    }
    let world = World::start().await;
    let mut long = unwell("Suspended");
    long["ValidUntil"] = state("sod2", 86_400)["ValidUntil"].clone();
    says(&world, &long);
    let expected = Away { reason: AwayReason::Suspended, retry_after: 300 };
    assert_eq!(find(&world).await, Err(expected), "people wait for its return");
}

#[tokio::test]
async fn an_answer_about_another_tenant_or_place_is_not_believed() {
    for (name, value) in [
        ("ContextIdentifier", "Cust1"),
        ("Api", "https://evil.example/Cust12345/api"),
        ("Api", "http://sod2.superoffice.com/Cust12345/api"),
        ("Endpoint", "https://sod2.superoffice.com/Cust1"),
    ] {
        let world = World::start().await;
        let mut bent = state("sod2", 600);
        bent[name] = json!(value);
        says(&world, &bent);
        let away = find(&world).await.unwrap_err();
        assert_eq!(away.reason, AwayReason::Untrusted, "{name} {value}");
    }
}

#[tokio::test]
async fn a_home_that_was_wrong_is_forgotten_once() {
    let world = World::start().await;
    says(&world, &state("sod2", 6_000));
    let old = find(&world).await.unwrap();
    says(&world, &state("sod3", 6_000));
    world.tenants.forget(&old);
    world.tenants.forget(&old);
    let new = find(&world).await.unwrap();
    assert_eq!(new.origin(), "https://sod3.superoffice.com");
    // Late callers who still hold the old one change nothing.
    world.tenants.forget(&old);
    assert_eq!(find(&world).await.unwrap(), new);
    assert_eq!(asked(&world), 2);
}

#[tokio::test]
async fn doubts_do_not_make_us_hammer_superid() {
    let world = World::start().await;
    says(&world, &state("sod2", 6_000));
    find(&world).await.unwrap();
    for _ in 0..50 {
        world.tenants.forget(&find(&world).await.unwrap());
        world.tenants.hint(world.code.environment().unwrap(), &tenant());
    }
    find(&world).await.unwrap();
    assert_eq!(asked(&world), 1 + 4);
    world.clock.advance(60);
    world.tenants.forget(&find(&world).await.unwrap());
    find(&world).await.unwrap();
    assert_eq!(asked(&world), 1 + 4 + 1);
}

#[tokio::test]
async fn a_doubt_while_superid_fails_leaves_the_old_home() {
    let world = World::start().await;
    says(&world, &state("sod2", 6_000));
    let home = find(&world).await.unwrap();
    world.double.says(PATH, Reply::status(500, ""));
    world.tenants.forget(&home);
    assert_eq!(find(&world).await.unwrap(), home);
    assert_eq!(asked(&world), 2);
}

#[tokio::test]
async fn a_verified_notice_has_superid_asked_and_is_believed_in_nothing_else() {
    let world = World::start().await;
    says(&world, &state("sod2", 6_000));
    find(&world).await.unwrap();
    let environment = world.code.environment().unwrap();
    let claims = json!({
        "iss": "SuperOffice AS", "nbf": NOW - 60, "exp": NOW + 300, claim("ctx"): "Cust12345",
    });
    let body = |token: String| {
        let notice = json!({
            "ChangeType": 4, "ContextIdentifier": "CUST12345", "Token": token,
            "PublicEndpoint": "evil.example",
        });
        notice.to_string().into_bytes()
    };
    let notice =
        world.superid.verify_notice(environment, &body(FIRST.sign(&claims))).await.unwrap();
    assert_eq!((&notice.tenant, notice.change), (&tenant(), TenantChange::Delete));
    world.tenants.hint(environment, &notice.tenant);
    assert!(find(&world).await.is_ok(), "only the state API tells that a tenant is gone");
    assert_eq!(asked(&world), 2);
    let refused = world.superid.verify_notice(environment, &body(SECOND.sign(&claims))).await;
    assert!(matches!(refused, Err(NoticeRefused::Untrusted(_))), "{refused:?}");
    world.double.says("/jwks", Reply::status(500, ""));
    world.clock.advance(60);
    let refused = world.superid.verify_notice(environment, &body(SECOND.sign(&claims))).await;
    assert!(matches!(refused, Err(NoticeRefused::Outage(_))), "{refused:?}");
}

#[tokio::test]
async fn a_reload_keeps_what_is_known_of_an_environment_that_stays_the_same() {
    let world = World::start().await;
    says(&world, &state("sod2", 6_000));
    find(&world).await.unwrap();
    let (same, other) = world.reloaded();
    assert!(same.find(world.code.environment().unwrap(), &tenant()).await.is_ok());
    assert_eq!(asked(&world), 1);
    assert!(other.find(world.code.environment().unwrap(), &tenant()).await.is_ok());
    assert_eq!(asked(&world), 2, "its rule for addresses may be another");
}
