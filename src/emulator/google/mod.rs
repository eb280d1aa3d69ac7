//! An OpenID provider like Google: accounts with hosted domains, and no tenants.

mod authorize;
mod client;
mod client_auth;
mod discovery;
mod endpoints;
mod keys;
mod logout;
mod people;
mod state;
mod tokens;

pub use client::{ClientAuth, GoogleClient, GoogleSettings, IssParameter};
pub(in crate::emulator) use endpoints::{answer, control, control_settings};
pub use keys::Algorithm;
pub(in crate::emulator) use state::Google;
