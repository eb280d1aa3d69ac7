//! Records in SQLite, one call after another.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Params, Row, TransactionBehavior, params};

use crate::clock::Timestamp;

use super::failure::VaultFailed;
use super::record::{Checksum, Name, Record};
use super::sqlite_file;
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
        self.records(&select("dormant <= ?1 LIMIT ?2"), params![seconds(until), ROWS])
    }

    pub(super) fn page(&self, after: Option<&Name>) -> Result<Vec<Record>, VaultFailed> {
        let Some(name) = after else {
            return self.records(&select(&format!("true {IN_ORDER} LIMIT ?1")), [ROWS]);
        };
        let later = format!("(environment, client_id, tenant) > (?1, ?2, ?3) {IN_ORDER} LIMIT ?4");
        let Name { environment, client_id, tenant } = name;
        self.records(&select(&later), params![environment, client_id, tenant, ROWS])
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

    pub(super) fn remove(&mut self, name: &Name) -> Result<bool, VaultFailed> {
        self.change(|db| delete(db, name))
    }

    pub(super) fn swap(&mut self, old: &Record, new: Option<&Record>) -> Result<bool, VaultFailed> {
        self.change(|db| {
            if find(db, &old.name)?.as_ref() != Some(old) {
                return Ok(false);
            }
            match new {
                Some(new) => update(db, new),
                None => delete(db, &old.name),
            }
        })
    }

    pub(super) fn write(&mut self, records: &[Record]) -> Result<(), VaultFailed> {
        self.change(|db| records.iter().try_for_each(|record| put(db, record)))
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

    fn faults(&self, most: usize) -> Result<Vec<String>, VaultFailed> {
        let mut asked = self.db.prepare(&format!("PRAGMA integrity_check({most})"))?;
        let told = asked.query_map([], |row| row.get::<_, String>(0))?;
        let told: Vec<String> = told.collect::<Result<_, _>>()?;
        Ok(told.into_iter().filter(|words| words != "ok").collect())
    }

    fn count_missing(&self) -> Result<Option<String>, VaultFailed> {
        let both = "SELECT (SELECT count(*) FROM entries), (SELECT sum(entries) FROM tally)";
        let (there, told): (i64, Option<i64>) =
            self.db.query_row(both, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let told = told.unwrap_or(0);
        Ok((there != told)
            .then(|| format!("{there} entries are in it, and there should be {told}")))
    }

    fn records(&self, query: &str, with: impl Params) -> Result<Vec<Record>, VaultFailed> {
        let mut asked = self.db.prepare_cached(query)?;
        let rows = asked.query_map(with, |row| Ok(record(row)))?;
        Ok(rows.collect::<Result<_, _>>()?)
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

fn seconds(time: Timestamp) -> i64 {
    time.0.try_into().unwrap_or(i64::MAX)
}

const THIS: &str = "environment = ?1 AND client_id = ?2 AND tenant = ?3";
const IN_ORDER: &str = "ORDER BY environment, client_id, tenant";
const ROWS: i64 = PAGE as i64;
/// More than anybody reads.
const FAULTS: usize = 20;
