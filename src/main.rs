//! The door: the command line, on an allocator that suits many small requests.

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let sweeper = thread::Builder::new().name("memory".to_owned());
    // Where there is no thread for it, memory goes back later.
    let _no_thread = sweeper.spawn(|| {
        loop {
            thread::sleep(Duration::from_secs(5));
            give_back();
        }
    });
    superid_gateway::cli::main()
}

/// Gives memory that has been free for a while back to the system. The allocator does so by itself
/// only while somebody frees more: after a crowd has gone, a quiet process would keep all of it.
#[allow(unsafe_code, reason = "the allocator's own function, in C")]
fn give_back() {
    // SAFETY: it may be called by any thread at any time; it looks at what this thread holds and at
    // what nobody holds.
    unsafe { libmimalloc_sys::mi_collect(false) }
}
