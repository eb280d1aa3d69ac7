//! Three times an app's capacity, offered for some seconds: what is served, and how soon the rest
//! hear that they are not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "it is run to be read")]

mod app;
mod clients;
mod figures;
mod health;

use std::path::Path;
use std::time::Duration;

use superid_gateway::config;
use superid_gateway::server::{Options, Running};

use crate::app::App;
use crate::clients::Offer;
use crate::figures::Figures;

/// What the app does at once, and how long one takes: 3,200 a second.
const AT_ONCE: usize = 64;
const SERVICE: Duration = Duration::from_millis(20);
/// Offered each second: three times that.
const OFFERED: usize = 3 * 3_200;

fn main() {
    let seconds = std::env::args().find_map(|text| text.parse::<u64>().ok()).unwrap_or(30);
    let app = App::start(SERVICE);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let gateway = runtime.block_on(gateway(app.port));
    let port = gateway.addresses()[0].1.port();
    let admin = gateway.admin().unwrap();
    let duration = Duration::from_secs(seconds);
    let checks = std::thread::spawn(move || health::watch(admin, duration));
    let outcomes = clients::run(Offer { port, each_second: OFFERED, duration });
    let figures = Figures::new(&outcomes, checks.join().unwrap(), &app, duration);
    runtime.block_on(gateway.stop());
    println!("{figures}");
    let broken = figures.broken();
    match broken.is_empty() {
        true => println!("holds"),
        false => {
            println!("does not hold: {}", broken.join("; "));
            std::process::exit(1);
        }
    }
}

async fn gateway(app: u16) -> Running {
    let text =
        CONFIGURATION.replace("$APP", &app.to_string()).replace("$AT_ONCE", &AT_ONCE.to_string());
    let loaded = config::load_text(&text, "load.toml", Path::new("."), &|_| None);
    let settings = loaded.unwrap_or_else(|problems| panic!("{problems}")).settings;
    let options = Options { workers: 1, ..Options::ordinary() };
    let gateway = Running::start(settings, options).await;
    gateway.unwrap_or_else(|error| panic!("{error}"))
}

const CONFIGURATION: &str = r#"
[listener.web]
address = "127.0.0.1:0"
[admin]
address = "127.0.0.1:0"
[host.main]
origin = "http://localhost"
relying_parties = []
[route.app]
upstream = "http://127.0.0.1:$APP"
access = "public"
max_requests = $AT_ONCE
[limits]
max_connections_per_address = 10000
[session]
keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
"#;
