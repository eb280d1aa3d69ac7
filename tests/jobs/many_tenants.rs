//! Ten thousand tenants that nobody can be asked about: what is counted of them has an end.

use std::time::Duration;

use tokio::time::timeout;

use crate::client::Program;
use crate::world::{World, nightly};

const OVER: &str = r#"
[environment.emulator]
tenant_state_url = "http://127.0.0.1:1/{ctx}"

[admin]
enabled = true
address = "127.0.0.1:0"
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_tenants_make_no_more_series_than_two_hundred() {
    let world = World::with(OVER).await;
    call(&world, 1_000..1_200).await;
    let few = series(&world, 200).await;
    call(&world, 1_200..11_000).await;
    let many = series(&world, 10_000).await;
    assert_eq!(few.len(), many.len(), "{:?}", many.iter().rev().take(5));
    let of = |tenant: &str| {
        format!("superid_gateway_tenant_calls_total{{tenant=\"{tenant}\",status=\"5xx\"}} ")
    };
    for (tenant, count) in [("Cust1199", "1"), ("other", "9800")] {
        let line = many.iter().find_map(|line| line.strip_prefix(&of(tenant)));
        assert_eq!(line, Some(count), "{tenant}");
    }
    let outage = "superid_gateway_tenants{state=\"outage\"} 10000";
    assert!(many.iter().any(|line| line == outage));
    let status = ask(&world, "/status").await;
    assert!(status.len() < 64 << 10, "{} bytes", status.len());
}

/// One call to each, from several callers at once.
async fn call(world: &World, tenants: std::ops::Range<usize>) {
    let callers = 16;
    let mut calling = tokio::task::JoinSet::new();
    for caller in 0..callers {
        let (program, tenants) = (world.program(), tenants.clone());
        calling.spawn(async move {
            for tenant in tenants.skip(caller).step_by(callers) {
                let path = format!("/Cust{tenant}/api/v1/User/currentPrincipal");
                let headers = [("host", "jobs.test"), ("authorization", &*nightly())];
                let answer = program.get(&path, &headers).await;
                assert_eq!(answer.status, 503, "{answer:?}");
            }
        });
    }
    while let Some(called) = calling.join_next().await {
        called.unwrap();
    }
}

/// Once so many calls are counted: a call is when it has ended, after its caller has heard.
async fn series(world: &World, calls: usize) -> Vec<String> {
    let all = "{route=\"job:jobs\",status=\"5xx\",outcome=\"refused\"}";
    let counted = format!("superid_gateway_requests_total{all} {calls}\n");
    let reading = async {
        loop {
            let text = ask(world, "/metrics").await;
            if text.contains(&counted) {
                return text;
            }
        }
    };
    let text = timeout(Duration::from_secs(20), reading).await.expect("all are counted");
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

async fn ask(world: &World, path: &str) -> String {
    let admin = Program::new(&format!("http://{}", world.gateway.admin().unwrap()));
    String::from_utf8(admin.get(path, &[]).await.body.to_vec()).unwrap()
}
