//! The demo's configuration: ordinary TOML, so that what it shows is what anybody can write.

use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::config::{self, Settings};
use crate::crypto::Random;
use crate::emulator::{App, GoogleClient, Seed};

/// Where the demo's parts are.
pub(super) struct Places<'a> {
    /// The gateway's port, known before it listens.
    pub(super) port: u16,
    pub(super) admin_port: u16,
    pub(super) jobs_port: u16,
    pub(super) superid: &'a str,
    /// Where tenants live.
    pub(super) tenants: &'a [String],
    /// The private half of the partner's key, as PEM.
    pub(super) partner_key: &'a str,
    pub(super) app: &'a str,
}

/// The configuration as a person would write it.
pub(super) fn text(places: &Places<'_>, random: &Random) -> String {
    let Places { port, admin_port, jobs_port, superid, tenants, partner_key, app } = places;
    let key = || STANDARD.encode(random.bytes::<32>());
    let tenants: Vec<String> = tenants.iter().map(|origin| format!("{origin:?}")).collect();
    let serials = serials(&Seed::default());
    let values = [
        ("@port@", port.to_string()),
        ("@admin_port@", admin_port.to_string()),
        ("@jobs_port@", jobs_port.to_string()),
        ("@tenants@", tenants.join(", ")),
        ("@partner_key@", (*partner_key).to_owned()),
        ("@vault_key@", key()),
        ("@NIGHTLY@", NIGHTLY.to_owned()),
        ("@superid@", (*superid).to_owned()),
        ("@app@", (*app).to_owned()),
        ("@ORDERS@", ORDERS.to_owned()),
        ("@ORDERS_SECRET@", ORDERS_SECRET.to_owned()),
        ("@ARCHIVE@", ARCHIVE.to_owned()),
        ("@ARCHIVE_SECRET@", ARCHIVE_SECRET.to_owned()),
        ("@ONSITE@", ONSITE.to_owned()),
        ("@ONSITE_SECRET@", ONSITE_SECRET.to_owned()),
        ("@serials@", serials),
        ("@key@", key()),
    ];
    let template = include_str!("demo.toml").to_owned();
    values.iter().fold(template, |text, (name, value)| text.replace(name, value))
}

/// The configuration, checked as any other.
///
/// # Errors
/// When it does not hold, which a test rules out.
pub(super) fn settings(text: &str) -> io::Result<Settings> {
    let loaded = config::load_text(text, "demo.toml", Path::new("."), &|_| None);
    let mut settings = loaded.map_err(|problems| io::Error::other(problems.to_string()))?.settings;
    settings.log.access = false;
    Ok(settings)
}

/// The demo's two registrations at the emulated SuperID.
pub(super) fn apps(origin: &str, partner_key: &str) -> Vec<App> {
    let back = vec![format!("{origin}/auth/signed_out")];
    let orders = App {
        name: "Orders".to_owned(),
        system_user: true,
        system_user_keys: vec![partner_key.to_owned()],
        post_logout_uris: back.clone(),
        ..App::new(ORDERS, ORDERS_SECRET, &format!("{origin}/auth/callback"))
    };
    let archive = App {
        name: "The archive".to_owned(),
        post_logout_uris: back,
        legacy_redirect: Some(format!("{origin}/auth/legacy")),
        ..App::new(ARCHIVE, ARCHIVE_SECRET, &format!("{origin}/auth/legacy"))
    };
    vec![orders, archive]
}

/// The demo's registration at the emulated provider like Google.
pub(super) fn google_client(origin: &str) -> GoogleClient {
    GoogleClient {
        post_logout_uris: vec![format!("{origin}/auth/signed_out")],
        ..GoogleClient::new(ONSITE, ONSITE_SECRET, &format!("{origin}/auth/google"))
    }
}

/// The serial numbers a legacy relying party must know beforehand.
fn serials(seed: &Seed) -> String {
    let pairs: Vec<String> = seed
        .tenants
        .iter()
        .map(|tenant| format!("{} = \"{}\"", tenant.ctx, tenant.serial))
        .collect();
    pairs.join(", ")
}

/// The password of the demo's background job.
pub(super) const NIGHTLY: &str = "nightly-demo-password";
pub(super) const ORDERS: &str = "demo-orders";
const ORDERS_SECRET: &str = "demo-orders-secret";
const ARCHIVE: &str = "demo-archive";
const ARCHIVE_SECRET: &str = "demo-archive-secret";
const ONSITE: &str = "demo-onsite";
const ONSITE_SECRET: &str = "demo-onsite-secret";
