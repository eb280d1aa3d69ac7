//! Records in SQLite, one call after another.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};

use crate::clock::Timestamp;

use super::failure::VaultFailed;
use super::outbox::{Backlog, Claim, Letter, Waiting};
use super::record::{Checksum, Name, Record};
use super::sqlite_file::{self, seconds};
use super::sqlite_outbox;
use super::store::{MOST, PAGE};

/// An open file, and what was found wrong with it.
pub(super) struct Sqlite {
    db: Connection,
    doubt: Doubt,
}

/// How far the file can be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Doubt {
    Broken(String),
    /// The names of some entries are damaged: one that is not found may be one of them.
    Names,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Backward,
    Forward,
}

impl Sqlite {
    /// Opens the file and looks through all of it.
    pub(super) fn open(path: &Path) -> Result<Self, VaultFailed> {
        let db = sqlite_file::open(path)?;
        let mut opened = Self { db, doubt: Doubt::None };
        opened.doubt = opened.look_through()?;
        match &opened.doubt {
            Doubt::Broken(words) => {
                tracing::error!("the vault is damaged and will not be written to: {words}");
            }
            Doubt::Names => tracing::error!("the vault holds entries whose names are damaged"),
            Doubt::None => {}
        }
        Ok(opened)
    }

    pub(super) fn check(&self) -> Result<Vec<String>, VaultFailed> {
        // Each run looks at the file, not at what this connection remembers of it.
        self.db.release_memory()?;
        let mut found = match self.faults(FAULTS) {
            Err(VaultFailed::Corrupt(words)) => vec![words],
            found => found?,
        };
        match self.count_missing() {
            Ok(None) => {}
            Ok(Some(words)) | Err(VaultFailed::Corrupt(words)) => found.push(words),
            Err(other) => return Err(other),
        }
        Ok(found)
    }

    pub(super) fn dormant(&self, until: Timestamp) -> Result<Vec<Record>, VaultFailed> {
        let mut asked = self.db.prepare_cached(&select("dormant <= ?1 LIMIT ?2"))?;
        let rows = asked.query_map(params![seconds(until), ROWS], |row| Ok(record(row)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// In a broken file: what comes before the break, and after that all there is behind it.
    pub(super) fn page(&self, after: Option<&Name>) -> Result<Vec<Record>, VaultFailed> {
        let mut found = Vec::new();
        match self.walk(after, Way::Forward, &mut found) {
            Err(VaultFailed::Corrupt(_)) if !found.is_empty() => Ok(found),
            Err(VaultFailed::Corrupt(words)) => {
                let _broken_there_too = self.walk(after, Way::Backward, &mut found);
                found.reverse();
                if found.is_empty() { Err(VaultFailed::Corrupt(words)) } else { Ok(found) }
            }
            walked => walked.map(|()| found),
        }
    }

    pub(super) fn read(&self, name: &Name) -> Result<Option<Record>, VaultFailed> {
        let found = find(&self.db, name)?;
        match (&found, &self.doubt) {
            (None, Doubt::Broken(words)) => Err(VaultFailed::Corrupt(words.clone())),
            (None, Doubt::Names) => Err(VaultFailed::Corrupt(
                "entries whose names are damaged are in it, and this may be one of them".to_owned(),
            )),
            _ => Ok(found),
        }
    }

    pub(super) fn remove(
        &mut self,
        name: &Name,
        letter: Option<&Letter>,
    ) -> Result<bool, VaultFailed> {
        self.change(|db| {
            let gone = delete(db, name)?;
            if let (true, Some(letter)) = (gone, letter) {
                sqlite_outbox::add(db, letter)?;
            }
            Ok(gone)
        })
    }

    pub(super) fn swap(
        &mut self,
        old: &Record,
        new: Option<&Record>,
        letter: Option<&Letter>,
    ) -> Result<bool, VaultFailed> {
        self.change(|db| {
            if find(db, &old.name)?.as_ref() != Some(old) {
                return Ok(false);
            }
            if let Some(letter) = letter {
                sqlite_outbox::add_within_bounds(db, letter)?;
            }
            match new {
                Some(new) => update(db, new),
                None => delete(db, &old.name),
            }
        })
    }

    pub(super) fn write(
        &mut self,
        records: &[Record],
        letters: &[Letter],
    ) -> Result<(), VaultFailed> {
        self.change(|db| {
            records.iter().try_for_each(|record| put(db, record))?;
            letters.iter().try_for_each(|letter| sqlite_outbox::add_within_bounds(db, letter))
        })
    }

    pub(super) fn claim(&mut self, claim: &Claim) -> Result<Vec<Waiting>, VaultFailed> {
        // Whoever looks whether there is something writes nothing.
        if sqlite_outbox::next(&self.db, claim)?.is_empty() {
            return Ok(Vec::new());
        }
        self.change(|db| sqlite_outbox::claim(db, claim))
    }

    pub(super) fn backlog(&self) -> Result<Backlog, VaultFailed> {
        sqlite_outbox::backlog(&self.db)
    }

    pub(super) fn aside(&self) -> Result<Vec<Waiting>, VaultFailed> {
        sqlite_outbox::aside(&self.db)
    }

    pub(super) fn set_aside(&mut self, claimed: &Waiting) -> Result<bool, VaultFailed> {
        self.change(|db| sqlite_outbox::set_aside(db, claimed))
    }

    pub(super) fn letters(&self, after: Option<u64>) -> Result<Vec<Waiting>, VaultFailed> {
        sqlite_outbox::page(&self.db, after)
    }

    pub(super) fn put_off(
        &mut self,
        claimed: &Waiting,
        due: Timestamp,
    ) -> Result<bool, VaultFailed> {
        self.change(|db| sqlite_outbox::put_off(db, claimed, due))
    }

    pub(super) fn reseal(&mut self, letter: &Waiting, sealed: &str) -> Result<bool, VaultFailed> {
        self.change(|db| sqlite_outbox::reseal(db, letter, sealed))
    }

    pub(super) fn taken(&mut self, letter: &Waiting) -> Result<bool, VaultFailed> {
        self.change(|db| sqlite_outbox::taken(db, letter))
    }

    /// All of it or nothing, on the disk when it returns, and never into a broken file.
    fn change<T>(
        &mut self,
        change: impl FnOnce(&Connection) -> Result<T, VaultFailed>,
    ) -> Result<T, VaultFailed> {
        if let Doubt::Broken(words) = &self.doubt {
            return Err(VaultFailed::Corrupt(words.clone()));
        }
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let changed = change(&transaction)?;
        transaction.commit()?;
        Ok(changed)
    }

    fn look_through(&self) -> Result<Doubt, VaultFailed> {
        if let Some(words) = self.check()?.into_iter().next() {
            return Ok(Doubt::Broken(words));
        }
        let mut after = None;
        loop {
            let page = self.page(after.as_ref())?;
            if page.iter().any(|record| !record.is_named()) {
                return Ok(Doubt::Names);
            }
            match page.into_iter().last() {
                Some(last) => after = Some(last.name),
                None => return Ok(Doubt::None),
            }
        }
    }

    /// Adds the records behind a name to `found` until one cannot be read.
    fn walk(
        &self,
        after: Option<&Name>,
        way: Way,
        found: &mut Vec<Record>,
    ) -> Result<(), VaultFailed> {
        let (order, most) = match way {
            Way::Backward => (BACKWARDS, MOST as i64),
            Way::Forward => (IN_ORDER, ROWS),
        };
        let start = Name::default();
        let Name { environment, client_id, tenant } = after.unwrap_or(&start);
        let later = format!("(environment, client_id, tenant) > (?1, ?2, ?3) {order} LIMIT ?4");
        let mut asked = self.db.prepare_cached(&select(&later))?;
        let with = params![environment, client_id, tenant, most];
        for row in asked.query_map(with, |row| Ok(record(row)))? {
            found.push(row?);
        }
        Ok(())
    }

    fn faults(&self, most: usize) -> Result<Vec<String>, VaultFailed> {
        let mut asked = self.db.prepare(&format!("PRAGMA integrity_check({most})"))?;
        let told = asked.query_map([], |row| row.get::<_, String>(0))?;
        let told: Vec<String> = told.collect::<Result<_, _>>()?;
        Ok(told.into_iter().filter(|words| words != "ok").collect())
    }

    fn count_missing(&self) -> Result<Option<String>, VaultFailed> {
        for table in ["entries", "letters"] {
            let both =
                format!("SELECT (SELECT count(*) FROM {table}), (SELECT sum({table}) FROM tally)");
            let (there, told): (i64, Option<i64>) =
                self.db.query_row(&both, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let told = told.unwrap_or(0);
            if there != told {
                let words = format!("{there} {table} are in it, and there should be {told}");
                return Ok(Some(words));
            }
        }
        Ok(None)
    }
}

fn find(db: &Connection, name: &Name) -> Result<Option<Record>, VaultFailed> {
    let mut asked = db.prepare_cached(&select(THIS))?;
    let Name { environment, client_id, tenant } = name;
    let with = params![environment, client_id, tenant];
    Ok(asked.query_row(with, |row| Ok(record(row))).optional()?)
}

fn put(db: &Connection, record: &Record) -> Result<(), VaultFailed> {
    if update(db, record)? {
        return Ok(());
    }
    let Record { name, dormant, sealed, checksum } = record;
    db.prepare_cached("INSERT INTO entries VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(params![
        name.environment,
        name.client_id,
        name.tenant,
        dormant.map(seconds),
        sealed,
        checksum.0
    ])?;
    db.execute("UPDATE tally SET entries = entries + 1", [])?;
    let entries: i64 = db.query_row("SELECT entries FROM tally", [], |row| row.get(0))?;
    if entries > MOST as i64 { Err(VaultFailed::Full) } else { Ok(()) }
}

fn update(db: &Connection, record: &Record) -> Result<bool, VaultFailed> {
    let Record { name, dormant, sealed, checksum } = record;
    let change =
        format!("UPDATE entries SET dormant = ?4, sealed = ?5, checksum = ?6 WHERE {THIS}");
    let changed = db.prepare_cached(&change)?.execute(params![
        name.environment,
        name.client_id,
        name.tenant,
        dormant.map(seconds),
        sealed,
        checksum.0
    ])?;
    Ok(changed == 1)
}

fn delete(db: &Connection, name: &Name) -> Result<bool, VaultFailed> {
    let Name { environment, client_id, tenant } = name;
    let gone = db
        .prepare_cached(&format!("DELETE FROM entries WHERE {THIS}"))?
        .execute(params![environment, client_id, tenant])?;
    if gone == 1 {
        db.execute("UPDATE tally SET entries = entries - 1", [])?;
    }
    Ok(gone == 1)
}

/// A row as it is, even where damage has made it something else: then its checksum does not fit.
fn record(row: &Row<'_>) -> Record {
    let text = |column| match row.get_ref(column) {
        Ok(value) => value.as_bytes().map(String::from_utf8_lossy).unwrap_or_default().into_owned(),
        Err(_) => String::new(),
    };
    let dormant: Option<i64> = row.get(3).unwrap_or(Some(-1));
    Record {
        name: Name { environment: text(0), client_id: text(1), tenant: text(2) },
        dormant: dormant.map(|seconds| Timestamp(seconds.try_into().unwrap_or(u64::MAX))),
        sealed: text(4),
        checksum: Checksum(text(5)),
    }
}

fn select(which: &str) -> String {
    format!(
        "SELECT environment, client_id, tenant, dormant, sealed, checksum FROM entries WHERE {which}"
    )
}

const THIS: &str = "environment = ?1 AND client_id = ?2 AND tenant = ?3";
const IN_ORDER: &str = "ORDER BY environment, client_id, tenant";
const BACKWARDS: &str = "ORDER BY environment DESC, client_id DESC, tenant DESC";
const ROWS: i64 = PAGE as i64;
/// More than anybody reads.
const FAULTS: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_may_not_grow_refuses_the_write_and_keeps_what_was() {
        let folder = std::env::temp_dir().join(format!("vault-pages-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let mut sqlite = Sqlite::open(&folder.join("vault.db")).unwrap();
        sqlite.db.pragma_update_and_check(None, "max_page_count", 8, |_| Ok(())).unwrap();
        let record = |number: usize| {
            let name = Name { tenant: number.to_string(), ..Name::default() };
            Record::new(name, None, "x".repeat(900))
        };
        let mut kept = 0;
        let failed = loop {
            match sqlite.write(&[record(kept), record(kept + 1)], &[]) {
                Ok(()) => kept += 2,
                Err(failed) => break failed,
            }
        };
        assert!(matches!(failed, VaultFailed::DiskFull), "{failed}");
        assert!(kept > 4);
        for number in 0..kept + 2 {
            let found = sqlite.read(&record(number).name).unwrap();
            assert_eq!(found, (number < kept).then(|| record(number)));
        }
        assert_eq!(sqlite.check().unwrap(), [""; 0]);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_write_is_synced_and_in_the_file_before_it_is_answered() {
        let folder = std::env::temp_dir().join(format!("vault-synced-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let sqlite = Sqlite::open(&folder.join("vault.db")).unwrap();
        // FULL is 2.
        for (setting, value) in
            [("synchronous", 2), ("wal_autocheckpoint", 1), ("secure_delete", 1)]
        {
            let set = sqlite.db.pragma_query_value(None, setting, |row| row.get(0));
            assert_eq!(set, Ok(value), "{setting}");
        }
        let mode = sqlite.db.pragma_query_value(None, "journal_mode", |row| row.get(0));
        assert_eq!(mode, Ok("wal".to_owned()));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
