//! The emulator itself: starts, routes, stops.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;

use super::answer::Answer;
use super::apps::App;
use super::call::Call;
use super::clock::{self, Clock};
use super::faults::{Faults, Interference};
use super::journal::{Entry, Journal, Kind, masked};
use super::keys::Keys;
use super::listener::{self, Handler, Hangup, Running};
use super::mint::Mint;
use super::seed::Seed;
use super::world::World;
use super::{
    consent, control, discovery, legacy, logout, pages, sign_in, superid, tenant_api, tokens,
};

/// How an emulator starts. The default listens on `127.0.0.1` at a free port, by the machine's
/// clock, with the default cast and no app.
pub struct Options {
    pub listen: SocketAddr,
    pub clock: Clock,
    pub apps: Vec<App>,
    pub seed: Seed,
    /// What browsers and the app call the emulator, without a slash at the end; the issuer.
    /// `None` means `http://` and the address.
    pub public_url: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            clock: clock::system(),
            apps: Vec::new(),
            seed: Seed::default(),
            public_url: None,
        }
    }
}

/// A running emulator; dropping it stops it.
pub struct Emulator {
    address: SocketAddr,
    world: Arc<World>,
    running: Running,
}

impl Emulator {
    /// Binds the address and makes the signing key; answers requests from then on.
    pub async fn start(options: Options) -> io::Result<Self> {
        let (listener, address) = listener::bind(options.listen).await?;
        let base = options.public_url.unwrap_or_else(|| format!("http://{address}"));
        let make = move || World::new(base, options.clock, options.seed, options.apps);
        let world = tokio::task::spawn_blocking(make).await.map_err(io::Error::other)?;
        let world = Arc::new(world);
        let running = Running::start(listener, Arc::new(Endpoints { world: world.clone() }));
        Ok(Self { address, world, running })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end; also the issuer.
    pub fn url(&self) -> &str {
        &self.world.base
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Adds a registration, or replaces the one with the same client id.
    pub fn register(&self, app: App) {
        self.world.apps.register(app);
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

    /// Makes tokens as this emulator does, for tests of verifiers.
    pub fn mint(&self) -> Mint {
        Mint::new(self.world.clone())
    }

    /// Lets requests under way end, for two seconds at most.
    pub async fn stop(self) {
        self.running.stop().await;
    }
}

struct Endpoints {
    world: Arc<World>,
}

impl Handler for Endpoints {
    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Hangup> {
        let world = &*self.world;
        let kind = Kind::of(request.uri().path());
        let call = match Call::read(request).await {
            Ok(call) => call,
            Err(status) => return Ok(Answer::text(status, "").response),
        };
        // Noted before a slow answer leaves, so that a test sees what is still under way.
        let answer = match world.faults.interference(kind) {
            None => Some(route(world, kind, &call)),
            Some(interference) => disturbed(&interference),
        };
        record(world, kind, &call, answer.as_ref());
        let delay = world.faults.delay(kind);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        answer.map(|answer| answer.response).ok_or(Hangup)
    }
}

/// One line for each endpoint.
fn route(world: &World, kind: Kind, call: &Call) -> Answer {
    let reads = call.method == Method::GET || call.method == Method::HEAD;
    let posts = call.method == Method::POST;
    match kind {
        Kind::Control if control::is_foreign(call) => Answer::text(StatusCode::FORBIDDEN, ""),
        Kind::Control => control::answer(world, call),
        Kind::Tokens => tokens::tokens(world, call),
        _ if !reads && !posts => Answer::text(StatusCode::METHOD_NOT_ALLOWED, "").refused("method"),
        Kind::Authorize => superid::authorize(world, call),
        Kind::Consent => consent::submit(world, call),
        Kind::Crm => pages::crm(world, call),
        Kind::Discovery => discovery::metadata(world),
        Kind::Home => pages::home(world),
        Kind::Jwks => discovery::jwks(world),
        Kind::Legacy => legacy::login(world, call),
        Kind::Logout => logout::logout(world, call),
        Kind::Other => tenant_api::not_found(),
        Kind::Revoke => tokens::revoke(world, call),
        Kind::SignIn => sign_in::submit(world, call),
        Kind::WebApi => tenant_api::answer(world, call),
    }
}

/// What a fault makes of a request; `None` closes the connection.
fn disturbed(interference: &Interference) -> Option<Answer> {
    const GARBAGE: &str = "{\"keys\": [{\"kty\": \u{fffd}<html>";
    let answer = match interference {
        Interference::Drop => return None,
        Interference::Garbage => {
            Answer::new(StatusCode::OK, "application/json; charset=utf-8", GARBAGE.into())
        }
        Interference::Status(code) => {
            let status = StatusCode::from_u16(*code);
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Answer::text(status, "A fault was asked for.")
        }
    };
    Some(answer.refused("fault"))
}

fn record(world: &World, kind: Kind, call: &Call, answer: Option<&Answer>) {
    if kind == Kind::Control {
        return;
    }
    let outcome = answer.map_or_else(|| "fault".into(), |answer| answer.outcome.clone());
    let named = answer.and_then(|answer| answer.client_id.clone());
    let parameters = call.query.iter().chain(&call.form);
    let parameters = parameters.take(50).map(|(name, value)| (name.clone(), masked(name, value)));
    world.journal.add(Entry {
        when: world.now(),
        method: call.method.to_string(),
        path: call.path.clone(),
        kind,
        client_id: named.or_else(|| call.client_id()),
        outcome,
        parameters: parameters.collect(),
    });
}
