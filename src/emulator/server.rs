//! The emulator itself: starts, stops, and hands out what it is turned by.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::apps::App;
use super::clock::{self, Clock};
use super::endpoints::Endpoints;
use super::entra::EntraRealm;
use super::exchanges::Exchanges;
use super::faults::Faults;
use super::google::{GoogleClient, GoogleSettings};
use super::journal::Journal;
use super::keys::Keys;
use super::listener::{self, Running};
use super::mint::Mint;
use super::seed::Seed;
use super::tenants::Tenants;
use super::violations::Violations;
use super::world::World;

/// How an emulator starts. The default listens on `127.0.0.1` at a free port, by the machine's
/// clock, with the default cast and no app.
pub struct Options {
    pub listen: SocketAddr,
    pub clock: Clock,
    pub apps: Vec<App>,
    pub seed: Seed,
    /// Clients of the provider like Google, at `/google`.
    pub google_clients: Vec<GoogleClient>,
    /// Relying parties of the provider like Entra, at `/entra`.
    pub entra_realms: Vec<EntraRealm>,
    /// What browsers and the app call the emulator, without a slash at the end; the issuer.
    /// `None` means `http://` and the address.
    pub public_url: Option<String>,
    /// How many more origins there are for tenants to live at, as `sod2` and `sod3` are beside
    /// `sod`. With any, no tenant lives at the first. They have the ports after that of `listen`,
    /// or free ones where that is 0.
    pub extra_hosts: u16,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            clock: clock::system(),
            apps: Vec::new(),
            seed: Seed::default(),
            google_clients: Vec::new(),
            entra_realms: Vec::new(),
            public_url: None,
            extra_hosts: 0,
        }
    }
}

/// A running emulator; dropping it stops it.
pub struct Emulator {
    address: SocketAddr,
    world: Arc<World>,
    running: Vec<Running>,
}

impl Emulator {
    /// Binds the addresses and makes the signing key; answers requests from then on.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listeners = bind(options.listen, options.extra_hosts).await?;
        let address = listeners[0].1;
        let mut hosts: Vec<_> =
            listeners.iter().map(|(_, address)| format!("http://{address}")).collect();
        if let Some(public_url) = options.public_url {
            hosts[0] = public_url;
        }
        let make = move || World::new(hosts, options.clock, options.seed, options.apps);
        let world = tokio::task::spawn_blocking(make).await.map_err(io::Error::other)?;
        let world = Arc::new(world);
        options.google_clients.into_iter().for_each(|client| world.google.register(client));
        options.entra_realms.into_iter().for_each(|realm| world.entra.register(realm));
        let serve = |(host, (listener, _))| {
            Running::start(listener, Arc::new(Endpoints { world: world.clone(), host }))
        };
        let running = listeners.into_iter().enumerate().map(serve).collect();
        Ok(Self { address, world, running })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end; also the issuer.
    pub fn url(&self) -> &str {
        &self.world.base
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every origin it answers at, [`Emulator::url`] first; a custom environment lists these.
    pub fn hosts(&self) -> &[String] {
        &self.world.hosts
    }

    /// Adds a registration, or replaces the one with the same client id.
    pub fn register(&self, app: App) {
        self.world.apps.register(app);
    }

    /// Adds a client of the provider like Google, or replaces the one with the same client id.
    pub fn register_at_google(&self, client: GoogleClient) {
        self.world.google.register(client);
    }

    /// How the provider like Google behaves from now on.
    pub fn set_google(&self, settings: GoogleSettings) {
        self.world.google.set(settings);
    }

    /// Adds a relying party of the provider like Entra, or replaces the one with the same realm.
    pub fn register_at_entra(&self, realm: EntraRealm) {
        self.world.entra.register(realm);
    }

    pub fn journal(&self) -> &Journal {
        &self.world.journal
    }

    pub fn faults(&self) -> &Faults {
        &self.world.faults
    }

    pub fn keys(&self) -> &Keys {
        &self.world.keys
    }

    /// The tenants' states, homes, tickets and consents.
    pub fn tenants(&self) -> Tenants {
        Tenants::new(self.world.clone())
    }

    /// How often each app bought a ticket for each tenant.
    pub fn exchanges(&self) -> &Exchanges {
        &self.world.exchanges
    }

    /// Credentials that came where they must not; a good caller leaves none.
    pub fn violations(&self) -> &Violations {
        &self.world.violations
    }

    /// Makes tokens and notices as this emulator does, for tests of verifiers.
    pub fn mint(&self) -> Mint {
        Mint::new(self.world.clone())
    }

    /// Lets requests under way end, for two seconds at most.
    pub async fn stop(self) {
        let mut stopping = JoinSet::new();
        self.running.into_iter().for_each(|running| drop(stopping.spawn(running.stop())));
        while stopping.join_next().await.is_some() {}
    }
}

/// The first listener, and so many more beside it.
async fn bind(first: SocketAddr, more: u16) -> io::Result<Vec<(TcpListener, SocketAddr)>> {
    let mut listeners = vec![listener::bind(first).await?];
    for number in 1..=more {
        let port = match first.port() {
            0 => 0,
            port => port.checked_add(number).ok_or(io::ErrorKind::AddrNotAvailable)?,
        };
        listeners.push(listener::bind(SocketAddr::new(first.ip(), port)).await?);
    }
    Ok(listeners)
}
