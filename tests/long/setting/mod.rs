//! What long tests share: the gateway as a process of its own, and whole answers.

mod answer;
mod gateway;

pub use answer::ask;
pub use gateway::{Gateway, client_tls};
