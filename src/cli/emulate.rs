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
        "An emulated SuperID is at {url}\n\n\
         client id      {}\n\
         discovery      {url}/login/.well-known/openid-configuration\n\
         authorize      {url}/login/common/oauth/authorize\n\
         tokens         {url}/login/common/oauth/tokens\n\
         who can come   {url}/emulator/people\n\
         what was asked {url}/emulator/journal\n\n\
         Ctrl-C ends it.",
        asked.client_id
    );
}

/// Where no redirect URL is given: any port and path of this machine.
const ANY_LOOPBACK: &str = r"^http://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?(/.*)?$";
