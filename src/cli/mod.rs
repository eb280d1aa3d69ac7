//! The commands.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what commands are for")]

mod admin_client;
mod api;
#[cfg(feature = "emulator")]
mod arguments;
mod change;
mod check;
mod command;
#[cfg(feature = "emulator")]
mod demo;
#[cfg(feature = "emulator")]
mod demo_settings;
#[cfg(feature = "emulator")]
mod demo_words;
#[cfg(feature = "emulator")]
mod emulate;
mod explain;
mod health;
mod keys;
mod link;
mod logs;
mod machine;
mod partner_keys;
mod predecessor;

mod run;
mod service_manager;
mod session_keys;
mod signals;
mod status;
mod succession;
mod vault;
mod verdict;

pub use change::{Change, change};
pub use check::{check, show};
pub use command::main;
pub use explain::explain;
pub use health::{Admin, Question, health};
pub use keys::keys;
pub use machine::small_pages;
pub use partner_keys::{Conversion, Form, KeySource, PartnerKeyCommand, partner_keys};
pub use session_keys::{SessionKeyCommand, session_keys};
pub use status::{Show, status};
pub use verdict::Verdict;
