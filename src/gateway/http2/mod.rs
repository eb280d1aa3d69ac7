//! Apps that speak HTTP/2, gRPC among it: pingora speaks to the client, and we to the app.

mod answer;
mod carry;
mod faults;
mod heads;
mod links;
mod look;
mod upload;

pub(super) use carry::carry;
pub(super) use faults::UNSEEN;
pub(super) use look::look;
