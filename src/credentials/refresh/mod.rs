//! Credentials of signed-in people, had anew before they die: once for all requests of a session.

mod asking;
mod errand;
mod flights;
mod means;
mod quiet;
mod refresher;
mod revoking;

pub use flights::{Landed, Waiting};
pub use refresher::{Needed, Refresher};
