//! What is said of a person to an app, signed, so that the app need not trust the network.

mod key_set;
mod signer;

pub use signer::{Addressee, Assertion, Signer};
