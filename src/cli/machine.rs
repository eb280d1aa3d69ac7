//! What a process that serves asks of the machine first.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Takes as many file descriptors as it may have, and says so when they are too few for
/// `connections`.
pub(super) fn prepare(connections: usize) {
    let most = descriptors();
    let wanted = 2 * connections as u64 + BESIDE;
    if most < wanted {
        tracing::warn!(
            "max_connections can take {wanted} file descriptors, and the machine gives {most}"
        );
    }
}

/// Raises the soft limit to the hard one; what it is then.
fn descriptors() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let most = if raised.is_ok() { maximum } else { current };
    most.unwrap_or(u64::MAX)
}

/// Takes memory in small pages from here on, whatever the machine is set to.
/// Buffers are mostly room for what may come: a huge page makes all of that real memory, 60 kB for
/// each slow upload.
#[cfg(target_os = "linux")]
pub fn small_pages() {
    let _refused = rustix::thread::disable_transparent_huge_pages(true);
}

#[cfg(not(target_os = "linux"))]
pub fn small_pages() {}

/// Descriptors for everything but connections.
const BESIDE: u64 = 100;
