//! Waiting until the gateway waits, so that whatever it is sent finds it in the same state: under
//! valgrind it is slow, and would meet an answer early or late as the machine's mood has it.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

/// The gateway that is to be waited for. There is one at a time; 0 is none.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// Names it.
pub fn watch(process: u32) {
    PROCESS.store(process, Ordering::Relaxed);
}

/// Returns when each thread of the gateway sleeps, or it is gone.
pub fn wait() {
    let tasks = format!("/proc/{}/task", PROCESS.load(Ordering::Relaxed));
    while runs(&tasks) {
        std::thread::yield_now();
    }
}

/// Whether a thread does something: its state in proc_pid_stat(5), after the name in brackets.
fn runs(tasks: &str) -> bool {
    let states = fs::read_dir(tasks).into_iter().flatten().flatten().filter_map(|task| {
        let stat = fs::read_to_string(task.path().join("stat")).ok()?;
        stat.rsplit(") ").next()?.chars().next()
    });
    states.into_iter().any(|state| state != 'S')
}
