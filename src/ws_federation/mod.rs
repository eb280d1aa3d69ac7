//! Sign-in by WS-Federation's passive requests: the addresses people are sent to, and the tokens that
//! are posted back.

mod arrival;
mod failure;
mod request;
mod verify;

pub use arrival::Arrival;
pub use failure::FederationFailed;
pub use request::{sign_in_query, sign_out};
pub use verify::{Clocks, verify};
