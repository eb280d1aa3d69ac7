//! The strict front of HTTP/1: what stands between a client's bytes and whoever serves them.

mod alphabet;
mod body;
mod chunks;
mod conversation;
mod farewell;
mod fault;
mod fields;
mod head;
mod outgoing;
mod pace;
mod parting;
mod passing;
mod reading;
mod stream;
mod terms;
mod tunnel;
mod writing;

pub use farewell::Farewell;
pub use fault::Fault;
pub use head::{Head, HeadScan};
pub use parting::{Parted, WayBack};
pub use stream::{Guard, Opening};
pub use terms::Terms;

pub(super) use outgoing::Outgoing;
pub(super) use pace::Pace;
