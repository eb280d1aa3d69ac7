//! What an operator reads: a line for each request, the log, and metrics.

mod access_log;
mod calls;
mod drain;
mod limit;
mod links;
mod logging;
mod metrics;
mod servers;
mod tickets;
mod webhooks;

pub use access_log::{AccessLine, AccessLog, RefusedLine};
pub use drain::{Drain, Drained, Outcome};
pub use limit::Limit;
pub use links::{LinkCounter, LinkCounters};
pub use logging::{Output, log_to};
pub use metrics::{Levels, Metrics, RouteMetrics};
pub use servers::{ServerCounters, ServerFailure, ServerLevel};
pub use tickets::{TicketCounters, TicketExchange, TicketShare};
pub use webhooks::{Delivery, WebhookCounters};
