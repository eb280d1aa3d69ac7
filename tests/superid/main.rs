//! SuperID's back channel over real sockets: keys, codes and posted tokens, with a double that
//! says what it is told to.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test says why it fails by failing"
)]

mod double;
#[cfg(feature = "emulator")]
mod emulated;
mod exchange;
mod keys;
mod mint;
mod posted;
mod redeem;
mod tenants;
mod world;
