//! What the system says of this process, under the names Prometheus' own clients use.

use std::fs;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::catalogue::{
    PROCESS_CPU, PROCESS_MAX_FDS, PROCESS_OPEN_FDS, PROCESS_RESIDENT_MEMORY, PROCESS_START_TIME,
    PROCESS_THREADS, PROCESS_VIRTUAL_MEMORY,
};
use super::registry::Levels;

/// What is known of it now. What the system does not tell, as anywhere but on Linux, is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Process {
    /// In seconds since 1970.
    pub began: f64,
    pub cpu_seconds: Option<f64>,
    pub resident_bytes: Option<u64>,
    pub virtual_bytes: Option<u64>,
    pub threads: Option<u64>,
    pub open_fds: Option<u64>,
    pub max_fds: Option<u64>,
}

/// To be called early: the process began when this was called first.
pub fn process_began() {
    LazyLock::force(&BEGAN);
}

impl Process {
    pub fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        let kilobytes = |name| member(&status, name).map(|count| count << 10);
        Self {
            began: BEGAN.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64(),
            cpu_seconds: cpu(),
            resident_bytes: kilobytes("VmRSS:"),
            virtual_bytes: kilobytes("VmSize:"),
            threads: member(&status, "Threads:"),
            // One of them is the folder's own.
            open_fds: fs::read_dir("/proc/self/fd").ok().map(|all| all.count() as u64 - 1),
            max_fds: member(&limits, "Max open files"),
        }
    }

    pub(super) fn tell(&self, levels: &mut Levels) {
        levels.add(&PROCESS_START_TIME, &[], self.began);
        let whole = |count: Option<u64>| count.map(|count| count as f64);
        for (family, value) in [
            (&PROCESS_CPU, self.cpu_seconds),
            (&PROCESS_RESIDENT_MEMORY, whole(self.resident_bytes)),
            (&PROCESS_VIRTUAL_MEMORY, whole(self.virtual_bytes)),
            (&PROCESS_OPEN_FDS, whole(self.open_fds)),
            (&PROCESS_MAX_FDS, whole(self.max_fds)),
            (&PROCESS_THREADS, whole(self.threads)),
        ] {
            value.into_iter().for_each(|value| levels.add(family, &[], value));
        }
    }
}

/// The first number after a name at the begin of a line.
fn member(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Of every thread that is and was: the scheduler's own account, in nanoseconds, would be of one thread
/// alone, so it is read in ticks of a hundredth of a second, which all of Linux counts in for programs.
fn cpu() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The program's name stands in brackets and may hold anything.
    let mut fields = text.rsplit(')').next()?.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis(10 * (ticks()? + ticks()?)).as_secs_f64())
}

static BEGAN: LazyLock<SystemTime> = LazyLock::new(SystemTime::now);

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn linux_tells_everything() {
        process_began();
        let process = Process::now();
        assert!(process.cpu_seconds.is_some_and(|seconds| seconds >= 0.0));
        assert!(process.resident_bytes.is_some_and(|bytes| bytes > 1 << 20));
        assert!(process.virtual_bytes > process.resident_bytes);
        assert!(process.threads.is_some_and(|threads| threads > 0));
        assert!(
            process.open_fds.is_some_and(|open| open > 2) && process.open_fds < process.max_fds
        );
    }
}
