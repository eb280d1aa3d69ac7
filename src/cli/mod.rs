//! The commands.

mod check;
mod keys;
mod verdict;

pub use check::check;
pub use keys::keys;
pub use verdict::Verdict;
