//! What an operator reads: the log with a line for each request, the audit log, metrics, and traces.

mod access_log;
mod audit_log;
mod calls;
mod drain;
mod exporter;
mod limit;
mod links;
mod logging;
mod metrics;
mod otlp;
mod outlet;
mod servers;
mod sink;
mod spelling;
mod tickets;
mod trace_context;
mod tracer;
mod webhooks;

pub use access_log::{AccessLine, AccessLog, RefusedLine};
pub use audit_log::{AUDIT_LOG, AuditLog, Event, Scene, Who};
pub use drain::{Drain, Drained, Outcome};
pub use exporter::Exporter;
pub use limit::Limit;
pub use links::{LinkCounter, LinkCounters};
pub use logging::log_through;
pub use metrics::{Levels, Metrics, RouteMetrics};
pub use outlet::{Outlet, Writer};
pub use servers::{ServerCounters, ServerFailure, ServerLevel};
pub use tickets::{TicketCounters, TicketExchange, TicketShare};
pub use trace_context::TraceContext;
pub use tracer::{Child, Open, Request, Trace, Tracer, child, current, traced};
pub use webhooks::{Delivery, WebhookCounters};
