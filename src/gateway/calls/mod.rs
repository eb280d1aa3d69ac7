//! Calls to tenants' web services: which tenant, with what credential, and what comes back.

mod call;
mod decide;
mod incoming;
mod location;
mod outgoing;
mod refused;
mod soap;
mod steps;
mod target;
mod trouble;
mod ways;

pub use call::Call;
pub(super) use decide::{Relayed, decide_job};
pub(super) use incoming::{AGAIN, clean};
pub(super) use soap::{NO_SOAP, begin, ended, fill};
pub(super) use steps::{edit, judge, lead, prepare, unreachable};
pub use trouble::CallTrouble;
pub(super) use ways::Ways;
