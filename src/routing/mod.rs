//! Which route a request is for.

mod matcher;
mod table;

pub use table::Table;
