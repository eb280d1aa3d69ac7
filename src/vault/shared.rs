//! The store in Redis or Valkey, for a vault that several machines share.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::redis_link::{Answer, COMMAND, Kept, LinkFailed, RedisLink, Script};

use super::failure::VaultFailed;
use super::field::{field, name};
use super::keeping;
use super::outbox::{Backlog, Claim, Letter, MOST_LETTERS, NEVER, Waiting};
use super::record::{Checksum, Name, Record};
use super::redis_letters::{
    ASIDE, BACKLOG, CLAIM, DISCARD, LETTERS, PUT_OFF, RESEAL, SET_ASIDE, TAKEN, backlog, claimed,
    letters, line, posted, said, set_aside, start,
};
use super::redis_scripts::{ASLEEP, COUNT, EVERYTHING, PAGE as PART, READ, REMOVE, SWAP, WRITE};
use super::store::{MOST, PAGE, Promised, Store};

/// Records in Redis. Every key has `{vault}` in its name, so that a cluster would keep them together.
/// A write that is answered with `Ok` was acknowledged by Redis, and is in its append-only file
/// where it can say so; what else it outlives is Redis' own setting ([`Store::concerns`]).
#[derive(Clone, Debug)]
pub struct Shared {
    link: RedisLink,
}

/// What stands beside a name. As JSON, in this order.
#[derive(Serialize, Deserialize)]
struct Value {
    dormant: Option<Timestamp>,
    sealed: String,
    checksum: Checksum,
}

impl Shared {
    /// A link of the vault's own: a large import on it holds nobody else up.
    pub fn over(link: RedisLink) -> Self {
        Self { link }
    }

    /// Tells the log, from the link's thread and as soon as Redis answers, what of its settings does
    /// not go together with keeping tokens.
    pub fn look_at_settings(&self) {
        keeping::warn_about(&self.link);
    }

    async fn change(
        &self,
        text: &str,
        first: Vec<Vec<u8>>,
        patience: Duration,
    ) -> Result<bool, VaultFailed> {
        let note = format!("vault:{{vault}}:done:{}", self.link.word());
        let mut arguments = vec![NOTE.as_millis().to_string().into_bytes()];
        arguments.extend(first);
        let names: Vec<&str> = KEYS.into_iter().chain([&*note]).collect();
        let patience = patience.max(TO_DISK);
        let script = Script { text, names: &names, arguments, patience, kept: Kept::OnDisk };
        match word(&self.run(script).await?)? {
            "yes" => Ok(true),
            "no" => Ok(false),
            "full" => Err(VaultFailed::Full),
            "outbox" => Err(VaultFailed::OutboxFull),
            _ => Err(strange()),
        }
    }

    async fn ask(&self, text: &str, arguments: Vec<Vec<u8>>) -> Result<Answer, VaultFailed> {
        let patience = COMMAND;
        let names = &KEYS;
        self.run(Script { text, names, arguments, patience, kept: Kept::InMemory }).await
    }

    async fn run(&self, script: Script<'_>) -> Result<Answer, VaultFailed> {
        let answer = self.link.run_script(script).await?;
        match word(&answer)? {
            "format" => {
                let found = text(answer.get(1)).parse().unwrap_or(-1);
                Err(VaultFailed::Newer { found, known: 1 })
            }
            "damaged" => Err(VaultFailed::Corrupt(format!(
                "{} are in redis, and there should be {} of each",
                text(answer.get(1)),
                text(answer.get(2))
            ))),
            _ => Ok(answer),
        }
    }

    async fn part(&self, after: Option<Name>) -> Result<Vec<Record>, VaultFailed> {
        let from = after.as_ref().map_or(b"-".to_vec(), |name| [b"(", &*field(name)].concat());
        let arguments = vec![from, decimal(PAGE as u64)];
        match self.ask(PART, arguments).await {
            // Whatever can be found: of the names some may have gone.
            Err(VaultFailed::Corrupt(words)) => {
                let names = &KEYS;
                let script = Script {
                    text: EVERYTHING,
                    names,
                    arguments: Vec::new(),
                    patience: LONG,
                    kept: Kept::InMemory,
                };
                let all: BTreeMap<Name, Record> = records(self.run(script).await?)
                    .into_iter()
                    .map(|record| (record.name.clone(), record))
                    .collect();
                if all.is_empty() {
                    return Err(VaultFailed::Corrupt(words));
                }
                let behind = all.into_iter().filter(|(name, _)| Some(name) > after.as_ref());
                Ok(behind.map(|(_, record)| record).take(PAGE).collect())
            }
            answer => Ok(records(answer?)),
        }
    }

    async fn look_through(&self) -> Result<Vec<String>, VaultFailed> {
        let said = match self.ask(COUNT, Vec::new()).await {
            Err(VaultFailed::Corrupt(words)) => return Ok(vec![words]),
            answer => text(answer?.get(1)),
        };
        let (mut dormant, mut after) = (0, None);
        loop {
            let page = self.part(after).await?;
            dormant += page.iter().filter(|record| record.dormant.is_some()).count();
            match page.into_iter().next_back() {
                Some(last) => after = Some(last.name),
                None => break,
            }
        }
        let words = format!("{dormant} entries are dormant, and {said} are said to be");
        Ok(if said == dormant.to_string() { Vec::new() } else { vec![words] })
    }
}

impl Store for Shared {
    fn check(&self) -> Promised<'_, Vec<String>> {
        Box::pin(self.look_through())
    }

    fn concerns(&self) -> Promised<'_, Vec<String>> {
        Box::pin(async { Ok(keeping::look(&self.link).await?.grave) })
    }

    fn dormant(&self, until: Timestamp) -> Promised<'_, Vec<Record>> {
        Box::pin(async move {
            let arguments = [until.0, PAGE as u64].map(decimal);
            let found = records(self.ask(ASLEEP, arguments.to_vec()).await?);
            // What the record says counts, wherever it was found.
            let asleep = |record: &Record| record.dormant.is_some_and(|since| since <= until);
            Ok(found.into_iter().filter(asleep).collect())
        })
    }

    fn page(&self, after: Option<Name>) -> Promised<'_, Vec<Record>> {
        Box::pin(self.part(after))
    }

    fn read(&self, name: &Name) -> Promised<'_, Option<Record>> {
        let name = name.clone();
        Box::pin(async move {
            let answer = self.ask(READ, vec![field(&name)]).await?;
            match word(&answer)? {
                "found" => Ok(Some(record(name, answer.into_iter().nth(1).flatten()))),
                "none" => Ok(None),
                _ => Err(strange()),
            }
        })
    }

    fn remove(&self, name: &Name, letter: Option<Letter>) -> Promised<'_, bool> {
        let mut arguments = vec![field(name)];
        arguments.extend(letter.iter().flat_map(posted));
        Box::pin(self.change(REMOVE, arguments, COMMAND))
    }

    fn swap(&self, old: Record, new: Option<Record>, letter: Option<Letter>) -> Promised<'_, bool> {
        let mut arguments = vec![field(&old.name), value(&old)];
        match &new {
            Some(new) => arguments.extend([value(new), since(new)]),
            None => arguments.extend([Vec::new(), Vec::new()]),
        }
        arguments.push(decimal(MOST_LETTERS as u64));
        arguments.extend(letter.iter().flat_map(posted));
        Box::pin(self.change(SWAP, arguments, COMMAND))
    }

    fn write(&self, records: Vec<Record>, letters: Vec<Letter>) -> Promised<'_, ()> {
        let much = records.len() + letters.len() > 2;
        let patience = if much { LONG } else { COMMAND };
        let bounds = [MOST, MOST_LETTERS, records.len()];
        let mut arguments: Vec<Vec<u8>> = bounds.map(|bound| decimal(bound as u64)).to_vec();
        for record in &records {
            arguments.extend([field(&record.name), value(record), since(record)]);
        }
        arguments.extend(letters.iter().flat_map(posted));
        Box::pin(async move { self.change(WRITE, arguments, patience).await.map(drop) })
    }

    fn claim(&self, claim: Claim) -> Promised<'_, Vec<Waiting>> {
        Box::pin(async move { Ok(letters(self.ask(CLAIM, claimed(&claim)).await?)) })
    }

    fn backlog(&self) -> Promised<'_, Backlog> {
        Box::pin(async move { Ok(backlog(&self.ask(BACKLOG, Vec::new()).await?)) })
    }

    fn aside(&self) -> Promised<'_, Vec<Waiting>> {
        Box::pin(async move { Ok(set_aside(self.ask(ASIDE, Vec::new()).await?)) })
    }

    fn set_aside(&self, claimed: Waiting) -> Promised<'_, bool> {
        let arguments = vec![line(&claimed), decimal(claimed.tries.into())];
        Box::pin(self.change(SET_ASIDE, arguments, COMMAND))
    }

    fn letters(&self, after: Option<u64>) -> Promised<'_, Vec<Waiting>> {
        let from = after.map_or(b"-1".to_vec(), decimal);
        let arguments = vec![from, decimal(PAGE as u64)];
        Box::pin(async move { Ok(letters(self.ask(LETTERS, arguments).await?)) })
    }

    fn put_off(&self, claimed: Waiting, due: Timestamp) -> Promised<'_, bool> {
        let (number, tries) = (decimal(claimed.number), decimal(claimed.tries.into()));
        let (id, line) = (start(&claimed.letter.id), line(&claimed));
        let arguments = vec![number, id, tries, decimal(due.0), line];
        Box::pin(self.change(PUT_OFF, arguments, COMMAND))
    }

    fn reseal(&self, letter: Waiting, sealed: String) -> Promised<'_, bool> {
        let anew = Letter { sealed, ..letter.letter.clone() };
        let arguments = vec![decimal(letter.number), said(&letter.letter), said(&anew)];
        Box::pin(self.change(RESEAL, arguments, COMMAND))
    }

    fn taken(&self, letter: Waiting) -> Promised<'_, bool> {
        if letter.due == NEVER {
            return Box::pin(self.change(DISCARD, vec![line(&letter)], COMMAND));
        }
        let arguments = vec![decimal(letter.number), start(&letter.letter.id), line(&letter)];
        Box::pin(self.change(TAKEN, arguments, COMMAND))
    }
}

/// The records of a page. One whose name is none is shown under what can be read of it.
fn records(answer: Answer) -> Vec<Record> {
    let mut items = answer.into_iter().skip(1);
    let mut records = Vec::new();
    while let Some(named) = items.next() {
        records.push(record(name(&named.unwrap_or_default()), items.next().flatten()));
    }
    records
}

/// A record as it is, even where its value is not one of ours: then its checksum does not fit.
fn record(name: Name, value: Option<Vec<u8>>) -> Record {
    let value = value.unwrap_or_default();
    let read = serde_json::from_slice::<Value>(&value);
    let Value { dormant, sealed, checksum } = read.unwrap_or_else(|_| Value {
        dormant: None,
        sealed: String::from_utf8_lossy(&value).into_owned(),
        checksum: Checksum(String::new()),
    });
    Record { name, dormant, sealed, checksum }
}

fn value(record: &Record) -> Vec<u8> {
    let Record { dormant, sealed, checksum, .. } = record.clone();
    let value = Value { dormant, sealed, checksum };
    serde_json::to_vec(&value).expect("strings and numbers are JSON")
}

fn since(record: &Record) -> Vec<u8> {
    record.dormant.map_or(Vec::new(), |since| decimal(since.0))
}

fn decimal(number: u64) -> Vec<u8> {
    number.to_string().into_bytes()
}

fn word(answer: &Answer) -> Result<&str, VaultFailed> {
    let word = answer.first().and_then(Option::as_deref);
    word.and_then(|word| std::str::from_utf8(word).ok()).ok_or_else(strange)
}

fn text(part: Option<&Option<Vec<u8>>>) -> String {
    let bytes = part.and_then(Option::as_deref).unwrap_or_default();
    String::from_utf8_lossy(bytes).into_owned()
}

fn strange() -> VaultFailed {
    LinkFailed::Answer("of another kind than asked for".into()).into()
}

/// Every key there is, the prefix before it; beside them only notes of changes that were made.
const KEYS: [&str; 10] = [
    "vault:{vault}:head",
    "vault:{vault}:entries",
    "vault:{vault}:names",
    "vault:{vault}:asleep",
    "vault:{vault}:letters",
    "vault:{vault}:states",
    "vault:{vault}:order",
    "vault:{vault}:lines",
    "vault:{vault}:due",
    "vault:{vault}:aside",
];

/// How long it is known that a change was made: longer than it is tried.
const NOTE: Duration = Duration::from_secs(120);
/// What a write has at least, its way to the disk included: a server may sync once a second alone.
const TO_DISK: Duration = Duration::from_secs(5);
/// For an import, or a look at a damaged vault.
const LONG: Duration = Duration::from_secs(60);
