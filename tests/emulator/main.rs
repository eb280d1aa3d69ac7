//! The emulator keeps the contract it emulates, over real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test says why it fails by failing"
)]
#![cfg(feature = "emulator")]

mod browser;
mod code_flow;
mod consent;
mod contract;
mod control;
mod crowd;
mod dead_tickets;
mod demo_app;
mod documents;
mod endings;
mod entra;
mod exchange;
mod exchange_soap;
mod google;
mod google_clients;
mod google_scene;
mod hosts;
mod legacy;
mod lies;
mod mint;
mod notices;
mod partner;
mod places;
mod refusals;
mod response_types;
mod saml;
mod scene;
mod tenant_controls;
mod tenant_state;
mod tokens;
mod violations;
mod web_api;
mod web_soap;
mod xmlsec;
