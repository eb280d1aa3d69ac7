//! The client's side of a request of HTTP/1: the guard of its connection has read it strictly, and here
//! it is taken apart, and its answer spelled.

mod answering;
mod head;
mod incoming;
mod message;
mod opened;

pub(in crate::gateway) use message::Message;
pub use opened::{Behind, Opened, Whence};
