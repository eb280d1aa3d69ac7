//! Tokens, keys and certificates that other people published, through our verifier.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test says why it fails by failing"
)]

mod certificate;
mod conformance;
mod jose_cookbook;
mod openssl;
mod partner_keys;
mod published;
mod return_to;
mod superoffice;
mod wsdl;
mod wycheproof;
