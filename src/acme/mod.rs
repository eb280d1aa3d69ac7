//! Certificates from an authority (ACME, RFC 8555): ordered, proven to be ours, kept, and renewed in
//! time.
//!
//! One task for each process looks after all of them ([`Keeper`]). What it learns lies in files
//! (`shelf`): the certificate, which listeners look at anew as at any other file; what the
//! authority will ask for, which any process on the folder answers; and what is remembered of
//! orders, so that no restart asks what was refused a minute ago.

mod authority;
mod challenges;
mod keeper;
mod order;
mod schedule;
mod shelf;

pub use challenges::{Proving, http_proof, tls_proof};
pub use keeper::{Force, Keeper};
