//! The vault in Redis: what it outlives, what it tells apart, and what it says of Redis' settings.

use std::sync::Arc;

use superid_gateway::clock::Clock;
use superid_gateway::config::{self, Redis, RedisAddress, VaultPlace};
use superid_gateway::crypto::{KeyRing, Random, Secret};
use superid_gateway::redis_link::{Kept, LinkFailed, RedisLink, Script};
use superid_gateway::vault::{Name, Sealer, Shared, Store, Telling, Vault, VaultFailed};
use tokio::task::JoinSet;

use crate::lossy::Lossy;
use crate::redis_server::RedisServer;
use crate::world::{KEY, NOW, OTHER_KEY, entry, key, token, until};

#[tokio::test]
async fn what_redis_acknowledged_is_there_after_redis_was_killed() {
    let Some(mut redis) = RedisServer::start_keeping() else { return };
    let vault = vault(&redis);
    for round in 1..=10 {
        let writing = tokio::spawn(write_until_it_fails(vault.clone(), round));
        until(async || vault.get(&key(round)).await.is_ok_and(|entry| entry.is_some())).await;
        redis.kill();
        let acknowledged = writing.await.unwrap();
        redis.restart();
        until(async || vault.get(&key(round)).await.is_ok()).await;
        let found = token(vault.get(&key(round)).await.unwrap());
        let version: u32 = found.rsplit('-').next().unwrap().parse().unwrap();
        // One more may have been written, and its answer lost.
        assert!(version == acknowledged || version == acknowledged + 1, "{found}, {acknowledged}");
    }
    let verified = vault.verify().await.unwrap();
    assert_eq!((verified.opened, verified.faults), (10, vec![]));
}

async fn write_until_it_fails(vault: Vault, tenant: u32) -> u32 {
    for version in 1.. {
        if vault.put(entry(tenant, version)).await.is_err() {
            return version - 1;
        }
    }
    0
}

#[tokio::test]
async fn an_outage_is_never_taken_for_an_entry_that_is_not_there() {
    let Some(mut redis) = RedisServer::start_keeping() else { return };
    let vault = vault(&redis);
    vault.put(entry(1, 1)).await.unwrap();
    redis.kill();
    until(async || {
        let failed = vault.get(&key(1)).await.unwrap_err();
        assert!(matches!(failed, VaultFailed::Redis(_) | VaultFailed::TooLate), "{failed:?}");
        matches!(failed, VaultFailed::Redis(LinkFailed::Down(_)))
    })
    .await;
    let failed = vault.get(&key(2)).await.unwrap_err();
    assert!(failed.to_string().contains("redis cannot be reached"), "{failed}");
    assert!(matches!(vault.put(entry(1, 2)).await, Err(VaultFailed::Redis(LinkFailed::Down(_)))));
    assert!(vault.forget(&key(1)).await.is_err() && vault.list(None).await.is_err());
    redis.restart();
    until(async || vault.get(&key(1)).await.is_ok()).await;
    assert_eq!(token(vault.get(&key(1)).await.unwrap()), "Our App-1-1");
    vault.put(entry(1, 2)).await.unwrap();
    redis.freeze();
    let failed = vault.put(entry(1, 3)).await.unwrap_err();
    assert!(matches!(failed, VaultFailed::TooLate), "it may be written yet: {failed:?}");
    redis.thaw();
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_not_made_twice_and_is_told_as_it_was() {
    let Some(redis) = RedisServer::start() else { return };
    let lossy = Lossy::before(&redis.socket());
    let address = RedisAddress::Unix(lossy.socket.clone());
    let store = store(&Redis { address, ..redis.config() });
    let vault = Vault::over(store.clone(), sealer(), Clock::manual(NOW));
    lossy.lose_the_next_answer();
    vault.put(entry(1, 1)).await.unwrap();
    assert!(lossy.has_lost_it());
    lossy.lose_the_next_answer();
    assert!(vault.sleep(&key(1), NOW, Telling::Nobody).await.unwrap());
    assert!(lossy.has_lost_it());
    let record = store.read(&Name::from(&key(1))).await.unwrap().unwrap();
    lossy.lose_the_next_answer();
    assert!(store.swap(record, None, None).await.unwrap());
    assert!(lossy.has_lost_it());
    vault.put(entry(1, 2)).await.unwrap();
    lossy.lose_the_next_answer();
    assert!(vault.forget(&key(1)).await.unwrap(), "it was there");
    assert!(lossy.has_lost_it());
    assert!(!vault.forget(&key(1)).await.unwrap());
    assert_eq!(store.check().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn of_many_that_change_one_entry_at_once_exactly_one_does() {
    let Some(redis) = RedisServer::start() else { return };
    let stores = [store(&redis.config()), store(&redis.config())];
    let vault = Vault::over(stores[0].clone(), sealer(), Clock::manual(NOW));
    for round in 0..20 {
        vault.put(entry(1, round)).await.unwrap();
        let mut racing = JoinSet::new();
        for number in 0..20 {
            let vault = Vault::over(stores[number % 2].clone(), sealer(), Clock::manual(NOW));
            racing.spawn(async move { vault.sleep(&key(1), NOW, Telling::Nobody).await.unwrap() });
        }
        let won = racing.join_all().await.into_iter().filter(|won| *won).count();
        assert_eq!(won, 1, "round {round}");
    }
}

#[tokio::test]
async fn where_a_part_has_gone_nothing_is_taken_for_missing_and_nothing_is_written() {
    for part in ["head", "entries", "names"] {
        let Some(redis) = RedisServer::start() else { return };
        let vault = vault(&redis);
        vault.put_all(&[entry(1, 1), entry(2, 1)]).await.unwrap();
        redis.ask(&["DEL", &format!("test:vault:{{vault}}:{part}")]);
        let is_damaged = |failed: Option<VaultFailed>| {
            let failed = failed.unwrap_or_else(|| panic!("{part}"));
            assert!(matches!(failed, VaultFailed::Corrupt(_)), "{part}: {failed:?}");
        };
        is_damaged(vault.get(&key(3)).await.err());
        is_damaged(vault.put(entry(3, 1)).await.err());
        is_damaged(vault.forget(&key(1)).await.err());
        let verified = vault.verify().await.unwrap();
        assert!(verified.faults[0].words.contains("there should be"), "{part}: {verified:?}");
        if part == "entries" {
            is_damaged(vault.get(&key(1)).await.err());
            is_damaged(vault.list(None).await.err());
            continue;
        }
        assert_eq!(token(vault.get(&key(1)).await.unwrap()), "Our App-1-1", "{part}");
        let page = vault.list(None).await.unwrap();
        assert_eq!(page.items.len(), 2, "what is there can be exported");
        assert!(vault.list(page.after).await.unwrap().items.is_empty());
    }
}

#[tokio::test]
async fn when_redis_has_no_memory_left_nothing_changes_but_what_is_forgotten() {
    let Some(redis) = RedisServer::start() else { return };
    let vault = vault(&redis);
    vault.put_all(&[entry(1, 1), entry(2, 1)]).await.unwrap();
    redis.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    let full = |failed: VaultFailed| {
        assert!(matches!(failed, VaultFailed::Redis(LinkFailed::OutOfMemory(_))), "{failed:?}");
    };
    full(vault.put(entry(1, 2)).await.unwrap_err());
    full(vault.put_all(&[entry(2, 2), entry(3, 1)]).await.unwrap_err());
    full(vault.sleep(&key(1), NOW, Telling::Nobody).await.unwrap_err());
    assert_eq!(token(vault.get(&key(1)).await.unwrap()), "Our App-1-1");
    assert!(vault.get(&key(3)).await.unwrap().is_none());
    assert!(vault.forget(&key(2)).await.unwrap());
    assert!(vault.get(&key(2)).await.unwrap().is_none());
    redis.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    vault.put(entry(2, 3)).await.unwrap();
    assert_eq!(vault.check().await.unwrap(), []);
}

#[tokio::test]
async fn settings_that_lose_entries_are_named_by_verify() {
    let Some(redis) = RedisServer::start_keeping() else { return };
    let store = store(&redis.config());
    assert_eq!(store.concerns().await.unwrap(), [""; 0]);
    let vault = Vault::over(store, sealer(), Clock::manual(NOW));
    for (setting, bad, good) in
        [("maxmemory-policy", "allkeys-lru", "noeviction"), ("appendonly", "no", "yes")]
    {
        redis.ask(&["CONFIG", "SET", setting, bad]);
        let faults = vault.verify().await.unwrap().faults;
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].words.contains(&format!("{setting} {good}")), "{faults:?}");
        assert!(vault.check().await.unwrap().is_empty(), "no entry is missing for it");
        redis.ask(&["CONFIG", "SET", setting, good]);
    }
}

#[tokio::test]
async fn where_redis_can_tell_a_write_waits_until_it_is_in_the_file() {
    let Some(redis) = RedisServer::start_keeping() else { return };
    redis.ask(&["CONFIG", "SET", "appendfsync", "everysec"]);
    let vault = vault(&redis);
    vault.put(entry(1, 1)).await.unwrap();
    assert_eq!(token(vault.get(&key(1)).await.unwrap()), "Our App-1-1");
    let can_tell = redis.link().tells_when_synced().await.unwrap();
    println!("WAITAOF: {can_tell}");
    let asked = redis.ask(&["INFO", "commandstats"]).contains("cmdstat_waitaof");
    assert_eq!(asked, can_tell);
}

#[tokio::test]
async fn what_lies_in_redis_opens_under_its_own_name_and_key_alone() {
    let Some(redis) = RedisServer::start() else { return };
    let vault = vault(&redis);
    vault.put_all(&[entry(1, 1), entry(2, 1)]).await.unwrap();
    let all = redis.ask(&["HGETALL", ENTRIES]);
    assert!(all.contains("Cust1"), "{all}");
    for secret in ["Our App", "admin@example", "1000001", "/api/"] {
        assert!(!all.contains(secret), "{secret}");
    }
    for name in redis.ask(&["KEYS", "*"]).lines() {
        assert!(name.starts_with("test:vault:{vault}:"), "{name}");
        // Notes of changes made go; entries do not.
        assert_eq!(redis.ask(&["TTL", name]).trim() == "-1", !name.contains(":done:"), "{name}");
    }
    let stranger = Sealer::new(KeyRing::new(&[OTHER_KEY]), Random::system());
    let stranger = Vault::over(store(&redis.config()), stranger, Clock::manual(NOW));
    let failed = stranger.get(&key(1)).await.unwrap_err();
    assert!(failed.to_string().contains("is sealed with a key that is not in vault.keys"));
    // Somebody who may write puts one tenant's token where another's belongs.
    let move_it = "redis.call('HSET', KEYS[1], ARGV[1], redis.call('HGET', KEYS[1], ARGV[2]))";
    let field = |tenant| format!("sod\0{}\0Cust{tenant}", "0123456789abcdef");
    raw(&redis, move_it, &[field(1), field(2)]).await;
    let failed = vault.get(&key(1)).await.unwrap_err();
    assert!(failed.to_string().contains("is damaged"), "{failed}");
    assert_eq!(token(vault.get(&key(2)).await.unwrap()), "Our App-2-1");
}

#[tokio::test]
async fn a_later_version_s_vault_is_left_alone() {
    let Some(redis) = RedisServer::start() else { return };
    let vault = vault(&redis);
    vault.put(entry(1, 1)).await.unwrap();
    redis.ask(&["HSET", "test:vault:{vault}:head", "format", "2"]);
    for failed in [vault.put(entry(1, 2)).await.err(), vault.get(&key(1)).await.err()] {
        assert!(matches!(failed, Some(VaultFailed::Newer { found: 2, .. })), "{failed:?}");
    }
}

#[tokio::test]
async fn a_user_with_the_documented_commands_alone_is_enough() {
    let Some(redis) = RedisServer::start_keeping() else { return };
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/redis.md");
    let page = std::fs::read_to_string(page).unwrap();
    for line in page.split("ACL SETUSER").skip(1).take(2) {
        let line = line.split("```").next().unwrap();
        let line = line.replace(">PASSWORD", ">right").replace("~superid-gateway:*", "~test:*");
        let words = ["ACL", "SETUSER"].into_iter().chain(line.split_whitespace());
        assert_eq!(redis.ask(&words.collect::<Vec<_>>()).trim(), "OK");
    }
    let mut config = redis.config();
    config.username = Some("gateway".to_owned());
    config.password = Some(Secret::new("right".to_owned()));
    let store = store(&config);
    let vault = Vault::over(store.clone(), sealer(), Clock::manual(NOW));
    vault.put(entry(1, 1)).await.unwrap();
    assert!(
        vault.sleep(&key(1), NOW, Telling::Nobody).await.unwrap()
            && vault.wake(&key(1), Telling::Nobody).await.unwrap()
    );
    assert_eq!(vault.verify().await.unwrap().faults, []);
    assert_eq!(vault.prune().await.unwrap(), 0);
    assert!(vault.forget(&key(1)).await.unwrap());
    redis.ask(&["DEL", "test:vault:{vault}:head"]);
    assert_eq!(vault.list(None).await.unwrap().items.len(), 0);
    vault.put(entry(2, 1)).await.unwrap();
    redis.ask(&["DEL", "test:vault:{vault}:names"]);
    assert_eq!(vault.list(None).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn a_large_import_is_one_change_and_verified_in_pages() {
    let Some(redis) = RedisServer::start_keeping() else { return };
    let vault = vault(&redis);
    let entries: Vec<_> = (0..2_000).map(|tenant| entry(tenant, 1)).collect();
    vault.put_all(&entries).await.unwrap();
    let stats = redis.ask(&["INFO", "commandstats"]);
    println!("2,000 entries: {}", stats.lines().find(|line| line.contains("_eval:")).unwrap());
    let verified = vault.verify().await.unwrap();
    assert_eq!((verified.opened, verified.faults), (2_000, vec![]));
}

#[tokio::test]
async fn a_configuration_opens_it_without_waiting_for_redis() {
    let Some(mut redis) = RedisServer::start() else { return };
    redis.kill();
    let place = VaultPlace::Redis(Box::new(redis.config()));
    let settings = config::Vault { place, keys: KeyRing::new(&[KEY]) };
    let vault = Vault::open(&settings, Clock::manual(NOW), Random::system()).unwrap();
    assert!(vault.put(entry(1, 1)).await.is_err());
    redis.restart();
    until(async || vault.put(entry(1, 1)).await.is_ok()).await;
}

/// Carries a script out whose arguments have zero bytes, which no command line takes.
async fn raw(redis: &RedisServer, text: &str, arguments: &[String]) {
    let arguments = arguments.iter().map(|one| one.clone().into_bytes()).collect();
    let names = ["vault:{vault}:entries"];
    let link = redis.link();
    let patience = superid_gateway::redis_link::COMMAND;
    let text = format!("{text} return {{'done'}}");
    let script = Script { text: &text, names: &names, arguments, patience, kept: Kept::InMemory };
    link.run_script(script).await.unwrap();
}

fn vault(redis: &RedisServer) -> Vault {
    Vault::over(store(&redis.config()), sealer(), Clock::manual(NOW))
}

fn store(config: &Redis) -> Arc<dyn Store> {
    Arc::new(Shared::over(RedisLink::open(config, Random::system()).unwrap()))
}

fn sealer() -> Sealer {
    Sealer::new(KeyRing::new(&[KEY]), Random::system())
}

const ENTRIES: &str = "test:vault:{vault}:entries";
