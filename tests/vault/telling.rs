//! What an app is to hear of is in the vault with what it is about, or neither is.

use std::sync::Arc;

use superid_gateway::clock::Clock;
use superid_gateway::config;
use superid_gateway::config::VaultPlace;
use superid_gateway::crypto::{KeyRing, Random};
use superid_gateway::vault::{
    Claim, EventKind, Letter, MOST_LETTERS, Memory, Name, Sealer, Store, Telling, Unopened, Vault,
    VaultFailed,
};

use crate::world::{Folder, KEY, NOW, OTHER_KEY, entry, key, open, token, wait};

fn kinds(vault: &Vault) -> Vec<EventKind> {
    let letters = wait(vault.letters()).unwrap();
    letters.into_iter().map(|(_, event)| event.unwrap().kind).collect()
}

#[test]
fn an_event_says_what_changed_and_outlives_the_process() {
    let folder = Folder::new();
    let vault = folder.vault();
    wait(vault.install(entry(1, 1), Telling::App)).unwrap();
    wait(vault.install(entry(1, 2), Telling::App)).unwrap();
    assert!(wait(vault.sleep(&key(1), NOW, Telling::App)).unwrap());
    assert!(!wait(vault.sleep(&key(1), NOW, Telling::App)).unwrap(), "told once");
    wait(vault.install(entry(1, 3), Telling::App)).unwrap();
    wait(vault.sleep(&key(1), NOW, Telling::Nobody)).unwrap();
    assert!(wait(vault.wake(&key(1), Telling::App)).unwrap());
    assert!(wait(vault.uninstall(&key(1), "boss@example.com", Telling::App)).unwrap());
    assert!(!wait(vault.uninstall(&key(1), "boss@example.com", Telling::App)).unwrap());
    wait(vault.install(entry(2, 1), Telling::Nobody)).unwrap();
    drop(vault);
    folder.closed();
    let vault = folder.vault();
    use EventKind::{Dormant, Installed, Restored, TokenReplaced, Uninstalled};
    let all = [Installed, TokenReplaced, Dormant, Restored, Restored, Uninstalled];
    assert_eq!(kinds(&vault), all);
    let (_, last) = wait(vault.letters()).unwrap().pop().unwrap();
    let last = last.unwrap();
    assert_eq!(
        (last.by.as_deref(), last.serial.as_deref()),
        (Some("boss@example.com"), Some("1000001"))
    );
    assert!(wait(vault.check()).unwrap().is_empty());
}

#[test]
fn a_full_outbox_refuses_an_install_whose_old_token_stands_and_never_an_uninstall() {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let sealer = Sealer::new(KeyRing::new(&[KEY]), Random::system());
    let vault = Vault::over(store.clone(), sealer, Clock::manual(NOW));
    wait(vault.put(entry(1, 1))).unwrap();
    let letter = |number: usize| Letter {
        id: number.to_string(),
        name: Name::from(&key(9)),
        written: NOW,
        sealed: String::new(),
    };
    wait(store.write(Vec::new(), (0..MOST_LETTERS).map(letter).collect())).unwrap();
    for tenant in [1, 2] {
        let failed = wait(vault.install(entry(tenant, 2), Telling::App)).unwrap_err();
        assert!(matches!(failed, VaultFailed::OutboxFull), "{failed}");
    }
    let failed = wait(vault.sleep(&key(1), NOW, Telling::App)).unwrap_err();
    assert!(matches!(failed, VaultFailed::OutboxFull), "{failed}");
    assert_eq!(token(wait(vault.get(&key(1))).unwrap()), "Our App-1-1");
    assert!(wait(vault.look(&key(2))).unwrap().is_none());
    assert!(wait(vault.uninstall(&key(1), "boss", Telling::App)).unwrap());
    assert_eq!(wait(vault.backlog()).unwrap().letters, MOST_LETTERS + 1);
}

#[test]
fn an_event_opens_with_its_key_alone_and_is_sealed_anew_by_a_rewrap() {
    let folder = Folder::new();
    wait(folder.vault().install(entry(1, 1), Telling::App)).unwrap();
    folder.closed();
    let stranger = open(&folder.file(), &[OTHER_KEY]).unwrap();
    let (_, event) = wait(stranger.letters()).unwrap().pop().unwrap();
    assert_eq!(event.unwrap_err(), Unopened::KeyMissing);
    assert_eq!(wait(stranger.verify()).unwrap().faults.len(), 2, "the entry and the event");
    drop(stranger);
    let both = open(&folder.file(), &[OTHER_KEY, KEY]).unwrap();
    let done = wait(both.rewrap(|_| {})).unwrap();
    assert_eq!((done.anew, done.letters, done.left.len()), (1, 1, 0));
    assert_eq!(wait(both.rewrap(|_| {})).unwrap().letters, 0);
    drop(both);
    let stranger = open(&folder.file(), &[OTHER_KEY]).unwrap();
    assert_eq!(kinds(&stranger), [EventKind::Installed]);
    assert!(wait(stranger.verify()).unwrap().faults.is_empty());
}

#[test]
fn a_letter_that_was_moved_or_changed_tells_nothing() {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let sealer = Sealer::new(KeyRing::new(&[KEY]), Random::system());
    let vault = Vault::over(store.clone(), sealer, Clock::manual(NOW));
    wait(vault.install(entry(1, 1), Telling::App)).unwrap();
    let letter = wait(store.letters(None)).unwrap().remove(0).letter;
    let moved = [
        Letter { name: Name::from(&key(2)), ..letter.clone() },
        Letter { id: "evt_another".to_owned(), ..letter.clone() },
        Letter { written: NOW.plus(1), ..letter.clone() },
    ];
    wait(store.write(Vec::new(), moved.to_vec())).unwrap();
    let opened = wait(vault.letters()).unwrap().into_iter().map(|(_, event)| event.is_ok());
    assert_eq!(opened.collect::<Vec<_>>(), [true, false, false, false]);
}

#[test]
fn a_vault_of_the_first_format_is_brought_up_and_keeps_what_it_has() {
    let folder = Folder::new();
    wait(folder.vault().put(entry(1, 1))).unwrap();
    folder.closed();
    let old = "DROP TABLE letters; ALTER TABLE tally DROP COLUMN letters; PRAGMA user_version = 1";
    rusqlite::Connection::open(folder.file()).unwrap().execute_batch(old).unwrap();
    folder.closed();
    let vault = folder.vault();
    assert_eq!(token(wait(vault.get(&key(1))).unwrap()), "Our App-1-1");
    wait(vault.install(entry(1, 2), Telling::App)).unwrap();
    assert_eq!(kinds(&vault), [EventKind::TokenReplaced]);
    assert!(wait(vault.verify()).unwrap().faults.is_empty());
}

#[test]
fn two_processes_that_claim_at_once_are_never_given_the_same_letter() {
    let folder = Folder::new();
    let place = VaultPlace::File(folder.file());
    let settings = config::Vault { place, keys: KeyRing::new(&[KEY]) };
    let open = || Vault::open(&settings, Clock::manual(NOW), Random::system()).unwrap();
    let vault = open();
    for tenant in 1..=40 {
        wait(vault.install(entry(tenant, 1), Telling::App)).unwrap();
    }
    let claimers = (0..2).map(|_| {
        let vault = open();
        std::thread::spawn(move || {
            let claim = Claim {
                environment: "sod".to_owned(),
                client_id: "0123456789abcdef".to_owned(),
                now: NOW,
                until: NOW.plus(60),
                most: 3,
            };
            let mut ids = Vec::new();
            loop {
                let claimed = wait(vault.claim(claim.clone())).unwrap();
                if claimed.is_empty() {
                    return ids;
                }
                ids.extend(claimed.into_iter().map(|(waiting, _)| waiting.letter.id));
            }
        })
    });
    let claimers: Vec<_> = claimers.collect();
    let mut ids: Vec<String> = claimers.into_iter().flat_map(|one| one.join().unwrap()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 40);
}
