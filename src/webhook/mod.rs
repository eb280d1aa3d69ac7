//! Telling apps what happened to their installations: signed, retried until taken.

mod message;
mod patience;
mod sender;

pub use message::{Message, body};
pub use sender::{Now, Sender};
