//! The link to the store that replicas share: bounded commands, leases, counts.

mod allowance;
mod ballot;
mod cluster;
mod commands;
mod dialler;
mod failure;
mod lanes;
mod lease;
mod link;
mod script;
mod sentinels;
mod server;
mod slots;
mod surveyor;
mod watch;
mod way;
mod window;

pub use allowance::{Allowance, COMMAND};
pub use cluster::LinkState;
pub use failure::LinkFailed;
pub use lanes::Kept;
pub use lease::{Lease, Turn};
pub use link::RedisLink;
pub use script::{Answer, Script};
pub use watch::LinkWatch;
pub use window::Window;
