//! SAML assertions: those of others and attacks of ours, at the interface of the verifier.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test says why it fails by failing"
)]

mod attacks;
mod conditions;
mod costs;
mod fixtures;
mod generous;
mod signer;
mod token_answers;
mod xmlsec;
