//! The real gateway over real sockets, between an emulated SuperID and an app that keeps notes.
#![cfg(feature = "emulator")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and tells what it measured"
)]

mod access;
mod admin_api;
mod answers;
mod api_client;
mod app_pages;
mod assertion;
mod audit;
mod background;
mod browser;
mod callback;
mod certificates;
mod checks;
mod collector;
mod commands;
mod conformance;
#[cfg(target_os = "linux")]
mod descriptors;
mod diagonal;
mod diagonal_doors;
mod dishonest;
mod drain;
mod dying_tickets;
mod ended_list;
mod errors;
mod federation;
mod federation_scene;
mod framed;
mod front;
mod front_channel;
mod h2_app;
mod handover;
mod headers;
mod health;
mod holes;
mod http2_apps;
mod http2_trouble;
mod https_apps;
mod installing;
mod jar;
mod keeping;
mod legacy;
mod liar;
mod limits;
mod live;
mod local;
mod metrics;
mod notices;
mod open_metrics;
mod operation;
mod outage;
mod own_tenant;
mod paper;
mod parties;
#[path = "../jobs/partner.rs"]
mod partner;
mod provider;
mod provider_clients;
mod proxied;
mod rates;
mod recorder;
#[path = "../tickets/redis_server.rs"]
#[allow(dead_code, reason = "it is shared with the tests of tickets")]
mod redis_server;
mod refreshing;
mod reload;
mod revoked_tokens;
mod saml;
mod schema;
mod service_manager;
mod session;
mod session_keys;
mod sign_in;
mod sign_out;
mod slashes;
mod status;
mod stores;
mod tls;
mod traces;
mod upgrade;
mod upstream;
mod upstreams;
mod used_once;
mod userinfo;
mod webhook;
mod wire;
mod world;
