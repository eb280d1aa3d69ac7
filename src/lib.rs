//! Signs people in with SuperOffice's SuperID in front of any web app: a reverse proxy that
//! redirects, verifies, keeps the session and tells the app who is calling.

pub mod cli;
pub mod clock;
pub mod config;
pub mod crypto;
#[cfg(feature = "emulator")]
pub mod emulator;
pub mod identity;
pub mod web;
