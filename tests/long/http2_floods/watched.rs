//! What a process costs from one moment to another, as Linux tells it.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Looks at a process's memory while something goes on.
pub struct Watch {
    process: u32,
    seconds: f64,
    pages: usize,
    most: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
    looking: JoinHandle<()>,
}

impl Watch {
    pub fn start(process: u32) -> Self {
        let pages = resident(process);
        let (most, over) = (Arc::new(AtomicUsize::new(pages)), Arc::new(AtomicBool::new(false)));
        let (noting, until) = (most.clone(), over.clone());
        let looking = std::thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                noting.fetch_max(resident(process), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        Self { process, seconds: seconds(process), pages, most, over, looking }
    }

    /// CPU-seconds of all its threads, and the megabytes by which it grew at most.
    pub fn end(self) -> (f64, f64) {
        self.over.store(true, Ordering::Relaxed);
        self.looking.join().unwrap();
        let grown = self.most.load(Ordering::Relaxed) - self.pages;
        (seconds(self.process) - self.seconds, (grown * PAGE) as f64 / 1e6)
    }
}

/// Time on a processor: the first figure of schedstat, in nanoseconds, of each thread.
fn seconds(process: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let spent = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    });
    spent.sum::<f64>() / 1e9
}

/// Pages in memory: the second figure of statm.
fn resident(process: u32) -> usize {
    let text = fs::read_to_string(format!("/proc/{process}/statm")).unwrap();
    text.split(' ').nth(1).unwrap().parse().unwrap()
}

const PAGE: usize = 4_096;
