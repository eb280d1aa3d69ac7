//! The front of HTTP/2: what stands between a client's bytes and the library that speaks the
//! protocol. The library refuses what is wrong; this bounds what is right and never ends.

mod account;
mod budget;
mod frames;
mod passing;
mod reading;
mod stream;
mod terms;
mod writing;

pub use stream::{Heard, Watched};
pub use terms::Http2Terms;

pub(super) use terms::options;
