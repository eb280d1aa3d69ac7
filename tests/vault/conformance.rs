//! One contract, kept by every kind of store.

use std::sync::Arc;

use superid_gateway::clock::{Clock, Timestamp};
use superid_gateway::vault::{Name, PAGE, Record, Store, Telling, Vault};

use crate::kinds::{Kind, each_kind};
use crate::letters;
use crate::world::{NOW, entry, key, token};

#[tokio::test]
async fn every_store_keeps_the_contract() {
    let clock = Clock::manual(NOW);
    for kind in each_kind(&clock) {
        let Kind { name, store, vault, .. } = &kind;
        println!("{name}");
        keeps_what_is_put(vault).await;
        lets_sleep_and_wakes(vault).await;
        forgets(vault).await;
        swaps_only_what_is_still_there(store).await;
        writes_all_together(store).await;
        letters::keep_the_contract(store).await;
        prunes_after_thirty_days(vault, &clock).await;
        gives_every_record_once_in_order(store).await;
        assert_eq!(store.check().await.unwrap(), [""; 0]);
    }
}

#[tokio::test]
async fn every_store_bounds_what_waits_to_be_told() {
    for Kind { name, store, .. } in each_kind(&Clock::manual(NOW)) {
        println!("{name}");
        letters::keep_the_bounds(&store).await;
    }
}

async fn keeps_what_is_put(vault: &Vault) {
    assert!(vault.get(&key(1)).await.unwrap().is_none());
    vault.put(entry(1, 1)).await.unwrap();
    vault.put(entry(2, 1)).await.unwrap();
    vault.put(entry(1, 2)).await.unwrap();
    let found = vault.get(&key(1)).await.unwrap().unwrap();
    assert_eq!(found.token.reveal(), "Our App-1-2");
    assert_eq!(found.key, key(1));
    assert_eq!(found.serial, "1000001");
    assert_eq!(found.web_api_url.as_deref(), Some("https://sod2.superoffice.com/Cust1/api/"));
    assert_eq!((found.consented_by.as_str(), found.stored), ("admin@example.com", NOW));
    assert_eq!(token(vault.get(&key(2)).await.unwrap()), "Our App-2-1");
}

async fn lets_sleep_and_wakes(vault: &Vault) {
    assert!(!vault.wake(&key(1), Telling::Nobody).await.unwrap(), "it does not sleep");
    assert!(vault.sleep(&key(1), NOW, Telling::Nobody).await.unwrap());
    assert!(
        !vault.sleep(&key(1), NOW.plus(9), Telling::Nobody).await.unwrap(),
        "the first time counts"
    );
    assert!(vault.get(&key(1)).await.unwrap().is_none(), "nothing is bought with it");
    assert_eq!(vault.look(&key(1)).await.unwrap().unwrap().dormant, Some(NOW));
    assert!(vault.wake(&key(1), Telling::Nobody).await.unwrap());
    assert_eq!(token(vault.get(&key(1)).await.unwrap()), "Our App-1-2");
    vault.sleep(&key(1), NOW, Telling::Nobody).await.unwrap();
    vault.put(entry(1, 3)).await.unwrap();
    assert_eq!(token(vault.get(&key(1)).await.unwrap()), "Our App-1-3", "a new consent wakes");
    assert!(
        !vault.sleep(&key(77), NOW, Telling::Nobody).await.unwrap()
            && !vault.wake(&key(77), Telling::Nobody).await.unwrap()
    );
}

async fn forgets(vault: &Vault) {
    assert!(vault.forget(&key(1)).await.unwrap());
    assert!(!vault.forget(&key(1)).await.unwrap());
    assert!(vault.look(&key(1)).await.unwrap().is_none());
    assert_eq!(token(vault.get(&key(2)).await.unwrap()), "Our App-2-1");
}

async fn swaps_only_what_is_still_there(store: &Arc<dyn Store>) {
    let name = Name::from(&key(2));
    let old = store.read(&name).await.unwrap().unwrap();
    let new = Record { sealed: "another".to_owned(), ..old.clone() };
    assert!(store.swap(old.clone(), Some(new.clone()), None).await.unwrap());
    assert!(!store.swap(old.clone(), Some(old.clone()), None).await.unwrap());
    assert!(!store.swap(old, None, None).await.unwrap());
    assert_eq!(store.read(&name).await.unwrap(), Some(new.clone()));
    assert!(store.swap(new.clone(), None, None).await.unwrap());
    assert!(!store.swap(new, None, None).await.unwrap(), "nothing is nobody's old value");
    assert_eq!(store.read(&name).await.unwrap(), None);
}

async fn writes_all_together(store: &Arc<dyn Store>) {
    let names = ["a", "b", "c"].map(|tenant| record(tenant, None));
    store.write(names.to_vec(), Vec::new()).await.unwrap();
    assert_eq!(store.page(None).await.unwrap(), names);
    for record in names {
        assert!(store.remove(&record.name, None).await.unwrap());
    }
    assert!(store.page(None).await.unwrap().is_empty());
}

async fn prunes_after_thirty_days(vault: &Vault, clock: &Clock) {
    for (tenant, since) in [(1, 0), (2, 86_400)] {
        vault.put(entry(tenant, 1)).await.unwrap();
        vault.sleep(&key(tenant), NOW.plus(since), Telling::Nobody).await.unwrap();
    }
    clock.set(NOW.plus(30 * 86_400 - 1));
    vault.put(entry(3, 1)).await.unwrap();
    assert!(vault.look(&key(1)).await.unwrap().is_some());
    clock.set(NOW.plus(30 * 86_400));
    vault.put(entry(3, 2)).await.unwrap();
    assert!(vault.look(&key(1)).await.unwrap().is_none());
    assert!(vault.wake(&key(2), Telling::Nobody).await.unwrap());
    clock.set(NOW);
    for tenant in [2, 3] {
        vault.forget(&key(tenant)).await.unwrap();
    }
}

async fn gives_every_record_once_in_order(store: &Arc<dyn Store>) {
    let asleep = Some(Timestamp(5));
    let records: Vec<Record> =
        (0..PAGE * 2 + 1).map(|number| record(&format!("Cust{number:05}"), asleep)).collect();
    store.write(records.clone(), Vec::new()).await.unwrap();
    let mut found = Vec::new();
    loop {
        let after = found.last().map(|record: &Record| record.name.clone());
        let page = store.page(after).await.unwrap();
        assert!(page.len() <= PAGE);
        if page.is_empty() {
            break;
        }
        found.extend(page);
    }
    assert_eq!(found, records);
    assert_eq!(store.dormant(Timestamp(4)).await.unwrap(), []);
    assert_eq!(store.dormant(Timestamp(5)).await.unwrap().len(), PAGE);
}

fn record(tenant: &str, dormant: Option<Timestamp>) -> Record {
    let text = format!(
        r#"{{"environment":"sod","client_id":"app","tenant":"{tenant}","dormant":{},
            "sealed":"any","checksum":"any"}}"#,
        dormant.map_or("null".to_owned(), |since| since.0.to_string())
    );
    serde_json::from_str(&text).unwrap()
}
