//! The link to the store that replicas share: bounded commands, leases, counts.

mod commands;
mod failure;
mod lanes;
mod lease;
mod link;
mod server;
mod window;

pub use failure::LinkFailed;
pub use lanes::LinkState;
pub use lease::{Lease, Turn};
pub use link::RedisLink;
pub use window::Window;
