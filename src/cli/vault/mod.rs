//! `vault`: what people do with the system user tokens that are kept.

mod arguments;
mod audited;
mod care;
mod carry;
mod list;
mod open;
mod outbox;

pub(super) use arguments::{VAULT_HELP, VaultCommand, vault};
