//! Signs people in with SuperOffice's SuperID in front of any web app: a reverse proxy that
//! redirects, verifies, keeps the session and tells the app who is calling.

pub mod acme;
mod admission;
pub mod assertion;
pub mod authn;
mod back_channel;
pub mod cli;
pub mod clock;
pub mod config;
pub mod credentials;
pub mod crypto;
#[cfg(feature = "emulator")]
pub mod emulator;
pub mod gateway;
pub mod identity;
pub mod limits;
pub mod oidc;
pub mod pages;
pub mod redis_link;
pub mod routing;
pub mod saml;
pub mod server;
pub mod session;
pub mod signin;
pub mod superid;
pub mod telemetry;
pub mod tenants;
pub mod upstreams;
pub mod vault;
pub mod web;
pub mod webhook;
pub mod ws_federation;
