//! `emulator`: SuperID alone, for an app's own development.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use crate::emulator::{App, Emulator, Options};

use super::arguments::Emulated;
use super::signals::told_to_stop;

/// Serves an emulated SuperID that knows one app.
///
/// # Errors
/// When its address or a signal handler cannot be had.
pub(super) fn emulate(asked: Emulated) -> io::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listen = SocketAddr::new(asked.address, asked.port);
        let options = Options { listen, apps: vec![app(&asked)], ..Options::default() };
        let emulator = Emulator::start(options).await?;
        print(&asked, emulator.url());
        told_to_stop().await?;
        emulator.stop().await;
        io::Result::Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

fn app(asked: &Emulated) -> App {
    let redirect_uris = if asked.redirect_uri.is_empty() {
        vec![ANY_LOOPBACK.to_owned()]
    } else {
        asked.redirect_uri.clone()
    };
    let post_logout_uris = if asked.post_logout_uri.is_empty() {
        vec![ANY_LOOPBACK.to_owned()]
    } else {
        asked.post_logout_uri.clone()
    };
    App {
        redirect_uris,
        post_logout_uris,
        legacy_redirect: asked.legacy_redirect.clone(),
        ..App::new(&asked.client_id, &asked.client_secret, "")
    }
}

fn print(asked: &Emulated, url: &str) {
    if asked.json {
        println!("{}", serde_json::json!({ "superid": url }));
        return;
    }
    println!(
        "An emulated SuperID is at {url}, for the client id {}.\n\n{}\n\
         Everything else it does is in docs/emulator.md. Ctrl-C ends it.",
        asked.client_id,
        places(url)
    );
}

/// Every door, a line each.
fn places(url: &str) -> String {
    PLACES.iter().map(|(name, path)| format!("  {name:<25}{url}{path}\n")).collect()
}

/// Where no redirect URL is given: any port and path of this machine.
const ANY_LOOPBACK: &str = r"^http://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?(/.*)?$";
/// What each door is for, and its path; where a tenant or a directory stands in it, a seeded one.
const PLACES: [(&str, &str); 19] = [
    ("discovery", "/login/.well-known/openid-configuration"),
    ("keys", "/login/.well-known/jwks"),
    ("sign-in", "/login/common/oauth/authorize"),
    ("sign-in to a tenant", "/login/Cust12345/oauth/authorize"),
    ("tokens", "/login/common/oauth/tokens"),
    ("refresh tokens revoked", "/login/common/oauth/revoke"),
    ("sign-out", "/login/logout"),
    ("legacy sign-in", "/login/"),
    ("system users, REST", "/Login/api/PartnerSystemUser/Authenticate"),
    ("system users, SOAP", "/Login/services/PartnerSystemUserService.svc"),
    ("a tenant's state", "/api/state/Cust12345"),
    ("a tenant's web API", "/Cust12345/api/"),
    ("a tenant's SOAP services", "/Cust12345/Remote/Services88/Contact.svc"),
    ("a provider like Google", "/google/.well-known/openid-configuration"),
    ("a provider like Entra", "/entra/common/FederationMetadata/2007-06/FederationMetadata.xml"),
    ("who can come", "/emulator/people"),
    ("tenants", "/emulator/tenants"),
    ("faults", "/emulator/faults"),
    ("what was asked", "/emulator/journal"),
];
