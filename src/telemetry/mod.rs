//! What an operator reads: a line for each request, and the log.

mod access_log;
mod logging;

pub use access_log::{AccessLine, AccessLog, RefusedLine};
pub use logging::{Output, log_to};
