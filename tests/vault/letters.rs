//! The outbox's part of the contract that every kind of store keeps.

use std::sync::Arc;

use superid_gateway::clock::Timestamp;
use superid_gateway::vault::{
    Backlog, Claim, Letter, MOST_LETTERS, NEVER, Name, PAGE, Record, Store, VaultFailed, Waiting,
};

use crate::world::NOW;

/// Holds a store, whose outbox is empty, to its promises, and leaves it empty.
pub async fn keep_the_contract(store: &Arc<dyn Store>) {
    letters_come_and_go_with_their_records(store).await;
    each_is_claimed_once_at_a_time_and_in_order(store).await;
    what_is_put_off_comes_again_then(store).await;
    a_claim_that_lapsed_is_nobody_s(store).await;
    other_bytes_take_the_place_of_known_ones(store).await;
    what_is_set_aside_is_kept_and_lets_the_next_go(store).await;
    assert!(store.page(None).await.unwrap().is_empty());
    assert_eq!(store.check().await.unwrap(), [""; 0]);
}

/// Holds an empty store to its bounds, and leaves it full: emptying it would take long.
pub async fn keep_the_bounds(store: &Arc<dyn Store>) {
    all_are_listed_in_order(store).await;
    an_app_has_its_bound_and_removing_is_never_refused(store).await;
    assert_eq!(store.check().await.unwrap(), [""; 0]);
}

async fn letters_come_and_go_with_their_records(store: &Arc<dyn Store>) {
    let old = record("a", "Cust1", "old");
    store.write(vec![old.clone()], vec![letter("a", "Cust1", "1")]).await.unwrap();
    let new = record("a", "Cust1", "new");
    let told = |id| Some(letter("a", "Cust1", id));
    assert!(!store.swap(new.clone(), None, told("not")).await.unwrap(), "another is there");
    assert!(store.swap(old, Some(new.clone()), told("2")).await.unwrap());
    assert!(store.remove(&new.name, told("3")).await.unwrap());
    assert!(!store.remove(&new.name, told("not")).await.unwrap(), "nothing is there");
    assert_eq!(ids(&store.letters(None).await.unwrap()), ["1", "2", "3"]);
    let [first, ..] = &claim(store, "a", 0).await[..] else { panic!("nothing to claim") };
    assert_eq!(first.letter, letter("a", "Cust1", "1"));
    empty(store).await;
}

async fn each_is_claimed_once_at_a_time_and_in_order(store: &Arc<dyn Store>) {
    for (app, tenant, id) in [
        ("a", "Cust1", "1"),
        ("a", "Cust1", "2"),
        ("b", "Cust1", "3"),
        ("a", "Cust2", "4"),
        ("a", "Cust3", "5"),
    ] {
        add(store, letter(app, tenant, id)).await;
    }
    let early = Claim { now: Timestamp(NOW.0 - 1), ..claiming("a", 0) };
    assert!(store.claim(early).await.unwrap().is_empty(), "none is due");
    let two = store.claim(Claim { most: 2, ..claiming("a", 0) }).await.unwrap();
    assert_eq!(ids(&two), ["1", "4"], "of each tenant the oldest, oldest first");
    assert_eq!((two[0].tries, two[0].due), (1, NOW.plus(60)));
    let rest = claim(store, "a", 0).await;
    assert_eq!(ids(&rest), ["5"], "those that are claimed are not given again");
    assert_eq!(ids(&claim(store, "b", 0).await), ["3"], "another app's are apart");
    assert!(claim(store, "c", 0).await.is_empty());
    assert!(store.taken(two[0].clone()).await.unwrap());
    assert!(!store.taken(two[0].clone()).await.unwrap(), "it is gone");
    assert_eq!(ids(&claim(store, "a", 0).await), ["2"], "the next of its tenant");
    empty(store).await;
}

async fn what_is_put_off_comes_again_then(store: &Arc<dyn Store>) {
    add(store, letter("a", "Cust1", "1")).await;
    add(store, letter("a", "Cust1", "2")).await;
    let first = claim(store, "a", 0).await.remove(0);
    assert!(store.put_off(first.clone(), NOW.plus(500)).await.unwrap());
    assert!(claim(store, "a", 499).await.is_empty(), "not before, and no later one before it");
    let again = claim(store, "a", 500).await.remove(0);
    assert_eq!((again.letter.clone(), again.tries), (first.letter.clone(), 2));
    assert!(!store.put_off(first, NOW).await.unwrap(), "somebody has it since");
    assert!(claim(store, "a", 500).await.is_empty());
    store.taken(again.clone()).await.unwrap();
    assert!(!store.put_off(again, NOW).await.unwrap(), "it is gone");
    empty(store).await;
}

async fn a_claim_that_lapsed_is_nobody_s(store: &Arc<dyn Store>) {
    add(store, letter("a", "Cust1", "1")).await;
    let dead = claim(store, "a", 0).await.remove(0);
    assert!(claim(store, "a", 59).await.is_empty());
    let living = claim(store, "a", 60).await.remove(0);
    assert_eq!((living.number, living.tries), (dead.number, 2));
    assert!(store.taken(dead).await.unwrap(), "who delivered it has delivered it");
    assert!(store.letters(None).await.unwrap().is_empty());
    add(store, letter("a", "Cust1", "2")).await;
    assert!(!store.taken(living).await.unwrap(), "another letter, whatever its number");
    empty(store).await;
}

async fn other_bytes_take_the_place_of_known_ones(store: &Arc<dyn Store>) {
    add(store, letter("a", "Cust1", "1")).await;
    let old = store.letters(None).await.unwrap().remove(0);
    assert!(store.reseal(old.clone(), "anew".to_owned()).await.unwrap());
    assert!(!store.reseal(old, "once more".to_owned()).await.unwrap());
    let new = store.letters(None).await.unwrap().remove(0);
    assert_eq!(new.letter.sealed, "anew");
    empty(store).await;
}

async fn what_is_set_aside_is_kept_and_lets_the_next_go(store: &Arc<dyn Store>) {
    for (tenant, id) in [("Cust1", "1"), ("Cust1", "2"), ("Cust2", "3")] {
        add(store, Letter { written: Timestamp(NOW.0 - 5), ..letter("a", tenant, id) }).await;
    }
    let [first, other] = &claim(store, "a", 0).await[..] else { panic!("two tenants") };
    assert!(claim(store, "a", 0).await.is_empty());
    assert!(store.set_aside(first.clone()).await.unwrap());
    assert!(!store.set_aside(first.clone()).await.unwrap(), "it is not among them any more");
    assert_eq!(ids(&claim(store, "a", 0).await), ["2"]);
    assert_eq!(ids(&all(store).await), ["2", "3"]);
    let apart = store.aside().await.unwrap();
    assert_eq!((ids(&apart), apart[0].due), (vec!["1".to_owned()], NEVER));
    assert_eq!(apart[0].letter, first.letter);
    let backlog = Backlog { letters: 2, oldest: Some(Timestamp(NOW.0 - 5)), aside: 1 };
    assert_eq!(store.backlog().await.unwrap(), backlog);
    let again = claim(store, "a", 60).await;
    assert!(!store.set_aside(other.clone()).await.unwrap(), "somebody has it since");
    assert_eq!(ids(&again), ["2", "3"]);
    assert!(store.taken(apart[0].clone()).await.unwrap(), "it is given up");
    assert!(!store.taken(apart[0].clone()).await.unwrap());
    empty(store).await;
    assert_eq!(store.backlog().await.unwrap(), Backlog::default());
}

async fn an_app_has_its_bound_and_removing_is_never_refused(store: &Arc<dyn Store>) {
    let kept = record("a", "Cust1", "kept");
    let many = |count| (0..count).map(|number: usize| letter("a", "Cust1", &number.to_string()));
    store.write(vec![kept.clone()], many(MOST_LETTERS - 1).collect()).await.unwrap();
    let two = vec![letter("a", "Cust2", "x"), letter("a", "Cust2", "y")];
    let failed = store.write(vec![record("a", "Cust2", "new")], two).await.unwrap_err();
    assert!(matches!(failed, VaultFailed::OutboxFull), "{failed}");
    let nothing = store.read(&record("a", "Cust2", "new").name).await.unwrap();
    assert_eq!(nothing, None, "nothing of it is written");
    add(store, letter("a", "Cust2", "last")).await;
    let told = Some(letter("a", "Cust1", "more"));
    let new = Some(record("a", "Cust1", "new"));
    let failed = store.swap(kept.clone(), new, told.clone()).await.unwrap_err();
    assert!(matches!(failed, VaultFailed::OutboxFull), "{failed}");
    assert_eq!(store.read(&kept.name).await.unwrap(), Some(kept.clone()), "the old one stands");
    add(store, letter("b", "Cust1", "another app's")).await;
    assert!(store.remove(&kept.name, told).await.unwrap());
}

async fn all_are_listed_in_order(store: &Arc<dyn Store>) {
    let ids_of: Vec<String> = (0..PAGE * 2 + 1).map(|number| number.to_string()).collect();
    let letters = ids_of.iter().map(|id| letter("list", &format!("Cust{id}"), id)).collect();
    store.write(Vec::new(), letters).await.unwrap();
    let found = all(store).await;
    assert_eq!(ids(&found), ids_of);
    assert!(found.is_sorted_by_key(|waiting| waiting.number));
}

async fn all(store: &Arc<dyn Store>) -> Vec<Waiting> {
    let mut found: Vec<Waiting> = Vec::new();
    loop {
        let page = store.letters(found.last().map(|waiting| waiting.number)).await.unwrap();
        assert!(page.len() <= PAGE);
        if page.is_empty() {
            return found;
        }
        found.extend(page);
    }
}

async fn empty(store: &Arc<dyn Store>) {
    for waiting in all(store).await {
        assert!(store.taken(waiting).await.unwrap());
    }
    assert!(store.letters(None).await.unwrap().is_empty());
}

async fn add(store: &Arc<dyn Store>, letter: Letter) {
    store.write(Vec::new(), vec![letter]).await.unwrap();
}

async fn claim(store: &Arc<dyn Store>, app: &str, later: u64) -> Vec<Waiting> {
    store.claim(claiming(app, later)).await.unwrap()
}

fn claiming(app: &str, later: u64) -> Claim {
    let now = NOW.plus(later);
    Claim {
        environment: "sod".to_owned(),
        client_id: app.to_owned(),
        now,
        until: now.plus(60),
        most: 10,
    }
}

fn ids(letters: &[Waiting]) -> Vec<String> {
    letters.iter().map(|waiting| waiting.letter.id.clone()).collect()
}

fn letter(app: &str, tenant: &str, id: &str) -> Letter {
    Letter {
        id: id.to_owned(),
        name: record(app, tenant, "").name,
        written: NOW,
        sealed: format!("sealed {id}"),
    }
}

fn record(app: &str, tenant: &str, sealed: &str) -> Record {
    let name = Name {
        environment: "sod".to_owned(),
        client_id: app.to_owned(),
        tenant: tenant.to_owned(),
    };
    let text = serde_json::json!({
        "environment": name.environment,
        "client_id": name.client_id,
        "tenant": name.tenant,
        "sealed": sealed,
        "checksum": "any",
    });
    serde_json::from_value(text).unwrap()
}
