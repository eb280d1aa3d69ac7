//! What is over, on the disk: remembered through restarts, and by every process that has the folder.
//!
//! `ended-DAY` holds what was revoked on that day (since 1970, UTC), 32 bytes for each, appended under
//! the file's lock and synced before anybody is told that it is kept. A file goes when everything in it
//! has been over for longer than a session may live; what is over for ever is moved on first.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::clock::Timestamp;
use crate::crypto::sha256;

use super::ended::{FOREVER, Names};
use super::what::Over;

/// The folder, and the thread that writes there and looks what others wrote.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    /// What was there when it was opened.
    found: Vec<Over>,
    errands: Sender<Errand>,
}

/// Who is told of what is over; `false` where nobody is there any more.
pub(super) type Listener = Box<dyn Fn(&[Over]) -> bool + Send>;

enum Errand {
    Follow(Listener),
    Write(Vec<Over>, Timestamp, oneshot::Sender<io::Result<()>>),
}

/// What the thread has.
struct Keeper {
    folder: PathBuf,
    /// How far each file was read.
    read: HashMap<PathBuf, u64>,
    listener: Option<Listener>,
    /// What could not be written, and when it was to be: it is tried again.
    unwritten: Vec<Over>,
    at: Timestamp,
}

impl Journal {
    /// Opens the folder, or makes it, for this user alone. What is there that may still matter is kept:
    /// sessions live for `absolute` seconds at most.
    ///
    /// # Errors
    /// When it cannot be read and written, or everybody can write there.
    pub fn open(folder: &Path, absolute: u64, now: Timestamp) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        if fs::metadata(folder)?.permissions().mode() & EVERYBODY_WRITES != 0 {
            let why = "everybody may write in this folder, and so bring back what was ended";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        tidy(folder, absolute, now)?;
        append(folder, &[], now)?;
        let found = news(folder, &mut HashMap::new())?;
        let (errands, come) = channel();
        let keeper = Keeper::of(folder, now);
        std::thread::Builder::new().name("ended".to_owned()).spawn(move || keeper.run(&come))?;
        Ok(Self { folder: folder.to_owned(), found, errands })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Tells `listener` of everything there was, and of what comes, within half a second.
    pub(super) fn follow(&self, listener: Listener) {
        listener(&self.found);
        let _thread_gone = self.errands.send(Errand::Follow(listener));
    }

    /// Keeps these. Returns when they are on the disk.
    ///
    /// # Errors
    /// When they may not be; they are written as soon as that is possible.
    pub(super) async fn keep(&self, over: Vec<Over>, now: Timestamp) -> io::Result<()> {
        let (kept, answer) = oneshot::channel();
        self.errands.send(Errand::Write(over, now, kept)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl Keeper {
    fn of(folder: &Path, now: Timestamp) -> Self {
        let (folder, read) = (folder.to_owned(), HashMap::new());
        Self { folder, read, listener: None, unwritten: Vec::new(), at: now }
    }

    /// Until nobody has the journal any more, or wants to hear of it.
    fn run(mut self, errands: &Receiver<Errand>) {
        loop {
            match errands.recv_timeout(LOOK) {
                Ok(Errand::Follow(listener)) => self.listener = Some(listener),
                Ok(Errand::Write(over, now, kept)) => self.write(over, (now, kept), errands),
                Err(RecvTimeoutError::Timeout) => self.write_again(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if !self.look() {
                return;
            }
        }
    }

    /// Writes these and all that waits behind them with one sync.
    fn write(
        &mut self,
        mut over: Vec<Over>,
        (now, kept): (Timestamp, oneshot::Sender<io::Result<()>>),
        errands: &Receiver<Errand>,
    ) {
        let mut waiting = vec![kept];
        for errand in errands.try_iter().take(MOST_AT_ONCE) {
            match errand {
                Errand::Follow(listener) => self.listener = Some(listener),
                Errand::Write(more, _, kept) => {
                    over.extend(more);
                    waiting.push(kept);
                }
            }
        }
        over.append(&mut self.unwritten);
        let written = append(&self.folder, &over, now);
        if written.is_err() {
            over.truncate(MOST_UNWRITTEN);
            (self.unwritten, self.at) = (over, now);
        }
        for kept in waiting {
            let answer = written.as_ref().map(drop).map_err(|error| io::Error::from(error.kind()));
            let _nobody_waits = kept.send(answer);
        }
    }

    /// Whoever waited for these was told that they were not written.
    fn write_again(&mut self) {
        if !self.unwritten.is_empty() && append(&self.folder, &self.unwritten, self.at).is_ok() {
            tracing::info!(entries = self.unwritten.len(), "what was ended is on the disk now");
            self.unwritten = Vec::new();
        }
    }

    /// Tells what is new; whether anybody is there.
    fn look(&mut self) -> bool {
        let Some(listener) = &self.listener else { return true };
        match news(&self.folder, &mut self.read) {
            Ok(over) => listener(&over),
            Err(error) => {
                tracing::warn!(%error, folder = %self.folder.display(), "what was ended cannot be read");
                true
            }
        }
    }
}

/// What was added to the files since they were read.
fn news(folder: &Path, read: &mut HashMap<PathBuf, u64>) -> io::Result<Vec<Over>> {
    let mut over = Vec::new();
    for (_, path) in files(folder)? {
        let at = read.entry(path.clone()).or_default();
        let mut file = match File::open(&path) {
            Ok(file) => file,
            // Another process has tidied up.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if file.metadata()?.len() < *at + SIZE {
            continue;
        }
        file.seek(SeekFrom::Start(*at))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (whole, _rest) = bytes.as_chunks::<{ SIZE as usize }>();
        *at += whole.len() as u64 * SIZE;
        over.extend(whole.iter().filter_map(read_one));
    }
    Ok(over)
}

/// Appends these to the file of the day; with none of them, sees whether that is possible.
fn append(folder: &Path, over: &[Over], now: Timestamp) -> io::Result<()> {
    let path = folder.join(format!("{PREFIX}{}", now.0 / DAY));
    let new = !path.exists();
    let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
    file.lock()?;
    // A write that was broken off leaves a piece, which is made whole, and counts for nothing.
    let torn = file.metadata()?.len() % SIZE;
    let mut bytes = if torn == 0 { Vec::new() } else { vec![0; (SIZE - torn) as usize] };
    over.iter().for_each(|one| bytes.extend(write_one(one)));
    file.write_all(&bytes)?;
    file.sync_data()?;
    if new {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Removes files of which nothing matters any more.
fn tidy(folder: &Path, absolute: u64, now: Timestamp) -> io::Result<()> {
    for (day, path) in files(folder)? {
        let over = (day + 2).saturating_mul(DAY).saturating_add(absolute) < now.0;
        if !over {
            continue;
        }
        let bytes = fs::read(&path)?;
        let (whole, _rest) = bytes.as_chunks::<{ SIZE as usize }>();
        let stays = |one: &Over| one.began >= FOREVER;
        let stay: Vec<Over> = whole.iter().filter_map(read_one).filter(stays).collect();
        if !stay.is_empty() {
            append(folder, &stay, now)?;
        }
        fs::remove_file(&path)?;
    }
    Ok(())
}

/// Ours in the folder, by day.
fn files(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let day = name.and_then(|name| name.strip_prefix(PREFIX)?.parse().ok());
        files.extend(day.map(|day| (day, path)));
    }
    files.sort_unstable();
    Ok(files)
}

/// A letter, the name, the time with its most significant byte first, and the first bytes of a digest
/// of these: what the disk has lost or bent is no entry.
fn write_one(over: &Over) -> [u8; SIZE as usize] {
    let mut bytes = [0; SIZE as usize];
    bytes[0] = over.names.letter();
    bytes[1..17].copy_from_slice(&over.name);
    bytes[17..25].copy_from_slice(&over.began.0.to_be_bytes());
    let digest = sha256(&[&bytes[..25]]);
    bytes[25..].copy_from_slice(&digest[..7]);
    bytes
}

fn read_one(bytes: &[u8; SIZE as usize]) -> Option<Over> {
    let (body, digest) = bytes.split_first_chunk::<25>()?;
    let (letter, rest) = body.split_first()?;
    let (name, began) = rest.split_first_chunk::<16>()?;
    let began = Timestamp(u64::from_be_bytes(began.try_into().ok()?));
    let over = Over { names: Names::of_letter(*letter)?, name: *name, began };
    (sha256(&[body])[..7] == *digest).then_some(over)
}

fn gone() -> io::Error {
    io::Error::other("the thread that writes has ended")
}

const PREFIX: &str = "ended-";
const DAY: u64 = 86_400;
/// Bytes of one entry.
const SIZE: u64 = 32;
/// How often it is looked for what others wrote.
const LOOK: Duration = Duration::from_millis(500);
/// Errands that share one sync at most.
const MOST_AT_ONCE: usize = 4_096;
/// Entries that wait for a disk that takes none, of 32 bytes each. The oldest of those beyond it hold in
/// this process alone.
const MOST_UNWRITTEN: usize = 100_000;
/// The permission of others to write.
const EVERYBODY_WRITES: u32 = 0o002;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000);

    fn over(name: u8, began: Timestamp) -> Over {
        Over { names: Names::Marks, name: [name; 16], began }
    }

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("ended-{}-{name}", std::process::id()));
        let _was_not_there = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        folder
    }

    fn all(folder: &Path) -> Vec<Over> {
        news(folder, &mut HashMap::new()).unwrap()
    }

    #[test]
    fn what_was_written_is_read_and_what_is_torn_or_bent_is_passed_over() {
        let folder = &scratch("torn");
        append(folder, &[over(1, NOW)], NOW).unwrap();
        let path = files(folder).unwrap().remove(0).1;
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(&write_one(&over(2, NOW))[..20]).unwrap();
        append(folder, &[over(3, NOW)], NOW).unwrap();
        let mut bent = write_one(&over(4, NOW));
        bent[5] ^= 1;
        file.write_all(&bent).unwrap();
        append(folder, &[over(5, NOW)], NOW.plus(DAY)).unwrap();
        assert_eq!(all(folder), [over(1, NOW), over(3, NOW), over(5, NOW)]);
    }

    #[tokio::test]
    async fn what_the_disk_did_not_take_is_written_when_it_does() {
        let folder = &scratch("untaken");
        let journal = Journal::open(folder, 1_000, NOW).unwrap();
        let later = NOW.plus(DAY);
        let in_the_way = folder.join(format!("{PREFIX}{}", later.0 / DAY));
        fs::create_dir(&in_the_way).unwrap();
        assert!(journal.keep(vec![over(1, later)], later).await.is_err());
        fs::remove_dir(&in_the_way).unwrap();
        let begun = std::time::Instant::now();
        while all(folder) != [over(1, later)] {
            assert!(begun.elapsed() < Duration::from_secs(10), "it was forgotten");
            tokio::task::yield_now().await;
        }
        drop(journal);
    }

    #[test]
    fn a_folder_is_for_one_user_and_one_that_everybody_writes_in_is_refused() {
        let folder = scratch("open").join("made");
        drop(Journal::open(&folder, 1_000, NOW).unwrap());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&files(&folder).unwrap()[0].1), 0o600);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        let refused = Journal::open(&folder, 1_000, NOW).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn a_file_goes_when_nothing_in_it_matters_and_what_is_for_ever_stays() {
        let folder = &scratch("tidy");
        append(folder, &[over(1, NOW), over(2, FOREVER)], NOW).unwrap();
        tidy(folder, 1_000, NOW.plus(DAY)).unwrap();
        assert_eq!(all(folder).len(), 2);
        let later = NOW.plus(3 * DAY);
        tidy(folder, 1_000, later).unwrap();
        assert_eq!(all(folder), [over(2, FOREVER)]);
        assert_eq!(files(folder).unwrap().len(), 1);
    }
}
