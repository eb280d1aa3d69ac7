//! Servers that stand for one another: which of them a request goes to, and which are left out.

mod choice;
mod member;
mod pool;

pub use member::{Looks, Member, Turn};
pub use pool::{Asking, Ejected, Pool, Taken, Tried};
