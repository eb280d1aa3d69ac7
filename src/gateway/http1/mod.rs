//! Apps and tenants that speak HTTP/1.1: pingora speaks to the client, and we to the app.

mod chunks;
mod connecting;
mod framing;
mod head;
mod talk;
mod upload;

pub(super) use chunks::Chunks;
pub(super) use connecting::{Connection, connect};
pub(super) use framing::Body;
pub(super) use talk::Talking;
pub(super) use upload::{Asked, With};
