//! A vault that somebody else is writing to: calls end in time, and what was told to have failed has.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use superid_gateway::vault::VaultFailed;
use tokio::task::JoinSet;

use crate::world::{Folder, entry, key, token};

#[tokio::test]
async fn while_another_process_holds_the_lock_reads_go_on_and_writes_are_told_in_time() {
    let folder = Folder::new();
    let vault = folder.vault();
    vault.put(entry(1, 1)).await.unwrap();
    let other = Connection::open(folder.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(token(vault.get(&key(1)).await.unwrap()), "Our App-1-1");
    let begin = Instant::now();
    let mut puts = JoinSet::new();
    for tenant in 1..=300 {
        let vault = vault.clone();
        puts.spawn(async move { vault.put(entry(tenant, 2)).await });
    }
    let (mut busy, mut late) = (0, 0);
    while let Some(put) = puts.join_next().await {
        match put.unwrap().unwrap_err() {
            VaultFailed::Busy => busy += 1,
            VaultFailed::TooLate => late += 1,
            other => panic!("{other}"),
        }
    }
    // Of 300 at most 257 find room; one of them has waited for the lock as long as it may.
    assert!(busy >= 43 && late > 200, "{busy} busy, {late} late");
    assert!(begin.elapsed() < Duration::from_secs(7), "{:?}", begin.elapsed());
    other.execute_batch("ROLLBACK").unwrap();
    // The one at work when its time was over is not known; those behind it were never begun.
    assert!(vault.verify().await.unwrap().entries <= 2);
    vault.put(entry(1, 3)).await.unwrap();
    assert_eq!(token(vault.get(&key(1)).await.unwrap()), "Our App-1-3");
}
