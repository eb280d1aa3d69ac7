//! What the demo and the emulator can be told.

use std::net::{IpAddr, Ipv4Addr};

use clap::Args;

/// Where the demo listens. A port of 0 is any free one.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Demo {
    /// The gateway's port on localhost
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(super) port: u16,
    /// The emulated SuperID's port on 127.0.0.1
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(super) superid_port: u16,
    /// The demo app's port on 127.0.0.1
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(super) app_port: u16,
    /// The admin listener's port on 127.0.0.1
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(super) admin_port: u16,
    /// The port on 127.0.0.1 that background jobs call
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(super) jobs_port: u16,
    /// Print one line of JSON with the addresses instead of words
    #[arg(long)]
    pub(super) json: bool,
}

/// Where the emulator listens, and the app it knows from the start.
#[derive(Clone, Debug, Args)]
pub(super) struct Emulated {
    /// Its port; 0 is any free one
    #[arg(long, value_name = "PORT", default_value_t = 7400)]
    pub(super) port: u16,
    /// Its address; other machines reach it only if you say so here
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub(super) address: IpAddr,
    /// The app's client id
    #[arg(long, value_name = "ID", default_value = "demo-app")]
    pub(super) client_id: String,
    /// The app's client secret
    #[arg(long, value_name = "SECRET", default_value = "demo-secret")]
    pub(super) client_secret: String,
    /// A redirect URL of the app; a regular expression where it begins with ^
    #[arg(long, value_name = "URL")]
    pub(super) redirect_uri: Vec<String>,
    /// A post-logout URL of the app
    #[arg(long, value_name = "URL")]
    pub(super) post_logout_uri: Vec<String>,
    /// Where the legacy form post goes
    #[arg(long, value_name = "URL")]
    pub(super) legacy_redirect: Option<String>,
    /// Print one line of JSON with the address instead of words
    #[arg(long)]
    pub(super) json: bool,
}
