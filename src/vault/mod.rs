//! Interim.

mod interim;

pub use interim::{Entry, Vault, VaultFailed};
