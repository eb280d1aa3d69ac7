//! The allocator of the program, counting, and the loop that times and counts.

use std::alloc::{GlobalAlloc, Layout};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// mimalloc, counting every allocation and every growth.
pub struct Counting(pub mimalloc::MiMalloc);

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

#[allow(
    unsafe_code,
    reason = "an allocator is unsafe to write; this one only counts and passes on"
)]
// SAFETY: every call goes to mimalloc with the arguments it came with.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        unsafe { self.0.dealloc(place, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { self.0.realloc(place, layout, size) }
    }
}

/// What one call costs.
#[derive(Clone, Copy)]
pub struct Cost {
    pub nanoseconds: f64,
    pub allocations: f64,
}

/// The least of [`BATCHES`] batches: whatever else the machine did only adds.
pub fn cost<T>(mut call: impl FnMut() -> T) -> Cost {
    let mut nanoseconds = f64::INFINITY;
    let mut allocations = 0.0;
    for _ in 0..BATCHES {
        let (before, start) = (ALLOCATIONS.load(Ordering::Relaxed), Instant::now());
        for _ in 0..CALLS {
            black_box(call());
        }
        let each = start.elapsed().as_nanos() as f64 / f64::from(CALLS);
        nanoseconds = nanoseconds.min(each);
        let counted = ALLOCATIONS.load(Ordering::Relaxed) - before;
        allocations = counted as f64 / f64::from(CALLS);
    }
    Cost { nanoseconds, allocations }
}

const BATCHES: u32 = 40;
const CALLS: u32 = 5_000;
