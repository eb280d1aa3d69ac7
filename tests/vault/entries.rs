//! What may be kept, and what a vault in memory and a new configuration do.

use std::time::Duration;

use superid_gateway::clock::Clock;
use superid_gateway::config::{self, VaultPlace};
use superid_gateway::crypto::{KeyRing, Random, SealedBy};
use superid_gateway::vault::{Entry, PAGE, Telling, Vault, VaultFailed};

use crate::kinds::{Kind, each_kind};
use crate::world::{Folder, KEY, NOW, OTHER_KEY, entry, key, open, open_at, token, until};

#[tokio::test]
async fn what_is_kept_outlives_the_process_and_nobody_else_can_read_its_file() {
    let folder = Folder::new();
    folder.vault().put(entry(1, 1)).await.unwrap();
    let vault = folder.vault();
    assert_eq!(token(vault.get(&key(1)).await.unwrap()), "Our App-1-1");
    #[cfg(unix)]
    for file in std::fs::read_dir(folder.path()).unwrap() {
        use std::os::unix::fs::MetadataExt as _;
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600, "{file:?}");
    }
}

#[tokio::test]
async fn nothing_of_a_token_is_in_the_files() {
    let folder = Folder::new();
    let vault = folder.vault();
    vault.put(entry(1, 1)).await.unwrap();
    let mut files = 0;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for part in ["Our App", "admin@example", "1000001", "/api/"] {
            assert!(!bytes.windows(part.len()).any(|window| window == part.as_bytes()), "{part}");
        }
        files += 1;
    }
    assert_eq!(files, 3, "the file, its log and the log's index");
}

#[tokio::test]
async fn fields_have_lengths_and_what_is_too_long_changes_nothing() {
    let folder = Folder::new();
    let vault = folder.vault();
    vault.put(entry(1, 1)).await.unwrap();
    let long = |length| "x".repeat(length);
    let wrong = [
        Entry { serial: String::new(), ..entry(1, 2) },
        Entry { serial: long(65), ..entry(1, 2) },
        Entry { web_api_url: Some(long(2_049)), ..entry(1, 2) },
        Entry { consented_by: long(321), ..entry(1, 2) },
    ];
    for entry in wrong {
        assert!(matches!(vault.put(entry.clone()).await, Err(VaultFailed::Length { .. })));
        assert!(matches!(vault.put_all(&[entry]).await, Err(VaultFailed::Length { .. })));
    }
    assert_eq!(token(vault.get(&key(1)).await.unwrap()), "Our App-1-1");
}

#[tokio::test]
async fn the_same_tenant_of_another_app_or_environment_is_another_entry() {
    let folder = Folder::new();
    let vault = folder.vault();
    let (one, mut app, mut environment) = (entry(1, 1), entry(1, 2), entry(1, 3));
    app.key.client_id = "another".into();
    environment.key.environment = "online".into();
    vault.put_all(&[one, app.clone(), environment.clone()]).await.unwrap();
    assert_eq!(token(vault.get(&key(1)).await.unwrap()), "Our App-1-1");
    assert_eq!(token(vault.get(&app.key).await.unwrap()), "Our App-1-2");
    assert_eq!(token(vault.get(&environment.key).await.unwrap()), "Our App-1-3");
}

#[tokio::test]
async fn what_slept_too_long_goes_when_the_next_entry_is_put() {
    let folder = Folder::new();
    let vault = folder.vault();
    vault.put(entry(1, 1)).await.unwrap();
    vault.sleep(&key(1), NOW, Telling::Nobody).await.unwrap();
    let later = open_at(&folder.file(), &[KEY], Clock::manual(NOW.plus(31 * 86_400))).unwrap();
    assert_eq!(later.prune().await.unwrap(), 1);
    assert!(vault.look(&key(1)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_list_has_nothing_that_slept_too_long() {
    let clock = Clock::manual(NOW);
    for Kind { name, vault, .. } in each_kind(&clock) {
        clock.set(NOW);
        vault.put_all(&[entry(1, 1), entry(2, 1)]).await.unwrap();
        vault.sleep(&key(1), NOW, Telling::Nobody).await.unwrap();
        assert_eq!(vault.list(None).await.unwrap().items.len(), 2, "{name}");
        clock.set(NOW.plus(30 * 86_400));
        let left = vault.list(None).await.unwrap().items;
        assert_eq!(left.iter().map(|one| one.name.key()).collect::<Vec<_>>(), [Some(key(2))]);
        assert!(vault.look(&key(1)).await.unwrap().is_none(), "{name}");
    }
}

#[tokio::test]
async fn what_slept_too_long_goes_when_the_gateway_starts_and_while_it_runs() {
    let clock = Clock::manual(NOW);
    for Kind { name, vault, .. } in each_kind(&clock) {
        clock.set(NOW);
        vault.put_all(&[entry(1, 1), entry(2, 1)]).await.unwrap();
        vault.sleep(&key(1), NOW, Telling::Nobody).await.unwrap();
        vault.sleep(&key(2), NOW.plus(86_400), Telling::Nobody).await.unwrap();
        clock.set(NOW.plus(30 * 86_400));
        let a_day = Duration::from_secs(86_400);
        let at_the_start = vault.clone().tended(a_day);
        until(async || vault.look(&key(1)).await.unwrap().is_none()).await;
        assert!(vault.look(&key(2)).await.unwrap().is_some(), "{name}");
        drop(at_the_start);
        let tended = vault.clone().tended(Duration::from_millis(5));
        clock.set(NOW.plus(31 * 86_400));
        until(async || vault.look(&key(2)).await.unwrap().is_none()).await;
        drop(tended);
    }
}

#[tokio::test]
async fn more_than_a_page_of_sleepers_go_at_once() {
    let clock = Clock::manual(NOW);
    for Kind { name, vault, .. } in each_kind(&clock) {
        clock.set(NOW);
        let asleep = |tenant| Entry { dormant: Some(NOW), ..entry(tenant, 1) };
        let entries: Vec<Entry> = (0..PAGE as u32 + 10).map(asleep).collect();
        vault.put_all(&entries).await.unwrap();
        clock.set(NOW.plus(30 * 86_400));
        assert_eq!(vault.prune().await.unwrap(), entries.len(), "{name}");
    }
}

#[tokio::test]
async fn a_new_configuration_keeps_what_is_in_memory_and_brings_its_keys() {
    let settings =
        |keys: &[[u8; 32]]| config::Vault { place: VaultPlace::Memory, keys: KeyRing::new(keys) };
    let clock = Clock::manual(NOW);
    let vault = Vault::open(&settings(&[KEY]), clock, Random::system()).unwrap();
    vault.put(entry(1, 1)).await.unwrap();
    let new = vault.reopened(&settings(&[OTHER_KEY, KEY]), Random::system()).unwrap();
    assert_eq!(token(new.get(&key(1)).await.unwrap()), "Our App-1-1");
    let summary = new.list(None).await.unwrap().items[0].found.clone().unwrap();
    assert_eq!(summary.sealed_by, SealedBy::Older);
}

#[tokio::test]
async fn a_list_has_everything_but_the_token() {
    let folder = Folder::new();
    let vault = folder.vault();
    vault.put(entry(1, 1)).await.unwrap();
    let page = vault.list(None).await.unwrap();
    assert!(vault.list(page.after).await.unwrap().after.is_none());
    let summary = page.items[0].found.clone().unwrap();
    assert_eq!((summary.key.clone(), summary.serial.as_str()), (key(1), "1000001"));
    assert!(!format!("{summary:?}").contains("Our App"));
    assert!(!format!("{:?}", entry(1, 1)).contains("Our App"));
    let stranger = open(&folder.file(), &[OTHER_KEY]).unwrap();
    assert!(stranger.list(None).await.unwrap().items[0].found.is_err());
}
