//! The store in a file: a thread of its own with a bounded queue, so that no worker waits for a disk.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::clock::Timestamp;

use super::failure::VaultFailed;
use super::outbox::{Backlog, Claim, Letter, Waiting};
use super::record::{Name, Record};
use super::sqlite::Sqlite;
use super::store::{Promised, Store};

/// Records in an SQLite file. Its thread ends, and the file is closed, when the last handle goes.
#[derive(Debug)]
pub struct Embedded {
    jobs: SyncSender<Job>,
}

type Job = Box<dyn FnOnce(&mut Sqlite) + Send>;

impl Embedded {
    /// Opens the file, or makes it for its owner alone. Blocks: for start and command line.
    ///
    /// # Errors
    /// [`VaultFailed`]: it cannot be read, is no vault, or is a later version's.
    pub fn open(path: &Path) -> Result<Self, VaultFailed> {
        let sqlite = Sqlite::open(path)?;
        let (jobs, queue) = sync_channel(QUEUE);
        thread::Builder::new()
            .name("vault".to_owned())
            .spawn(move || work(sqlite, &queue))
            .map_err(|error| VaultFailed::Io { reason: error.to_string(), source: None })?;
        Ok(Self { jobs })
    }

    fn ask<T: Send + 'static>(
        &self,
        patience: Duration,
        call: impl FnOnce(&mut Sqlite) -> Result<T, VaultFailed> + Send + 'static,
    ) -> Promised<'_, T> {
        let (answer, comes) = oneshot::channel();
        let until = Instant::now() + patience;
        let job: Job = Box::new(move |sqlite| {
            // Whoever asked has gone: nothing must happen that they were told did not.
            if Instant::now() < until && !answer.is_closed() {
                let _nobody_waits = answer.send(call(sqlite));
            }
        });
        let queued = self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Disconnected(_) => VaultFailed::Stopped,
            TrySendError::Full(_) => VaultFailed::Busy,
        });
        Box::pin(async move {
            queued?;
            match timeout(patience, comes).await {
                Ok(Ok(answered)) => answered,
                Ok(Err(_gone)) if Instant::now() < until => Err(VaultFailed::Stopped),
                Ok(Err(_)) | Err(_) => Err(VaultFailed::TooLate),
            }
        })
    }
}

impl Store for Embedded {
    fn check(&self) -> Promised<'_, Vec<String>> {
        self.ask(LONG, |sqlite| sqlite.check())
    }

    fn dormant(&self, until: Timestamp) -> Promised<'_, Vec<Record>> {
        self.ask(DEADLINE, move |sqlite| sqlite.dormant(until))
    }

    fn page(&self, after: Option<Name>) -> Promised<'_, Vec<Record>> {
        self.ask(DEADLINE, move |sqlite| sqlite.page(after.as_ref()))
    }

    fn read(&self, name: &Name) -> Promised<'_, Option<Record>> {
        let name = name.clone();
        self.ask(DEADLINE, move |sqlite| sqlite.read(&name))
    }

    fn remove(&self, name: &Name, letter: Option<Letter>) -> Promised<'_, bool> {
        let name = name.clone();
        self.ask(DEADLINE, move |sqlite| sqlite.remove(&name, letter.as_ref()))
    }

    fn swap(&self, old: Record, new: Option<Record>, letter: Option<Letter>) -> Promised<'_, bool> {
        self.ask(DEADLINE, move |sqlite| sqlite.swap(&old, new.as_ref(), letter.as_ref()))
    }

    fn write(&self, records: Vec<Record>, letters: Vec<Letter>) -> Promised<'_, ()> {
        let patience = if records.len() + letters.len() > 2 { LONG } else { DEADLINE };
        self.ask(patience, move |sqlite| sqlite.write(&records, &letters))
    }

    fn claim(&self, claim: Claim) -> Promised<'_, Vec<Waiting>> {
        self.ask(DEADLINE, move |sqlite| sqlite.claim(&claim))
    }

    fn backlog(&self) -> Promised<'_, Backlog> {
        self.ask(DEADLINE, |sqlite| sqlite.backlog())
    }

    fn aside(&self) -> Promised<'_, Vec<Waiting>> {
        self.ask(DEADLINE, |sqlite| sqlite.aside())
    }

    fn set_aside(&self, claimed: Waiting) -> Promised<'_, bool> {
        self.ask(DEADLINE, move |sqlite| sqlite.set_aside(&claimed))
    }

    fn letters(&self, after: Option<u64>) -> Promised<'_, Vec<Waiting>> {
        self.ask(DEADLINE, move |sqlite| sqlite.letters(after))
    }

    fn put_off(&self, claimed: Waiting, due: Timestamp) -> Promised<'_, bool> {
        self.ask(DEADLINE, move |sqlite| sqlite.put_off(&claimed, due))
    }

    fn reseal(&self, letter: Waiting, sealed: String) -> Promised<'_, bool> {
        self.ask(DEADLINE, move |sqlite| sqlite.reseal(&letter, &sealed))
    }

    fn taken(&self, letter: Waiting) -> Promised<'_, bool> {
        self.ask(DEADLINE, move |sqlite| sqlite.taken(&letter))
    }
}

fn work(mut sqlite: Sqlite, queue: &Receiver<Job>) {
    while let Ok(job) = queue.recv() {
        job(&mut sqlite);
    }
}

/// Calls that wait; one more is told that the vault is busy.
const QUEUE: usize = 256;
/// Longer than another process's write is waited for.
const DEADLINE: Duration = Duration::from_secs(5);
/// For a look at the whole file, or an import.
const LONG: Duration = Duration::from_secs(60);
