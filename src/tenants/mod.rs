//! Where tenants live.

mod interim;

pub use interim::{Away, Home, Tenants};
