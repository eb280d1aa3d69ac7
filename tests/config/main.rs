//! The configuration: what is accepted, what is refused and in which words, and what is documented.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test says why it fails by failing"
)]

mod commands;
mod examples;
mod golden;
mod hostile;
mod layers;
mod partner_key_commands;
mod reference;
mod scratch;
mod session_keys;
