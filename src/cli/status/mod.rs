//! `status`: how the running gateway stands, for a terminal or for a program.

mod numbers;
mod page;
mod paint;
mod show;

pub use show::{Show, status};
