//! Apps that speak HTTP/2, gRPC among it: pingora speaks to the client, and we to the app.

mod answer;
mod faults;
mod heads;
mod links;
mod look;
mod talk;
mod upload;

pub(super) use faults::UNSEEN;
pub(super) use heads::asked;
pub(super) use links::{Lease, lease};
pub(super) use look::look;
pub(super) use talk::Talking;
