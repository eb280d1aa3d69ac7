//! Gives `flate2` the names it expects of zlib-ng, on top of zlib-rs, which is Rust all through.
//!
//! `flate2` (feature `zlib-ng`, asked for by pingora) builds the stream itself, with allocation
//! functions that are never absent; zlib-rs has `Option`s there. Both have the same layout, which
//! the assertions below hold the compiler to.
#![allow(non_camel_case_types, non_snake_case, clippy::missing_safety_doc)]

use std::ffi::{c_char, c_int, c_uint, c_ulong, c_void};

pub use libz_rs_sys::{
    zlibVersion, Z_BLOCK, Z_BUF_ERROR, Z_DATA_ERROR, Z_DEFAULT_STRATEGY, Z_DEFLATED, Z_FINISH,
    Z_FULL_FLUSH, Z_MEM_ERROR, Z_NEED_DICT, Z_NO_FLUSH, Z_OK, Z_PARTIAL_FLUSH, Z_STREAM_END,
    Z_STREAM_ERROR, Z_SYNC_FLUSH,
};

pub type uInt = c_uint;
pub type uLong = c_ulong;
pub type alloc_func = unsafe extern "C" fn(*mut c_void, uInt, uInt) -> *mut c_void;
pub type free_func = unsafe extern "C" fn(*mut c_void, *mut c_void);

/// The stream as C's `zlib.h` lays it out.
#[repr(C)]
pub struct z_stream {
    pub next_in: *mut u8,
    pub avail_in: uInt,
    pub total_in: uLong,
    pub next_out: *mut u8,
    pub avail_out: uInt,
    pub total_out: uLong,
    pub msg: *mut c_char,
    pub state: *mut c_void,
    pub zalloc: alloc_func,
    pub zfree: free_func,
    pub opaque: *mut c_void,
    pub data_type: c_int,
    pub adler: uLong,
    pub reserved: uLong,
}

const _: () = {
    assert!(size_of::<z_stream>() == size_of::<libz_rs_sys::z_stream>());
    assert!(align_of::<z_stream>() == align_of::<libz_rs_sys::z_stream>());
    assert!(
        std::mem::offset_of!(z_stream, zalloc)
            == std::mem::offset_of!(libz_rs_sys::z_stream, zalloc)
    );
    assert!(
        std::mem::offset_of!(z_stream, adler) == std::mem::offset_of!(libz_rs_sys::z_stream, adler)
    );
};

macro_rules! forward {
    ($($name:ident($($arg:ident: $type:ty),*);)*) => {$(
        /// The function of this name in zlib.
        pub unsafe extern "C" fn $name(stream: *mut z_stream, $($arg: $type),*) -> c_int {
            // SAFETY: same layout (asserted above); the caller upholds zlib's own contract.
            unsafe { libz_rs_sys::$name(stream.cast(), $($arg),*) }
        }
    )*};
}

forward! {
    deflate(flush: c_int);
    deflateEnd();
    deflateReset();
    deflateParams(level: c_int, strategy: c_int);
    deflateSetDictionary(dictionary: *const u8, length: uInt);
    deflateInit2_(level: c_int, method: c_int, window_bits: c_int, mem_level: c_int,
                  strategy: c_int, version: *const c_char, stream_size: c_int);
    inflate(flush: c_int);
    inflateEnd();
    inflateReset();
    inflateReset2(window_bits: c_int);
    inflateSetDictionary(dictionary: *const u8, length: uInt);
    inflateInit2_(window_bits: c_int, version: *const c_char, stream_size: c_int);
}
