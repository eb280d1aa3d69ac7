//! `sessions` and `tenants`: what people ask of the admin API of a running gateway.

mod asking;
mod sessions;
mod tenants;

pub(in crate::cli) use sessions::{SESSIONS_HELP, SessionsCommand, sessions};
pub(in crate::cli) use tenants::{TENANTS_HELP, Tenants, tenants};
