//! Many tenants at once.

use http::Method;
use superid_gateway::emulator::{Detail, Emulator, Kind, Options, Seed};
use tokio::task::JoinSet;

use crate::browser::Browser;
use crate::partner::{partner, with};
use crate::scene::{ID, SECRET, own};

#[tokio::test]
async fn a_crowd_of_tenants_is_counted_to_the_last_call_and_leaves_no_violation() {
    const TENANTS: usize = 20;
    const CALLS: usize = 25;
    let seed = Seed::crowd(TENANTS as u32);
    let options = Options { seed, apps: vec![partner()], extra_hosts: 2, ..Options::default() };
    let emulator = Emulator::start(options).await.unwrap();
    emulator.journal().keep(Detail::Counts);
    let (mint, tenants) = (emulator.mint(), emulator.tenants());
    let mut crowd = JoinSet::new();
    for tenant in mint.seed().tenants.clone() {
        let token = mint.system_user(ID, &tenant.ctx).unwrap().payload_json();
        let claims = serde_json::from_str(&token).unwrap();
        let ticket = format!("SOTicket {}", own(&claims, "ticket").as_str().unwrap());
        let url = format!("{}/api/v1/Contact/1", tenants.root(&tenant.ctx).unwrap());
        crowd.spawn(async move {
            let mut browser = Browser::new();
            for _ in 0..CALLS {
                let headers = with(&ticket, SECRET);
                let page = browser.send(Method::GET, &url, &headers, String::new()).await;
                assert_eq!(page.json()["DatabaseContextIdentifier"], tenant.ctx);
            }
        });
    }
    while let Some(done) = crowd.join_next().await {
        done.unwrap();
    }
    assert_eq!(emulator.journal().count(Kind::WebApi), TENANTS * CALLS);
    assert_eq!(tenants.calls("Cust100000"), CALLS as u64);
    assert_eq!(emulator.violations().count(), 0);
    assert!(mint.system_user(ID, "Cust404").is_none());
    emulator.stop().await;
}
