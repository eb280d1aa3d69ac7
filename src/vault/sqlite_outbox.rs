//! Letters in SQLite: added in somebody's transaction, claimed, put off and taken.

use rusqlite::{Connection, Row, params};

use crate::clock::Timestamp;

use super::failure::VaultFailed;
use super::outbox::{Backlog, Claim, Letter, MOST_LETTERS, NEVER, Waiting};
use super::record::Name;
use super::sqlite_file::seconds;
use super::store::PAGE;

/// Adds a letter however many there are.
pub(super) fn add(db: &Connection, letter: &Letter) -> Result<(), VaultFailed> {
    let Letter { id, name, written, sealed } = letter;
    let insert = "INSERT INTO letters VALUES \
         ((SELECT coalesce(max(number), 0) + 1 FROM letters), ?1, ?2, ?3, ?4, ?5, ?5, 0, ?6)";
    db.prepare_cached(insert)?.execute(params![
        id,
        name.environment,
        name.client_id,
        name.tenant,
        seconds(*written),
        sealed
    ])?;
    db.execute("UPDATE tally SET letters = letters + 1", [])?;
    Ok(())
}

/// Adds a letter unless its app has too many.
pub(super) fn add_within_bounds(db: &Connection, letter: &Letter) -> Result<(), VaultFailed> {
    let all: i64 = db.query_row("SELECT letters FROM tally", [], |row| row.get(0))?;
    // Seldom are there so many that those of one app have to be counted.
    if all >= MOST_LETTERS as i64 {
        let count = "SELECT count(*) FROM letters \
             WHERE environment = ?1 AND client_id = ?2 AND due < ?3";
        let with = params![letter.name.environment, letter.name.client_id, seconds(NEVER)];
        let ours: i64 = db.prepare_cached(count)?.query_row(with, |row| row.get(0))?;
        if ours >= MOST_LETTERS as i64 {
            return Err(VaultFailed::OutboxFull);
        }
    }
    add(db, letter)
}

/// The letters a claim would be given.
pub(super) fn next(db: &Connection, claim: &Claim) -> Result<Vec<Waiting>, VaultFailed> {
    let which = "number IN (SELECT min(number) FROM letters \
         WHERE environment = ?1 AND client_id = ?2 AND due < ?5 GROUP BY tenant) \
         AND due <= ?3 ORDER BY number LIMIT ?4";
    let most = i64::try_from(claim.most).unwrap_or(i64::MAX);
    let with =
        params![claim.environment, claim.client_id, seconds(claim.now), most, seconds(NEVER)];
    let mut asked = db.prepare_cached(&select(which))?;
    let rows = asked.query_map(with, |row| Ok(waiting(row)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Gives a claim what it asks for.
pub(super) fn claim(db: &Connection, claim: &Claim) -> Result<Vec<Waiting>, VaultFailed> {
    let mut claimed = next(db, claim)?;
    for waiting in &mut claimed {
        waiting.due = claim.until;
        waiting.tries = waiting.tries.saturating_add(1);
        db.prepare_cached("UPDATE letters SET due = ?2, tries = ?3 WHERE number = ?1")?
            .execute(params![whole(waiting.number), seconds(claim.until), waiting.tries])?;
    }
    Ok(claimed)
}

pub(super) fn page(db: &Connection, after: Option<u64>) -> Result<Vec<Waiting>, VaultFailed> {
    let mut asked =
        db.prepare_cached(&select("number > ?1 AND due < ?3 ORDER BY number LIMIT ?2"))?;
    let with = params![after.map_or(i64::MIN, whole), PAGE as i64, seconds(NEVER)];
    let rows = asked.query_map(with, |row| Ok(waiting(row)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Those that were set aside are in the table still, and due never.
pub(super) fn aside(db: &Connection) -> Result<Vec<Waiting>, VaultFailed> {
    let mut asked = db.prepare_cached(&select("due = ?1 ORDER BY number"))?;
    let rows = asked.query_map(params![seconds(NEVER)], |row| Ok(waiting(row)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn backlog(db: &Connection) -> Result<Backlog, VaultFailed> {
    let count = "SELECT count(*) FILTER (WHERE due < ?1), min(written) FILTER (WHERE due < ?1), \
         count(*) FILTER (WHERE due = ?1) FROM letters";
    let read = |row: &Row<'_>| {
        let number = |column| row.get::<_, Option<i64>>(column).map(Option::unwrap_or_default);
        let oldest: Option<i64> = row.get(1)?;
        Ok(Backlog {
            letters: number(0)?.try_into().unwrap_or(0),
            oldest: oldest.map(|written| Timestamp(written.max(0).unsigned_abs())),
            aside: number(2)?.try_into().unwrap_or(0),
        })
    };
    Ok(db.prepare_cached(count)?.query_row(params![seconds(NEVER)], read)?)
}

/// Its id may be what is damaged.
pub(super) fn set_aside(db: &Connection, claimed: &Waiting) -> Result<bool, VaultFailed> {
    let change = "UPDATE letters SET due = ?3 WHERE number = ?1 AND tries = ?2 AND due < ?3";
    let with = params![whole(claimed.number), claimed.tries, seconds(NEVER)];
    Ok(db.prepare_cached(change)?.execute(with)? == 1)
}

pub(super) fn put_off(
    db: &Connection,
    claimed: &Waiting,
    due: Timestamp,
) -> Result<bool, VaultFailed> {
    let change = format!("UPDATE letters SET due = ?4 WHERE {THIS} AND tries = ?3");
    let with = params![whole(claimed.number), claimed.letter.id, claimed.tries, seconds(due)];
    Ok(db.prepare_cached(&change)?.execute(with)? == 1)
}

pub(super) fn reseal(db: &Connection, letter: &Waiting, sealed: &str) -> Result<bool, VaultFailed> {
    let change = format!("UPDATE letters SET sealed = ?4 WHERE {THIS} AND sealed = ?3");
    let with = params![whole(letter.number), letter.letter.id, letter.letter.sealed, sealed];
    Ok(db.prepare_cached(&change)?.execute(with)? == 1)
}

pub(super) fn taken(db: &Connection, letter: &Waiting) -> Result<bool, VaultFailed> {
    let number = whole(letter.number);
    let gone = match letter.due {
        NEVER => db
            .prepare_cached("DELETE FROM letters WHERE number = ?1 AND due = ?2")?
            .execute(params![number, seconds(NEVER)])?,
        _ => db
            .prepare_cached(&format!("DELETE FROM letters WHERE {THIS}"))?
            .execute(params![number, letter.letter.id])?,
    };
    if gone == 1 {
        db.execute("UPDATE tally SET letters = letters - 1", [])?;
    }
    Ok(gone == 1)
}

/// A row as it is, even where damage has made it something else: what is sealed does not open then.
fn waiting(row: &Row<'_>) -> Waiting {
    let text = |column| match row.get_ref(column) {
        Ok(value) => value.as_bytes().map(String::from_utf8_lossy).unwrap_or_default().into_owned(),
        Err(_) => String::new(),
    };
    let number = |column| row.get::<_, i64>(column).unwrap_or(0).max(0).unsigned_abs();
    Waiting {
        number: number(0),
        letter: Letter {
            id: text(1),
            name: Name { environment: text(2), client_id: text(3), tenant: text(4) },
            written: Timestamp(number(5)),
            sealed: text(8),
        },
        due: Timestamp(number(6)),
        tries: number(7).try_into().unwrap_or(u32::MAX),
    }
}

fn select(which: &str) -> String {
    format!(
        "SELECT number, id, environment, client_id, tenant, written, due, tries, sealed \
         FROM letters WHERE {which}"
    )
}

fn whole(number: u64) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// A number may be used again once its letter has gone.
const THIS: &str = "number = ?1 AND id = ?2";
