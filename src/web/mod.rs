//! Requests and replies as HTTP has them, before anything of SuperID.

mod origin;

pub use origin::{InvalidOrigin, PublicOrigin};
