//! Files that are not what was written: a clear error, never a wrong token, and nothing overwritten.

use std::fs;
use std::path::Path;

use superid_gateway::clock::Clock;
use superid_gateway::identity::TenantKey;
use superid_gateway::vault::{Telling, Unopened, Vault, VaultFailed};

use crate::world::{Folder, KEY, NOW, entry, key, open, token, wait};

const TENANTS: u32 = 40;

#[test]
fn a_flipped_bit_gives_an_error_and_never_a_wrong_token() {
    let bytes = filled().closed();
    let folder = Folder::new();
    let (mut right, mut refused, mut unopened) = (0, 0, 0);
    let step = bytes.len() / 300;
    for (count, at) in (0..bytes.len()).step_by(step).enumerate() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (count % 8);
        remove(folder.path());
        fs::write(folder.file(), &changed).unwrap();
        match open(&folder.file(), &[KEY]) {
            Err(error) => {
                assert!(!matches!(error, VaultFailed::Io { .. }), "{at}: {error}");
                unopened += 1;
            }
            Ok(vault) => {
                let (good, bad) = look(&vault, at);
                right += good;
                refused += bad;
            }
        }
        assert!(fs::read(folder.file()).unwrap() == changed, "byte {at}: the file was written to");
    }
    println!(
        "a bit flipped at 300 places: {unopened} files not opened, {refused} entries refused, \
         {right} right, none wrong, none missing"
    );
    assert!(refused > 0 && right > refused);
}

#[test]
fn a_flipped_bit_in_the_log_beside_the_file_loses_nothing() {
    let folder = filled();
    let vault = folder.vault();
    for tenant in 1..=5 {
        wait(vault.put(entry(tenant, 2))).unwrap();
    }
    let file = fs::read(folder.file()).unwrap();
    let log = fs::read(beside(&folder, "-wal")).unwrap();
    assert!(log.len() > 4_096, "the log is there");
    let copy = Folder::new();
    for (count, at) in (0..log.len()).step_by(log.len() / 100).enumerate() {
        let mut changed = log.clone();
        changed[at] ^= 1 << (count % 8);
        remove(copy.path());
        fs::write(copy.file(), &file).unwrap();
        fs::write(beside(&copy, "-wal"), &changed).unwrap();
        let vault = copy.vault();
        for tenant in 1..=TENANTS {
            let version = if tenant <= 5 { 2 } else { 1 };
            let found = token(wait(vault.get(&key(tenant))).unwrap());
            assert_eq!(found, format!("Our App-{tenant}-{version}"), "byte {at}");
        }
    }
}

#[tokio::test]
async fn a_damaged_entry_is_told_from_others_and_a_new_one_may_take_its_place() {
    let folder = Folder::new();
    let vault = folder.vault();
    for tenant in [1, 2] {
        vault.put(entry(tenant, 1)).await.unwrap();
    }
    vault.sleep(&key(2), NOW, Telling::Nobody).await.unwrap();
    drop(vault);
    let mut bytes = folder.closed();
    let sealed = &fs::read(folder.file()).unwrap();
    let at = find(sealed, b"Cust1").unwrap() + 40;
    bytes[at] ^= 1;
    fs::write(folder.file(), &bytes).unwrap();
    let vault = folder.vault();
    let failed = vault.get(&key(1)).await.unwrap_err();
    assert!(matches!(failed, VaultFailed::Entry { why: Unopened::Damaged, .. }), "{failed}");
    assert!(vault.look(&key(2)).await.unwrap().is_some(), "the other is fine");
    assert!(vault.get(&key(3)).await.unwrap().is_none(), "and what is not there is not there");
    let found = vault.verify().await.unwrap();
    assert_eq!((found.entries, found.opened, found.faults.len()), (2, 1, 1));
    assert_eq!(found.faults[0].words, "is damaged: it is not what was written");
    vault.put(entry(1, 2)).await.unwrap();
    assert_eq!(token(vault.get(&key(1)).await.unwrap()), "Our App-1-2");
    assert!(vault.verify().await.unwrap().faults.is_empty());
}

#[tokio::test]
async fn what_has_a_damaged_name_is_not_taken_for_missing() {
    let folder = Folder::new();
    folder.vault().put(entry(1, 1)).await.unwrap();
    let mut bytes = folder.closed();
    let at = find(&bytes, b"Cust1").unwrap() + 4;
    bytes[at] = b'7';
    fs::write(folder.file(), &bytes).unwrap();
    let vault = folder.vault();
    for wanted in [key(1), key(3)] {
        let failed = vault.get(&wanted).await.unwrap_err();
        assert!(matches!(failed, VaultFailed::Corrupt(_)), "{failed}");
    }
    let failed = vault.get(&key(7)).await.unwrap_err();
    assert!(matches!(failed, VaultFailed::Entry { why: Unopened::Damaged, .. }), "{failed}");
    vault.put(entry(1, 2)).await.unwrap();
    assert_eq!(token(vault.get(&key(1)).await.unwrap()), "Our App-1-2");
}

#[tokio::test]
async fn a_date_of_sleep_that_was_changed_deletes_nothing() {
    let folder = Folder::new();
    let vault = folder.vault();
    vault.put(entry(1, 1)).await.unwrap();
    vault.sleep(&key(1), NOW, Telling::Nobody).await.unwrap();
    drop(vault);
    let mut bytes = folder.closed();
    let at = find(&bytes, &NOW.0.to_be_bytes()[4..]).unwrap();
    bytes[at] = 0;
    fs::write(folder.file(), &bytes).unwrap();
    let later = Clock::manual(NOW.plus(86_400));
    let vault = crate::world::open_at(&folder.file(), &[KEY], later).unwrap();
    assert_eq!(vault.prune().await.unwrap(), 0);
    assert!(vault.look(&key(1)).await.is_err());
}

#[test]
fn a_file_that_is_no_vault_is_left_as_it_is() {
    let folder = Folder::new();
    for bytes in [&b"notes of somebody"[..], &[0; 5_000], &[b'x'; 8_192]] {
        fs::write(folder.file(), bytes).unwrap();
        let failed = open(&folder.file(), &[KEY]).unwrap_err();
        assert!(matches!(failed, VaultFailed::NotAVault), "{failed}");
        assert_eq!(fs::read(folder.file()).unwrap(), bytes);
    }
    let failed = open(folder.path(), &[KEY]).unwrap_err();
    assert!(matches!(failed, VaultFailed::Unopened), "{failed}");
    let failed = open(&folder.path().join("no/vault.db"), &[KEY]).unwrap_err();
    assert!(matches!(failed, VaultFailed::Io { .. }), "{failed}");
}

#[test]
fn a_vault_of_a_later_version_is_left_as_it_is() {
    let folder = Folder::new();
    wait(folder.vault().put(entry(1, 1))).unwrap();
    let mut bytes = folder.closed();
    // The header's user_version, four bytes from 60 (the format of SQLite files, §1.3).
    bytes[60..64].copy_from_slice(&9_u32.to_be_bytes());
    fs::write(folder.file(), &bytes).unwrap();
    let failed = open(&folder.file(), &[KEY]).unwrap_err();
    assert!(matches!(failed, VaultFailed::Newer { found: 9, known: 2 }), "{failed}");
    assert_eq!(fs::read(folder.file()).unwrap(), bytes);
}

/// How many entries are right, and how many refused. Nothing else may be.
fn look(vault: &Vault, at: usize) -> (u32, u32) {
    let (mut right, mut refused) = (0, 0);
    for tenant in 1..=TENANTS {
        let wanted: TenantKey = key(tenant);
        match wait(vault.get(&wanted)) {
            Ok(Some(found)) => {
                let expected = format!("Our App-{tenant}-1");
                assert_eq!(found.token.reveal(), expected, "byte {at}");
                right += 1;
            }
            Ok(None) => panic!("byte {at}: {tenant} is said not to be there"),
            Err(_) => refused += 1,
        }
    }
    (right, refused)
}

fn filled() -> Folder {
    let folder = Folder::new();
    let entries: Vec<_> = (1..=TENANTS).map(|tenant| entry(tenant, 1)).collect();
    wait(folder.vault().put_all(&entries)).unwrap();
    folder
}

fn beside(folder: &Folder, ending: &str) -> std::path::PathBuf {
    folder.path().join(format!("vault.db{ending}"))
}

fn remove(folder: &Path) {
    for file in fs::read_dir(folder).unwrap() {
        let _closed_meanwhile = fs::remove_file(file.unwrap().path());
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
