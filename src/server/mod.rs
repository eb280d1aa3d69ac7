//! Listeners, workers and their end: what carries the gateway.

mod admin;
mod assemble;
mod buffered;
mod certificates;
mod doors;
mod listener;
mod run;
mod worker;

pub use assemble::{Options, Roots, StartFailed};
pub use run::Running;
