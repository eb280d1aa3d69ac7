//! Three processes, one Redis, and a provider whose refresh tokens are good once; the one that refreshes
//! is killed half way.

use std::time::{Duration, Instant};

use superid_gateway::clock::Clock;
use superid_gateway::emulator::{App, Fault, Kind};
use tokio::task::JoinSet;

use crate::api_client::ApiClient;
use crate::browser::Browser;
use crate::process::Process;
use crate::recorder::Recorder;
use crate::wire::{Door, Net};
use crate::world::{World, until};

const ASTRID: &str = "astrid.berg@nordlys.example";
const SESSION: &str = "superid-gateway";
/// Nobody listens there: each test leads it where it wants.
const AUTHORITY: &str = "localhost:8099";
const STALLED: Fault = Fault::Stall { endpoint: Kind::Tokens };
const HELD: Fault = Fault::Hold { endpoint: Kind::Tokens };

/// So many at the moment of expiry: a tenth of what is promised, or what `REFRESH_REQUESTS` says.
fn requests() -> usize {
    std::env::var("REFRESH_REQUESTS").map_or(100, |count| count.parse().unwrap())
}

struct Three {
    world: World,
    gateways: Vec<Process>,
    cookie: String,
    clock: Clock,
    /// When the access token is dead.
    dead: u64,
    _app: Recorder,
}

impl Three {
    /// Somebody who signed in, with an access token of so many seconds. `None` without a Redis.
    async fn with(seconds: u64) -> Option<Self> {
        let clock = Clock::system();
        let world = World::on(clock.clone()).await?;
        let app = Recorder::start().await;
        let callback = format!("http://{AUTHORITY}/auth/callback");
        world.superid.register(App::new("people", "people-secret", &callback));
        let mut gateways = Vec::new();
        for _ in 0..3 {
            let places = Process::places();
            let text = CONFIGURATION
                .replace("$WEB", &places[0].to_string())
                .replace("$ADMIN", &places[1].to_string())
                .replace("$AUTHORITY", AUTHORITY)
                .replace("$SUPERID", world.superid.url())
                .replace("$APP", &app.url())
                .replace("$REDIS", &world.redis.socket().display().to_string());
            gateways.push(Process::serving(&text, places).await);
        }
        world.superid.faults().set(Fault::OneUseRefresh);
        world.superid.faults().set(Fault::AccessLifetime { seconds });
        let mut browser = Browser::new(leading(&gateways[0]), clock.clone());
        let answer = browser.sign_in(&format!("http://{AUTHORITY}/"), ASTRID).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let dead = clock.now().0 + seconds;
        let cookie = format!("Cookie: {SESSION}={}\r\n", browser.jar.value(SESSION).unwrap());
        Some(Self { world, gateways, cookie, clock, dead, _app: app })
    }

    /// Waits for a moment on everybody's clock.
    async fn at(&self, moment: u64) {
        let begun = Instant::now();
        while self.clock.now().0 < moment {
            assert!(begun.elapsed() < Duration::from_secs(60), "the clock stands still");
            tokio::task::yield_now().await;
        }
    }

    async fn ask(&self, gateway: usize) -> u16 {
        request(leading(&self.gateways[gateway]), self.cookie.clone()).await.unwrap()
    }

    fn crowd(&self, gateways: &[usize], count: usize) -> JoinSet<Option<u16>> {
        let mut crowd = JoinSet::new();
        for number in 0..count {
            let gateway = &self.gateways[gateways[number % gateways.len()]];
            crowd.spawn(request(leading(gateway), self.cookie.clone()));
        }
        crowd
    }

    fn asked(&self) -> usize {
        self.world.superid.journal().count(Kind::Tokens)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_process_that_refreshes_is_killed_another_makes_the_only_refresh() {
    let Some(mut three) = Three::with(2).await else { return };
    three.at(three.dead).await;
    three.world.superid.faults().set(STALLED);
    let lost = three.crowd(&[0], 1);
    until("one asks SuperID", async || three.world.superid.faults().stalled() == 1).await;
    let crowd = three.crowd(&[1, 2], requests());
    until("all are there", async || {
        let in_flight = |gateway: &Process| gateway.metric("requests_in_flight");
        three.gateways[1..].iter().map(in_flight).sum::<usize>() >= requests()
    })
    .await;
    assert_eq!(three.world.superid.faults().stalled(), 1, "the others wait");
    three.gateways[0].kill();
    // Else SuperID might still take up what it asked, and the refresh token with it.
    until("SuperID sees it gone", async || three.world.superid.faults().lying() == 0).await;
    three.world.superid.faults().end(&STALLED);
    let begun = Instant::now();
    let answers = crowd.join_all().await;
    println!("{} requests served in {:?} after SIGKILL", answers.len(), begun.elapsed());
    assert!(answers.iter().all(|status| *status == Some(200)), "{answers:?}");
    assert_eq!(three.asked(), 2, "one sign-in, one refresh");
    drop(lost);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_it_takes_the_new_token_with_it_nobody_is_refused_until_the_old_one_is_dead() {
    let Some(mut three) = Three::with(16).await else { return };
    three.at(three.dead - 8).await;
    three.world.superid.faults().set(HELD);
    assert_eq!(three.ask(0).await, 200, "nobody waits for it");
    until("SuperID has given it", async || three.asked() == 2).await;
    three.gateways[0].kill();
    three.world.superid.faults().end(&HELD);
    assert_eq!(three.ask(1).await, 200);
    let lost = "session_refreshes_total{outcome=\"lost\"}";
    until("it is found to be lost", async || three.gateways[1].metric(lost) == 1).await;
    let crowd = three.crowd(&[1, 2], requests()).join_all().await;
    let in_time = three.clock.now().0 < three.dead - 1;
    assert!(!in_time || crowd.iter().all(|status| *status == Some(200)), "{crowd:?}");
    three.at(three.dead + 1).await;
    assert_eq!(three.ask(1).await, 401, "a page's request; a person signs in again");
    assert_eq!(three.asked(), 3, "it is not sent again");
}

async fn request(net: Net, cookie: String) -> Option<u16> {
    let head = format!("GET /orders HTTP/1.1\r\nHost: {AUTHORITY}\r\n{cookie}");
    ApiClient(net).raw(AUTHORITY, &head).await.map(|answer| answer.status)
}

fn leading(gateway: &Process) -> Net {
    let net = Net::default();
    net.lead(AUTHORITY, Door { address: gateway.jobs, tls: None });
    net
}

const CONFIGURATION: &str = r#"
[listener.web]
address = "$WEB"

[admin]
address = "$ADMIN"

[host.main]
origin = "http://$AUTHORITY"

[environment.emulator]
issuer = "$SUPERID"
authorize_url = "$SUPERID/login/common/oauth/authorize"
tenant_authorize_url = "$SUPERID/login/{ctx}/oauth/authorize"
token_url = "$SUPERID/login/common/oauth/tokens"
jwks_url = "$SUPERID/login/.well-known/jwks"
logout_url = "$SUPERID/login/logout"
legacy_login_url = "$SUPERID/login/"
addresses = ["$SUPERID"]

[relying_party.main]
environment = "emulator"
client_id = "people"
client_secret = { value = "people-secret" }

[route.app]
upstream = "$APP"

[limits]
max_connections_per_address = 20000

[session]
keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
store = "redis"
replicas = 3

[redis]
url = "unix://$REDIS"
"#;
