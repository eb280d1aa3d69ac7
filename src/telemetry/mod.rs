//! What an operator reads: a line for each request, the log, and metrics.

mod access_log;
mod calls;
mod drain;
mod limit;
mod logging;
mod metrics;
mod servers;
mod tickets;

pub use access_log::{AccessLine, AccessLog, RefusedLine};
pub use drain::{Drain, Drained, Outcome};
pub use limit::Limit;
pub use logging::{Output, log_to};
pub use metrics::{Levels, Metrics, RouteMetrics};
pub use servers::{ServerCounters, ServerFailure, ServerLevel};
pub use tickets::{TicketCounters, TicketExchange, TicketShare};
