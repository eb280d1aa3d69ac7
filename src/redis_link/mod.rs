//! The link to the store that replicas share: bounded commands, leases, counts.

mod commands;
mod failure;
mod lanes;
mod lease;
mod link;
mod script;
mod server;
mod watch;
mod window;

pub use failure::LinkFailed;
pub use lanes::{Kept, LinkState};
pub use lease::{Lease, Turn};
pub use link::RedisLink;
pub use script::{Answer, Script};
pub use watch::LinkWatch;
pub use window::Window;
