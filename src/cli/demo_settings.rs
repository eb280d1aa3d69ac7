//! The demo's configuration: ordinary TOML, so that what it shows is what anybody can write.

use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::config::{self, Settings};
use crate::crypto::Random;
use crate::emulator::{App, Seed};

/// Where the demo's parts are.
pub(super) struct Places<'a> {
    /// The gateway's port, known before it listens.
    pub(super) port: u16,
    pub(super) admin_port: u16,
    pub(super) superid: &'a str,
    pub(super) app: &'a str,
}

/// The configuration as a person would write it.
pub(super) fn text(places: &Places<'_>, random: &Random) -> String {
    let Places { port, admin_port, superid, app } = places;
    let key = STANDARD.encode(random.bytes::<32>());
    let serials = serials(&Seed::default());
    format!(
        r#"# The demo's configuration. Yours is shorter: see config/minimal.toml.
[listener.demo]
address = "127.0.0.1:{port}"

[admin]
address = "127.0.0.1:{admin_port}"

[host.demo]
origin = "http://localhost:{port}"
oauth2_proxy_paths = true

[environment.demo]
issuer = "{superid}"
authorize_url = "{superid}/login/common/oauth/authorize"
tenant_authorize_url = "{superid}/login/{{ctx}}/oauth/authorize"
token_url = "{superid}/login/common/oauth/tokens"
jwks_url = "{superid}/login/.well-known/jwks"
logout_url = "{superid}/login/logout"
legacy_login_url = "{superid}/login/"
addresses = ["{superid}"]

[relying_party.orders]
title = "Orders"
environment = "demo"
client_id = "{ORDERS}"
client_secret = {{ value = "{ORDERS_SECRET}" }}

[relying_party.archive]
title = "The archive, by legacy sign-in"
environment = "demo"
client_id = "{ARCHIVE}"
client_secret = {{ value = "{ARCHIVE_SECRET}" }}
redirect_path = "/auth/legacy"
flow = "legacy"

[relying_party.archive.legacy]
serials = {{ {serials} }}

[session]
keys = [{{ value = "{key}" }}]

[route.orders]
upstream = "{app}"
relying_parties = ["orders"]
present = "bearer"

[route.archive]
path = "/legacy"
upstream = "{app}"
relying_parties = ["archive"]
present = "ticket"

[route.administrators]
path = "/admin"
upstream = "{app}"
relying_parties = ["orders"]
administrator = true

[route.open]
path = "/public"
upstream = "{app}"
access = "public"
"#
    )
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
pub(super) fn apps(origin: &str) -> Vec<App> {
    let back = vec![format!("{origin}/auth/signed_out")];
    let orders = App {
        name: "Orders".to_owned(),
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

/// The serial numbers a legacy relying party must know beforehand.
fn serials(seed: &Seed) -> String {
    let pairs: Vec<String> = seed
        .tenants
        .iter()
        .map(|tenant| format!("{} = \"{}\"", tenant.ctx, tenant.serial))
        .collect();
    pairs.join(", ")
}

const ORDERS: &str = "demo-orders";
const ORDERS_SECRET: &str = "demo-orders-secret";
const ARCHIVE: &str = "demo-archive";
const ARCHIVE_SECRET: &str = "demo-archive-secret";
