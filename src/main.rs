//! The door: the command line, on an allocator that suits many small requests.

use std::alloc::{GlobalAlloc, Layout};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use libmimalloc_sys as mimalloc;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn main() -> ExitCode {
    superid_gateway::cli::small_pages();
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
    unsafe { mimalloc::mi_collect(false) }
}

/// mimalloc. Its own crate asks for an alignment each time, even for one that everything has: for
/// what is larger than a kilobyte, such as the future of a request, that is its slow way.
struct Allocator;

impl Allocator {
    /// Whether what mimalloc gives for a size is aligned as wanted, whatever was asked for.
    fn is_natural(size: usize, align: usize) -> bool {
        align <= size_of::<usize>() || (align <= NATURAL && size >= NATURAL)
    }
}

#[allow(unsafe_code, reason = "an allocator is unsafe by its trait")]
// SAFETY: each call goes to mimalloc, which keeps to malloc's contract; what is freed or grown came
// from it, by whichever of its functions.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (size, align) = (layout.size(), layout.align());
        match Self::is_natural(size, align) {
            true => unsafe { mimalloc::mi_malloc(size).cast() },
            false => unsafe { mimalloc::mi_malloc_aligned(size, align).cast() },
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let (size, align) = (layout.size(), layout.align());
        match Self::is_natural(size, align) {
            true => unsafe { mimalloc::mi_zalloc(size).cast() },
            false => unsafe { mimalloc::mi_zalloc_aligned(size, align).cast() },
        }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, _layout: Layout) {
        unsafe { mimalloc::mi_free(pointer.cast()) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let align = layout.align();
        match Self::is_natural(size, align) {
            true => unsafe { mimalloc::mi_realloc(pointer.cast(), size).cast() },
            false => unsafe { mimalloc::mi_realloc_aligned(pointer.cast(), size, align).cast() },
        }
    }
}

/// The alignment that malloc gives to what is no smaller.
const NATURAL: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_and_grown_is_aligned_as_it_was_asked_for() {
        for align in [1, 8, 16, 32, 128, 4096] {
            for size in [1, 8, 15, 16, 24, 40, 1_000, 1_025, 5_040, 100_000] {
                let layout = Layout::from_size_align(size, align).unwrap();
                #[allow(unsafe_code, reason = "the allocator is what is tested")]
                // SAFETY: no size is zero, and each piece is freed as it was had.
                unsafe {
                    // More than one, so that not all are the first of a page.
                    let before = [(); 3].map(|()| ALLOCATOR.alloc(layout));
                    assert!(before.iter().all(|piece| piece.addr() % align == 0));
                    let given = ALLOCATOR.alloc(layout);
                    assert_eq!(given.addr() % align, 0, "{size} {align}");
                    given.write_bytes(7, size);
                    let grown = ALLOCATOR.realloc(given, layout, 3 * size + 1);
                    assert_eq!(grown.addr() % align, 0, "{size} {align}, grown");
                    assert!((0..size).all(|at| grown.add(at).read() == 7));
                    let larger = Layout::from_size_align(3 * size + 1, align).unwrap();
                    ALLOCATOR.dealloc(grown, larger);
                    let empty = ALLOCATOR.alloc_zeroed(layout);
                    assert_eq!(empty.addr() % align, 0, "{size} {align}, zeroed");
                    assert!((0..size).all(|at| empty.add(at).read() == 0));
                    ALLOCATOR.dealloc(empty, layout);
                    before.iter().for_each(|piece| ALLOCATOR.dealloc(*piece, layout));
                }
            }
        }
    }
}
