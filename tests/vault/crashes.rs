//! Processes that are killed while they write: what was acknowledged is there, and opens.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use superid_gateway::crypto::Random;

use crate::world::{Folder, KEY, key, open, token, wait};
use crate::writer::{Kept, Orders, Writer};

/// A vault, what it has acknowledged, and what came of it.
pub struct Crashes {
    pub folder: Folder,
    arguments: &'static [&'static str],
    version: u32,
    last: BTreeMap<u32, u32>,
    pub rounds: u32,
    pub acknowledged: u64,
    pub lost: u64,
    pub unreadable: u64,
    pub slowest_start: Duration,
}

impl Crashes {
    /// `arguments` lead this program to the writing process.
    pub fn new(arguments: &'static [&'static str]) -> Self {
        Self {
            folder: Folder::new(),
            arguments,
            version: 1,
            last: BTreeMap::new(),
            rounds: 0,
            acknowledged: 0,
            lost: 0,
            unreadable: 0,
            slowest_start: Duration::ZERO,
        }
    }

    /// Lets two processes write, kills both at random, and looks at what is there.
    pub fn round(&mut self) {
        let [least, spins, more, ..] = Random::system().bytes::<8>();
        let file = self.folder.file();
        let orders = |first| Orders { first, version: self.version, writes: 10_000 };
        let mut writers = [0, 100].map(|first| Writer::start(self.arguments, &file, orders(first)));
        let mut heard: Vec<Kept> = Vec::new();
        for _ in 0..=least % 24 {
            heard.push(writers[0].next().unwrap().unwrap());
        }
        // Anywhere within a write, which takes a millisecond or so.
        let moment = Duration::from_micros(u64::from(spins) * 16 + u64::from(more));
        let begin = Instant::now();
        while begin.elapsed() < moment {
            std::hint::spin_loop();
        }
        writers.iter_mut().for_each(Writer::kill);
        let rest = writers.iter().flat_map(Writer::rest);
        heard.extend(rest.map(|word| word.unwrap()));
        self.note(&heard);
        self.look(file);
        self.rounds += 1;
    }

    fn note(&mut self, heard: &[Kept]) {
        self.acknowledged += heard.len() as u64;
        for Kept { tenant, version } in heard {
            self.last.insert(*tenant, *version);
            // A write that nobody heard of may have happened too.
            self.version = self.version.max(version + 2);
        }
    }

    fn look(&mut self, file: PathBuf) {
        let begin = Instant::now();
        let vault = open(&file, &[KEY]).unwrap();
        self.slowest_start = self.slowest_start.max(begin.elapsed());
        for (tenant, version) in &self.last {
            match wait(vault.get(&key(*tenant))) {
                Err(error) => {
                    println!("{tenant}: {error}");
                    self.unreadable += 1;
                }
                Ok(found) => {
                    let found = token(found);
                    let kept = found.rsplit('-').next().unwrap().parse::<u32>();
                    if kept.is_err() || kept.is_ok_and(|kept| kept < *version) {
                        println!("{tenant}: {version} was acknowledged, {found} is there");
                        self.lost += 1;
                    }
                }
            }
        }
        self.unreadable += wait(vault.verify()).unwrap().faults.len() as u64;
    }
}

impl fmt::Display for Crashes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, acknowledged, lost, unreadable, slowest_start, .. } = self;
        write!(
            out,
            "{rounds} kills of two writers: {acknowledged} writes acknowledged, {lost} lost, \
             {unreadable} unreadable, slowest start {:.1} ms",
            slowest_start.as_secs_f64() * 1_000.0
        )
    }
}
