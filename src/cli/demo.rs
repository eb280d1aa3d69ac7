//! `demo`: a SuperID, an app and the gateway in front of it, all on this machine.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::ExitCode;

use crate::config::{LineForm, LogLevel};
use crate::credentials::Installation;
use crate::crypto::Random;
use crate::emulator::{self, Algorithm, DemoApp, Emulator, GoogleSettings, IssuedKey, Seed};
use crate::identity::{ContextId, SystemUserToken};
use crate::server::{Options, Running};
use crate::telemetry::{Outlet, log_through};

use super::arguments::Demo;
use super::demo_settings::{self, NIGHTLY, ORDERS, Places};
use super::demo_words;
use super::signals::told_to_stop;

/// Serves the demo until told to stop.
///
/// # Errors
/// When a port or a signal handler cannot be had.
pub(super) fn demo(asked: Demo) -> io::Result<ExitCode> {
    let (outlet, _writer) = Outlet::to("log", LineForm::Json, io::stderr());
    log_through(&outlet, LogLevel::Warn);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let parts = Parts::start(asked).await?;
        print!("{}", parts.words(asked));
        told_to_stop().await?;
        parts.stop().await;
        if !asked.json {
            println!("The demo is over.");
        }
        io::Result::Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

struct Parts {
    superid: Emulator,
    app: DemoApp,
    gateway: Running,
    port: u16,
}

impl Parts {
    async fn start(asked: Demo) -> io::Result<Self> {
        let front = taken(asked.port)?;
        let admin = taken(asked.admin_port)?;
        let jobs = taken(asked.jobs_port)?;
        let key = IssuedKey::generate()?;
        let port = front.local_addr()?.port();
        let origin = format!("http://localhost:{port}");
        let superid = Emulator::start(emulator::Options {
            listen: loopback(asked.superid_port),
            apps: demo_settings::apps(&origin, &key.public),
            google_clients: vec![demo_settings::google_client(&origin)],
            extra_hosts: 2,
            ..emulator::Options::default()
        })
        .await?;
        // A key on a curve is there at once; RSA would take the first person a moment.
        superid.set_google(GoogleSettings { algorithm: Algorithm::ES256, ..Default::default() });
        let app = DemoApp::start(loopback(asked.app_port)).await?;
        let places = Places {
            port,
            admin_port: admin.local_addr()?.port(),
            jobs_port: jobs.local_addr()?.port(),
            superid: superid.url(),
            tenants: superid.hosts(),
            partner_key: &key.private,
            app: app.url(),
        };
        let text = demo_settings::text(&places, &Random::system());
        let settings = demo_settings::settings(&text)?;
        let open = [("demo", front), ("admin", admin), ("job:jobs", jobs)];
        let open = open.map(|(name, socket)| (name.to_owned(), socket.into())).into();
        let options = Options { open, ..Options::ordinary() };
        let gateway = Running::start(settings, options).await.map_err(io::Error::other)?;
        install(&superid, &gateway).await?;
        Ok(Self { superid, app, gateway, port })
    }

    fn words(&self, asked: Demo) -> String {
        let gateway = format!("http://localhost:{}", self.port);
        let admin = self.gateway.admin().map(|address| format!("http://{address}"));
        let admin = admin.unwrap_or_default();
        let jobs = self.gateway.addresses().into_iter().find(|(name, _)| name == "job:jobs");
        let jobs = jobs.map(|(_, address)| format!("http://{address}")).unwrap_or_default();
        if asked.json {
            let line = serde_json::json!({
                "gateway": gateway,
                "superid": self.superid.url(),
                "app": self.app.url(),
                "admin": admin,
                "jobs": jobs,
                "nightly_password": NIGHTLY,
            });
            return format!("{line}\n");
        }
        let parts = [&gateway, self.superid.url(), self.app.url(), &admin, &jobs];
        demo_words::words(parts)
    }

    async fn stop(self) {
        self.gateway.stop().await;
        self.app.stop().await;
        self.superid.stop().await;
    }
}

/// As if administrators of two tenants had signed in long ago; the third has yet to.
async fn install(superid: &Emulator, gateway: &Running) -> io::Result<()> {
    let users = gateway.system_users();
    let party = users.relying_party(ORDERS).ok_or_else(|| io::Error::other("no such party"))?;
    for tenant in Seed::default().tenants.iter().filter(|tenant| tenant.ctx != "Cust20011") {
        let Some(token) = superid.tenants().system_token(ORDERS, &tenant.ctx) else { continue };
        let installation = Installation {
            tenant: ContextId::parse(&tenant.ctx).map_err(io::Error::other)?,
            serial: Some(tenant.serial.clone()),
            web_api_url: None,
            token: SystemUserToken::parse(&token).map_err(io::Error::other)?,
            by: "the demo".to_owned(),
        };
        users.install(&party, installation).await;
    }
    Ok(())
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn taken(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind(loopback(port)).map_err(|error| {
        io::Error::other(format!("port {port} of 127.0.0.1 cannot be had: {error}"))
    })
}
