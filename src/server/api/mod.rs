//! The admin API: sessions, revocations and tenants, for whoever has its credential.

mod asked;
mod desk;
mod gate;
mod operation;
mod reply;
mod revocations;
mod sessions;
mod tenants;

pub(super) use desk::{Api, Between};
pub(super) use reply::Reply;
