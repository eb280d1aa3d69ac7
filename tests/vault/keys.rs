//! Keys that come and go, and rows that are moved.

use proptest::prelude::*;
use superid_gateway::crypto::{KeyRing, Random};
use superid_gateway::identity::{ContextId, TenantKey};
use superid_gateway::vault::{
    Entry, Name, Record, Rewrapped, Sealer, Telling, Unopened, VaultFailed, plain_line, read_line,
    sealed_line,
};

use crate::repeatable::repeatable;
use crate::world::{Folder, KEY, OTHER_KEY, entry, key, open, token};

#[tokio::test]
async fn an_entry_whose_key_is_gone_says_so_and_comes_back_with_it() {
    let folder = Folder::new();
    folder.vault().put(entry(1, 1)).await.unwrap();
    let stranger = open(&folder.file(), &[OTHER_KEY]).unwrap();
    let failed = stranger.get(&key(1)).await.unwrap_err();
    assert!(matches!(failed, VaultFailed::Entry { why: Unopened::KeyMissing, .. }));
    assert_eq!(
        failed.to_string(),
        "the entry sod/0123456789abcdef/Cust1 is sealed with a key that is not in vault.keys"
    );
    stranger.put(entry(2, 1)).await.unwrap();
    let verified = stranger.verify().await.unwrap();
    assert_eq!((verified.entries, verified.opened, verified.faults.len()), (2, 1, 1));
    let both = open(&folder.file(), &[OTHER_KEY, KEY]).unwrap();
    assert_eq!(token(both.get(&key(1)).await.unwrap()), "Our App-1-1");
}

#[tokio::test]
async fn after_a_rewrap_the_older_key_may_go() {
    let folder = Folder::new();
    let old = folder.vault();
    let entries: Vec<Entry> = (1..=1_200).map(|tenant| entry(tenant, 1)).collect();
    old.put_all(&entries).await.unwrap();
    old.sleep(&key(7), crate::world::NOW, Telling::Nobody).await.unwrap();
    let both = open(&folder.file(), &[OTHER_KEY, KEY]).unwrap();
    both.put(entry(1, 2)).await.unwrap();
    let mut told = Vec::new();
    let done = both.rewrap(|seen| told.push(seen)).await.unwrap();
    assert_eq!(done, Rewrapped { anew: 1_199, current: 1, letters: 0, left: vec![] });
    assert_eq!(told, [500, 1_000, 1_200]);
    let new = open(&folder.file(), &[OTHER_KEY]).unwrap();
    assert_eq!(token(new.get(&key(1)).await.unwrap()), "Our App-1-2");
    assert_eq!(token(new.get(&key(1_200)).await.unwrap()), "Our App-1200-1");
    assert!(new.look(&key(7)).await.unwrap().unwrap().dormant.is_some());
    assert!(new.verify().await.unwrap().faults.is_empty());
}

#[tokio::test]
async fn what_cannot_be_opened_is_left_as_it_is_by_a_rewrap() {
    let folder = Folder::new();
    folder.vault().put(entry(1, 1)).await.unwrap();
    let stranger = open(&folder.file(), &[OTHER_KEY]).unwrap();
    let done = stranger.rewrap(|_| {}).await.unwrap();
    assert_eq!((done.anew, done.current, done.left.len()), (0, 0, 1));
    assert_eq!(token(folder.vault().get(&key(1)).await.unwrap()), "Our App-1-1");
}

#[test]
fn lines_carry_every_entry_there_and_back() {
    let sealer = Sealer::new(KeyRing::new(&[KEY]), Random::system());
    let kept = Entry { dormant: Some(crate::world::NOW), ..entry(1, 1) };
    let sealed = sealed_line(&sealer.seal(&kept));
    assert!(!sealed.contains("Our App") && !sealed.contains("admin@"));
    for line in [sealed.as_str(), plain_line(&kept).as_str()] {
        let back = read_line(line, &sealer).unwrap();
        assert_eq!(format!("{back:?}"), format!("{kept:?}"));
        assert_eq!(back.token.reveal(), "Our App-1-1");
        for end in 0..line.len() {
            assert!(read_line(&line[..end], &sealer).is_err(), "cut at {end}");
        }
    }
}

#[test]
fn a_line_that_is_refused_is_not_repeated() {
    let sealer = Sealer::new(KeyRing::new(&[KEY]), Random::system());
    let line = plain_line(&entry(1, 1));
    for (from, to) in [
        ("Our App-1-1", "Our.App.hidden"),
        ("Cust1\"", "hidden\""),
        ("1000001", ""),
        ("\"token\":", "\"hidden\":"),
    ] {
        let refused = read_line(&line.replacen(from, to, 1), &sealer).unwrap_err();
        let words = format!("{refused} {refused:?}");
        assert!(!words.contains("hidden") && !words.contains("Our App"), "{words}");
    }
}

proptest! {
    #![proptest_config(repeatable(512))]

    #[test]
    fn a_row_moved_to_another_key_does_not_open(one in names(), other in names()) {
        prop_assume!(one != other);
        let sealer = Sealer::new(KeyRing::new(&[KEY]), Random::system());
        let sealed = sealer.seal(&Entry { key: one, ..entry(1, 1) });
        let elsewhere = sealer.seal(&Entry { key: other, ..entry(1, 2) });
        prop_assert!(sealer.open(&sealed).is_ok());
        let moved = Record { name: elsewhere.name.clone(), ..sealed.clone() };
        prop_assert_eq!(sealer.open(&moved).unwrap_err(), Unopened::Damaged);
        let swapped = Record { sealed: sealed.sealed, ..elsewhere };
        prop_assert_eq!(sealer.open(&swapped).unwrap_err(), Unopened::Damaged);
    }

    #[test]
    fn a_changed_row_never_opens_as_another_entry(at in 0_usize..10_000, bit in 0_u8..7) {
        let sealer = Sealer::new(KeyRing::new(&[KEY]), Random::system());
        let record = sealer.seal(&entry(1, 1));
        let mut line = serde_json::to_string(&record).unwrap().into_bytes();
        let at = at % line.len();
        line[at] ^= 1 << bit;
        let Ok(changed) = serde_json::from_slice::<Record>(&line) else { return Ok(()) };
        if let Ok(opened) = sealer.open(&changed) {
            prop_assert_eq!(opened.token.reveal(), "Our App-1-1");
            prop_assert_eq!(Name::from(&opened.key), record.name);
        }
    }
}

/// Names whose parts may run into each other.
fn names() -> impl Strategy<Value = TenantKey> {
    ("[ab/]{1,3}", "[ab/]{1,3}", 1_u32..4).prop_map(|(environment, client_id, tenant)| TenantKey {
        environment: environment.into(),
        client_id: client_id.into(),
        tenant: ContextId::parse(&format!("Cust{tenant}")).unwrap(),
    })
}
