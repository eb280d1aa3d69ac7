//! What the app is told, in request headers.

mod injected;

pub use injected::{Injection, injected};
