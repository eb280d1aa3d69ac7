//! Who is calling, by whichever proof they bring, and whether that is enough for a route.

mod authenticator;
mod caller;
mod permit;

pub use authenticator::{Authenticated, Authenticator};
pub use caller::{Asked, CallDenied, CallPermit, From};
pub use permit::{Denied, Permit, Wanted};
