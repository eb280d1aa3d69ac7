//! HTTP/2 spoken by hand: frame by frame, right and wrong.

mod conformance;
mod ends;
mod floods;
mod forewarning;
pub mod frames;
mod framing;
mod hpack;
mod messages;
mod stalls;
mod states;
mod talker;
mod verdict;

pub use talker::{Talker, secured};
