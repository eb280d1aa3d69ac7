//! Background jobs call tenants through the real gateway, over real sockets, at an emulated SuperID
//! with tenants that move, close and revoke.
#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod callers;
mod calls;
mod certificates;
mod client;
mod hides;
mod leave;
mod lines;
mod locations;
mod machine_roots;
mod many_tenants;
mod partner;
mod soap;
mod under_load;
mod unix_process;
mod unix_sockets;
mod world;
