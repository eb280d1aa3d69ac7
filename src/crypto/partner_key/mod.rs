//! Partner keys: the RSA keys SuperOffice gives out, in the forms people keep them in.

mod components;
mod encrypted_pkcs1;
mod encrypted_pkcs8;
mod key;
mod key_xml;
mod pem;
mod refused;
mod signing;
#[cfg(feature = "weak-partner-keys")]
mod weak;

pub use key::{KeyForm, PartnerKey};
pub use refused::{KeyRefused, SigningFailed};
pub use signing::{CannotSign, SigningKey, WeakKeys};
