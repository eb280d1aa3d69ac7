//! What outlives a process: system user tokens, sealed, by environment, app and tenant.

mod embedded;
mod entries;
mod entry;
mod event;
mod failure;
mod field;
mod keeping;
mod memory;
mod outbox;
mod portable;
mod record;
mod redis_letters;
mod redis_scripts;
mod sealer;
mod shared;
mod sqlite;
mod sqlite_file;
mod sqlite_outbox;
mod store;
mod telling;
mod tending;
mod upkeep;

pub use embedded::Embedded;
pub use entries::{RESTORABLE, Vault};
pub use entry::{Entry, Summary};
pub use event::{Event, EventKind, Telling};
pub use failure::{Unopened, VaultFailed};
pub use memory::Memory;
pub use outbox::{Backlog, Claim, Letter, MOST_LETTERS, NEVER, Waiting};
pub use portable::{LineRefused, plain_line, read_line, sealed_line};
pub use record::{Name, Record};
pub use sealer::Sealer;
pub use shared::Shared;
pub use store::{PAGE, Promised, Store};
pub use upkeep::{Fault, Listed, Page, Rewrapped, Verified};
