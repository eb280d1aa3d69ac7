//! Secrets that cannot print, sealing with a ring of keys, and random bytes.

mod random;
mod seal;
mod secret;

pub use random::Random;
pub use seal::{KeyRing, Purpose, Unsealable, install_provider, sha256};
pub use secret::Secret;
