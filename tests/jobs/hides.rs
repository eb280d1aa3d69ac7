//! What a job never has to think about: dead tickets, moves, maintenance, an outage of SuperID.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::Method;
use superid_gateway::emulator::{Fault, Kind, TenantState};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::world::{NORDLYS, World, nightly};

const ROOM: &str = r#"
[job_listener.jobs]
tenant_requests = 1000
"#;
const PATH: &str = "/Cust12345/api/v1/Contact/1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_of_a_cold_tenant_cost_one_exchange() {
    let world = World::with(ROOM).await;
    let program = world.program();
    let refused = Arc::new(AtomicU64::new(0));
    for round in 1..=3 {
        let mut calls = JoinSet::new();
        for _ in 0..1_000 {
            let (program, refused) = (program.clone(), refused.clone());
            calls.spawn(async move {
                let answer = program.get(PATH, &[("authorization", &nightly())]).await;
                if answer.status != 200 {
                    refused.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        calls.join_all().await;
        assert_eq!(refused.load(Ordering::Relaxed), 0, "round {round}");
        assert_eq!(world.exchanges(NORDLYS), round, "round {round}");
        match round {
            // The first ticket ends of age, the second by the tenant's own doing.
            1 => world.clock.advance(7 * 3_600),
            _ => drop(world.superid.tenants().kill_tickets(NORDLYS)),
        }
    }
    world.assert_nothing_astray();
}

#[tokio::test]
async fn a_dead_ticket_is_replaced_and_the_call_made_once_more() {
    let world = World::new().await;
    let program = world.program();
    let headers = [("authorization", &*nightly())];
    assert_eq!(program.get(PATH, &headers).await.status, 200);
    world.superid.tenants().kill_tickets(NORDLYS);
    let body = Bytes::from(vec![b'x'; 40_000]);
    let path = "/Cust12345/api/v1/Document/1/Content";
    let answer = program.send(Method::POST, path, &headers, body.clone()).await;
    assert_eq!(answer.told(), (200, ""));
    assert_eq!(answer.body, body, "the body was sent again, whole");
    assert_eq!(world.exchanges(NORDLYS), 2);
}

#[tokio::test]
async fn a_body_of_chunks_without_a_byte_is_sent_again_to_its_end() {
    let world = World::new().await;
    let headers = [("authorization", &*nightly())];
    assert_eq!(world.program().get(PATH, &headers).await.status, 200);
    world.superid.tenants().kill_tickets(NORDLYS);
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    let request = format!(
        "POST /Cust12345/api/v1/Document/1/Content HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
        nightly()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(world.exchanges(NORDLYS), 2);
}

#[tokio::test]
async fn a_body_too_large_to_send_again_gets_the_tenant_s_own_401() {
    let world = World::new().await;
    let program = world.program();
    let headers = [("authorization", &*nightly())];
    assert_eq!(program.get(PATH, &headers).await.status, 200);
    world.superid.tenants().kill_tickets(NORDLYS);
    let body = Bytes::from(vec![b'x'; 1 << 20]);
    let path = "/Cust12345/api/v1/Document/1/Content";
    let answer = program.send(Method::POST, path, &headers, body).await;
    assert_eq!(answer.told(), (401, ""));
    assert_eq!(program.get(PATH, &headers).await.status, 200, "the next call has a living one");
}

#[tokio::test]
async fn a_tenant_that_says_401_for_ever_is_believed_after_one_more_try() {
    let world = World::new().await;
    world.superid.tenants().answer_next(NORDLYS, 401, 100).unwrap();
    let answer = world.program().get(PATH, &[("authorization", &nightly())]).await;
    assert_eq!(answer.told(), (401, ""));
    assert_eq!(world.exchanges(NORDLYS), 2);
    world.superid.tenants().answer_next(NORDLYS, 401, 0).unwrap();
    let answer = world.program().get(PATH, &[("authorization", &nightly())]).await;
    assert_eq!(answer.told(), (200, ""), "nobody else's calls suffer from it");
    assert_eq!(world.exchanges(NORDLYS), 2);
}

#[tokio::test]
async fn a_403_is_passed_on_and_costs_at_most_one_ticket() {
    let world = World::new().await;
    let program = world.program();
    let headers = [("authorization", &*nightly())];
    world.superid.tenants().deny(NORDLYS, &["/api/v1/Preference"]).unwrap();
    let denied = "/Cust12345/api/v1/Preference/1";
    assert_eq!(program.get(denied, &headers).await.told(), (403, ""));
    assert_eq!(world.exchanges(NORDLYS), 1, "a young ticket is not blamed");
    world.clock.advance(16 * 60);
    for id in 1..6 {
        let denied = format!("/Cust12345/api/v1/Preference/{id}");
        assert_eq!(program.get(&denied, &headers).await.told(), (403, ""));
        world.clock.advance(16 * 60 / 5);
    }
    assert!(world.exchanges(NORDLYS) <= 2, "{}", world.exchanges(NORDLYS));
    assert_eq!(program.get(PATH, &headers).await.status, 200);
}

#[tokio::test]
async fn a_tenant_that_moves_is_found_again_without_a_failed_call() {
    let world = World::new().await;
    let program = world.program();
    let headers = [("authorization", &*nightly())];
    for host in [2, 1, 2] {
        assert_eq!(program.get(PATH, &headers).await.told(), (200, ""));
        world.superid.tenants().move_tenant(NORDLYS, host).unwrap();
        world.clock.advance(90);
        assert_eq!(program.get(PATH, &headers).await.told(), (200, ""), "moved to {host}");
    }
    world.assert_nothing_astray();
}

#[tokio::test]
async fn a_tenant_under_maintenance_gets_a_503_with_a_time_and_is_left_alone() {
    let world = World::new().await;
    let program = world.program();
    let headers = [("authorization", &*nightly())];
    for (state, told) in [
        (TenantState::OfflineMaintenance, (503, "tenant_maintenance")),
        (TenantState::Suspended, (503, "tenant_suspended")),
        (TenantState::Deleted, (410, "tenant_deleted")),
        (TenantState::OnlineMaintenance, (200, "")),
        (TenantState::Running, (200, "")),
    ] {
        world.superid.tenants().set_state(NORDLYS, state).unwrap();
        world.clock.advance(9 * 3_600);
        let before = world.superid.tenants().calls(NORDLYS);
        let answer = program.get(PATH, &headers).await;
        assert_eq!(answer.told(), told, "{state:?}");
        if answer.status == 503 {
            assert!(answer.headers.contains_key("retry-after"), "{state:?}");
        }
        if answer.status != 200 {
            assert_eq!(world.superid.tenants().calls(NORDLYS), before, "{state:?}");
        }
    }
}

#[tokio::test]
async fn superid_may_be_down_for_five_hours() {
    let world = World::new().await;
    let program = world.program();
    let headers = [("authorization", &*nightly())];
    assert_eq!(program.get(PATH, &headers).await.status, 200);
    for endpoint in [Kind::SystemUser, Kind::TenantState] {
        world.superid.faults().set(Fault::Status { endpoint, code: 503 });
    }
    for _ in 0..60 {
        world.clock.advance(300);
        assert_eq!(program.get(PATH, &headers).await.told(), (200, ""));
    }
    assert_eq!(world.exchanges(NORDLYS), 1);
}

#[tokio::test]
async fn a_consent_taken_back_is_told_apart_and_comes_back_with_a_new_one() {
    let world = World::new().await;
    let program = world.program();
    let headers = [("authorization", &*nightly())];
    world.superid.tenants().revoke_consent(crate::world::APP, NORDLYS).unwrap();
    assert_eq!(program.get(PATH, &headers).await.told(), (403, "consent_revoked"));
    world.superid.tenants().restore_consent(crate::world::APP, NORDLYS).unwrap();
    world.clock.advance(3_600);
    assert_eq!(program.get(PATH, &headers).await.told(), (200, ""));
}
