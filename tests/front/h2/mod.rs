//! HTTP/2 spoken by hand: frame by frame, right and wrong.

mod conformance;
mod floods;
mod frames;
mod framing;
mod hpack;
mod messages;
mod names;
mod stalls;
mod states;
mod storm;
mod talker;
mod verdict;

pub use talker::Talker;
