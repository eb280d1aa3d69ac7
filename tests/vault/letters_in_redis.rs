//! The outbox in Redis: what a claim costs, and what becomes of letters that somebody damaged there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use superid_gateway::clock::Clock;
use superid_gateway::crypto::{KeyRing, Random};
use superid_gateway::vault::{
    Claim, Letter, MOST_LETTERS, NEVER, Name, Sealer, Shared, Store, Telling, Vault, VaultFailed,
};

use crate::redis_server::RedisServer;
use crate::world::{KEY, NOW, entry, key};

fn store(redis: &RedisServer) -> Arc<dyn Store> {
    Arc::new(Shared::over(redis.link()))
}

fn vault(redis: &RedisServer) -> Vault {
    let sealer = Sealer::new(KeyRing::new(&[KEY]), Random::system());
    Vault::over(store(redis), sealer, Clock::manual(NOW))
}

fn claiming(later: u64) -> Claim {
    let now = NOW.plus(later);
    Claim {
        environment: "sod".to_owned(),
        client_id: "0123456789abcdef".to_owned(),
        now,
        until: now.plus(60),
        most: 8,
    }
}

fn letter(tenant: usize, id: String) -> Letter {
    let tenant = format!("Cust{tenant}");
    let (environment, client_id) = ("sod".to_owned(), "0123456789abcdef".to_owned());
    let name = Name { environment, client_id, tenant };
    Letter { id, name, written: NOW, sealed: "sealed".to_owned() }
}

/// How many commands Redis has carried out, those of scripts one by one.
fn commands(redis: &RedisServer) -> u64 {
    let said = redis.ask(&["INFO", "commandstats"]);
    let calls = said.lines().filter_map(|line| line.split("calls=").nth(1)?.split(',').next());
    calls.map(|calls| calls.parse::<u64>().unwrap()).sum()
}

#[tokio::test]
async fn of_ten_thousand_tenants_that_wait_a_claim_looks_at_those_it_takes_alone() {
    let Some(redis) = RedisServer::start() else { return };
    let store = store(&redis);
    let all = (0..MOST_LETTERS).map(|tenant| letter(tenant, format!("evt_{tenant}"))).collect();
    store.write(Vec::new(), all).await.unwrap();
    let mut costs = Vec::new();
    for round in 0..4 {
        let before = commands(&redis);
        let claimed = store.claim(claiming(round)).await.unwrap();
        costs.push(commands(&redis) - before);
        assert_eq!(claimed.len(), 8);
    }
    let before = commands(&redis);
    assert_eq!(store.backlog().await.unwrap().letters, MOST_LETTERS);
    costs.push(commands(&redis) - before);
    println!("commands: {costs:?}");
    assert!(costs.iter().all(|cost| *cost < 80), "{costs:?}");
}

#[tokio::test]
async fn two_processes_over_one_redis_tell_each_tenant_s_letters_once_and_in_order() {
    let Some(redis) = RedisServer::start() else { return };
    let (tenants, each) = (40, 5);
    let first = store(&redis);
    let ids = (0..each).flat_map(|number| (0..tenants).map(move |tenant| (tenant, number)));
    let letters = ids.map(|(tenant, number)| letter(tenant, format!("{number}"))).collect();
    first.write(Vec::new(), letters).await.unwrap();
    let told: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
    let carriers = [first.clone(), store(&redis)].map(|store| {
        let told = told.clone();
        tokio::spawn(async move {
            for round in 0.. {
                let claimed = store.claim(claiming(0)).await.unwrap();
                if claimed.is_empty() && store.backlog().await.unwrap().letters == 0 {
                    break;
                }
                for (at, waiting) in claimed.into_iter().enumerate() {
                    // Some are not taken at first.
                    if waiting.tries == 1 && (round + at) % 3 == 0 {
                        assert!(store.put_off(waiting, NOW).await.unwrap());
                        continue;
                    }
                    let Letter { name, id, .. } = waiting.letter.clone();
                    // The next one can be claimed only once this one is taken.
                    told.lock().unwrap().push((name.tenant, id));
                    assert!(store.taken(waiting).await.unwrap());
                }
            }
        })
    });
    for carrier in carriers {
        carrier.await.unwrap();
    }
    let mut by_tenant: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (tenant, id) in told.lock().unwrap().drain(..) {
        by_tenant.entry(tenant).or_default().push(id);
    }
    assert_eq!(by_tenant.len(), tenants);
    for (tenant, ids) in by_tenant {
        assert_eq!(ids, ["0", "1", "2", "3", "4"], "{tenant}");
    }
    assert_eq!(first.check().await.unwrap(), [""; 0]);
}

const LETTERS: &str = "test:vault:{vault}:letters";
const STATES: &str = "test:vault:{vault}:states";

/// What somebody does to the first letter of three.
const HARM: [&[&str]; 6] = [
    &["HSET", LETTERS, "1", "nothing of ours"],
    &["HSET", LETTERS, "1", ""],
    &["HDEL", LETTERS, "1"],
    &["HSET", STATES, "1", "soon"],
    &["HDEL", STATES, "1"],
    &["DEL", "test:vault:{vault}:due"],
];

#[tokio::test]
async fn a_damaged_letter_is_set_aside_and_the_next_of_its_tenant_goes_on() {
    for harm in HARM {
        let Some(redis) = RedisServer::start_keeping() else { return };
        let vault = vault(&redis);
        for (tenant, version) in [(1, 1), (1, 2), (2, 1)] {
            vault.install(entry(tenant, version), Telling::App).await.unwrap();
        }
        redis.ask(harm);
        let claimed = vault.claim(claiming(0)).await.unwrap();
        let fine =
            |claimed: &[(_, Result<_, _>)]| claimed.iter().filter(|one| one.1.is_ok()).count();
        if harm[0] == "DEL" {
            assert_eq!((claimed.len(), fine(&claimed)), (2, 2), "made anew");
            continue;
        }
        assert_eq!((claimed.len(), fine(&claimed)), (2, 1), "{harm:?}");
        let (damaged, _) = claimed.iter().find(|(_, event)| event.is_err()).unwrap();
        assert_eq!((damaged.due, &*damaged.letter.name.tenant), (NEVER, "Cust1"), "{harm:?}");
        assert!(vault.set_aside(damaged.clone()).await.unwrap());
        let next = vault.claim(claiming(0)).await.unwrap();
        assert_eq!(next.len(), 1, "{harm:?}");
        assert!(next[0].1.is_ok() && next[0].0.number == 2, "{harm:?}");
        let verified = vault.verify().await.unwrap();
        assert_eq!((verified.letters, verified.aside), (2, 1), "{harm:?}");
        assert_eq!(verified.faults.len(), 1, "{harm:?}: {:?}", verified.faults);
        assert!(verified.faults[0].words.contains("set aside"), "{:?}", verified.faults);
        assert_eq!(vault.backlog().await.unwrap().aside, 1);
        vault.install(entry(1, 3), Telling::App).await.unwrap();
        let apart = vault.aside().await.unwrap().remove(0);
        assert!(vault.taken(apart).await.unwrap());
        assert_eq!(vault.verify().await.unwrap().faults, [], "{harm:?}");
    }
}

#[tokio::test]
async fn a_letter_that_another_seal_was_put_into_is_set_aside_by_whoever_opens_it() {
    let Some(redis) = RedisServer::start() else { return };
    let vault = vault(&redis);
    vault.install(entry(1, 1), Telling::App).await.unwrap();
    vault.install(entry(1, 2), Telling::App).await.unwrap();
    let second = redis.ask(&["--raw", "HGET", LETTERS, "2"]);
    let sealed = second.split("\"sealed\":\"").nth(1).unwrap().split('"').next().unwrap();
    let change = "local was = redis.call('HGET', KEYS[1], '1') \
                  local now = string.gsub(was, '\"sealed\":\"[^\"]*', '\"sealed\":\"' .. ARGV[1]) \
                  redis.call('HSET', KEYS[1], '1', now)";
    redis.ask(&["EVAL", change, "1", LETTERS, sealed]);
    let (damaged, event) = vault.claim(claiming(0)).await.unwrap().remove(0);
    assert!(event.is_err() && damaged.due != NEVER);
    assert!(vault.set_aside(damaged).await.unwrap());
    let (next, event) = vault.claim(claiming(0)).await.unwrap().remove(0);
    assert!(event.is_ok() && next.number == 2);
    assert_eq!(vault.aside().await.unwrap()[0].letter.name, Name::from(&key(1)));
}

#[tokio::test]
async fn where_the_outbox_has_gone_a_claim_says_so() {
    let Some(redis) = RedisServer::start() else { return };
    let vault = vault(&redis);
    vault.install(entry(1, 1), Telling::App).await.unwrap();
    redis.ask(&["DEL", "test:vault:{vault}:lines"]);
    let failed = vault.claim(claiming(0)).await.unwrap_err();
    assert!(matches!(failed, VaultFailed::Corrupt(_)), "{failed}");
}
