//! The verdict alone: nanoseconds and allocations of `decide` and of each thing it is made of.
//!
//! ```text
//! cargo bench --bench decide
//! bash benches/callgrind/admission      instructions of the admission step alone
//! ```

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

mod admission;
mod counting;
mod phases;
#[path = "../setting/mod.rs"]
mod setting;

use std::sync::Arc;

use http::{HeaderMap, HeaderName, header};
use pingora::http::RequestHeader;
use superid_gateway::assertion::{Addressee, Signer};
use superid_gateway::authn::{Permit, Wanted};
use superid_gateway::clock::{Clock, Timestamp};
use superid_gateway::config::{Assertion, Settings};
use superid_gateway::credentials::injected;
use superid_gateway::crypto::{Es256Key, Random};
use superid_gateway::gateway::{Departure, Site, Verdict, Wire, decide};
use superid_gateway::routing::Table;
use superid_gateway::session::{Loaded, SessionState, Sessions};
use superid_gateway::telemetry::AccessLog;
use superid_gateway::web::{Bounds, CookieNames, Cookies, Inbound, Spoofable};

use counting::{Cost, Counting, cost};
use phases::Phases;

#[global_allocator]
static ALLOCATOR: Counting = Counting(mimalloc::MiMalloc);

fn main() {
    superid_gateway::crypto::install_provider();
    if let Some((parts, times)) = admission::asked() {
        return admission::run(&setting::settings(9, 1), &parts, times);
    }
    println!("{:<44} {:>8}  {:>11}", "", "ns", "allocations");
    verdict(&setting::settings(9, 1));
    with_claims(&setting::settings(9, 1));
    for routes in [1, 100, 10_000] {
        routing(routes);
    }
    in_phases(setting::settings(9, 1));
}

/// The verdict and its parts.
fn verdict(settings: &Settings) {
    let site = Site::new(settings.clone(), Clock::system(), Random::system());
    let (bounds, store) = (bounds(settings), setting::store(settings));
    let names = CookieNames::new(&settings.session.cookie_name, &settings.hosts[0].origin);
    let spoofable = Spoofable::new(&[]);
    let (mut head, now) = (head(), Clock::system().now());
    let proof = spoofable.clean(&mut Wire(&mut head));
    let raw = setting::TARGET.as_bytes();
    let inbound = Inbound::admit(&head, raw, bounds, proof).expect("a request we take");
    line("decide: signed in, leaves", cost(|| leaves(decide(&site, &inbound, now))));
    line("  the cookie, opened lately", cost(|| alive(store.load(inbound.cookies(), now))));
    let mut others = many_cookies(&store, &setting::session()).iter().cycle();
    let mut next = || others.next().expect("a cycle has no end");
    line("  the cookie, for the first time", cost(|| alive(store.load(Cookies::of(next()), now))));
    let route = &settings.routes[0];
    let wanted = Wanted { host: &settings.hosts[0], route, tenant: None };
    let session = Arc::new(setting::session());
    let permit = Permit::ask(wanted, session, now).expect("a permit");
    line("  the headers to set", cost(|| injected(&permit, route)));
    line("  the app's cookies without ours", cost(|| Cookies::of(&head.headers).without(&names)));
    asserting(settings, &inbound, now);
    let mut head = self::head();
    line("spoofable headers looked for", cost(|| spoofable.clean(&mut Wire(&mut head))));
    line("admission", cost(|| Inbound::admit(&head, raw, bounds, proof).is_ok()));
}

/// The same for a session with claims, which rules of a configuration have kept.
fn with_claims(settings: &Settings) {
    let site = Site::new(settings.clone(), Clock::system(), Random::system());
    let (bounds, store) = (bounds(settings), setting::store(settings));
    let session = setting::with_claims(setting::session(), CLAIMS);
    let mut head = head_with(&setting::cookie_of(&store, &session));
    let now = Clock::system().now();
    let proof = Spoofable::new(&[]).clean(&mut Wire(&mut head));
    let inbound = Inbound::admit(&head, setting::TARGET.as_bytes(), bounds, proof);
    let inbound = inbound.expect("a request we take");
    let title = format!("decide: with {CLAIMS} bytes of claims");
    line(&title, cost(|| leaves(decide(&site, &inbound, now))));
    let mut others = many_cookies(&store, &session).iter().cycle();
    let mut next = || others.next().expect("a cycle has no end");
    line("  their cookie, opened lately", cost(|| alive(store.load(inbound.cookies(), now))));
    line(
        "  their cookie, for the first time",
        cost(|| alive(store.load(Cookies::of(next()), now))),
    );
}

/// The same where the route tells the app in a signed assertion too, and what signing one costs.
fn asserting(settings: &Settings, inbound: &Inbound<'_>, now: Timestamp) {
    let key = Es256Key::new_pem().ok().and_then(|pem| Es256Key::read(&pem).ok());
    let assertion = Assertion { keys: vec![key.expect("a new key")], life: 120, issuer: None };
    let mut settings = settings.clone();
    let signer = Signer::new(&assertion, settings.session.absolute, &Random::system());
    settings.assertion = Some(assertion);
    settings.routes[0].headers.assertion = Some(HeaderName::from_static("x-superoffice-identity"));
    let site = Site::new(settings.clone(), Clock::system(), Random::system());
    line("decide: the same with an assertion, kept", cost(|| leaves(decide(&site, inbound, now))));
    let session = setting::session();
    let to = Addressee { origin: &settings.hosts[0].origin, route: &settings.routes[0].name };
    line("  an assertion, signed anew", cost(|| signer.assert(&session, to, now)));
}

fn leaves(verdict: Verdict) -> Box<Departure> {
    match verdict {
        Verdict::Leave(departure) => departure,
        other => panic!("the request leaves, and not {other:?}"),
    }
}

fn alive(loaded: Loaded) -> Arc<SessionState> {
    match loaded {
        Loaded::Live(session) => session,
        other => panic!("a living session, and not {other:?}"),
    }
}

/// More than the gateway remembers, so that each is new to it again when its turn comes.
fn many_cookies(store: &Sessions, session: &SessionState) -> &'static [HeaderMap] {
    let one = |_| {
        let cookie = setting::cookie_of(store, session).parse().expect("visible ASCII");
        HeaderMap::from_iter([(header::COOKIE, cookie)])
    };
    (0..20_000).map(one).collect::<Vec<_>>().leak()
}

fn routing(routes: usize) {
    let settings = setting::settings(9, routes);
    let table = Table::new(&settings.hosts, &settings.routes);
    let title = format!("routing, {routes} routes: host and route");
    line(&title, cost(|| table.host(setting::HOST).and_then(|host| table.route(host, PATH))));
}

fn in_phases(settings: Settings) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let _inside = runtime.enter();
    let (access, _writer) = AccessLog::to(std::io::sink());
    let site = Arc::new(Site::new(settings, Clock::system(), Random::system()));
    let mut phases = runtime.block_on(Phases::new(site, access));
    let costs = phases.costs();
    let all =
        costs.iter().fold(Cost { nanoseconds: 0.0, allocations: 0.0 }, |sum, (_, cost)| Cost {
            nanoseconds: sum.nanoseconds + cost.nanoseconds,
            allocations: sum.allocations + cost.allocations,
        });
    line("all our phases of a proxied request", all);
    for (name, cost) in costs {
        line(&format!("  {name}"), cost);
    }
}

fn head() -> RequestHeader {
    head_with(&setting::cookie(&setting::settings(9, 1)))
}

fn head_with(cookie: &str) -> RequestHeader {
    let mut head =
        RequestHeader::build("GET", setting::TARGET.as_bytes(), None).expect("a request");
    for (name, value) in setting::HEADERS {
        head.insert_header(name, value).expect("a header");
    }
    head.insert_header("host", setting::HOST).expect("a header");
    head.insert_header("cookie", cookie).expect("a header");
    head
}

fn bounds(settings: &Settings) -> Bounds {
    let limits = &settings.limits;
    Bounds {
        target: limits.target_bytes,
        cookies: limits.cookie_bytes,
        fields: limits.header_count,
    }
}

fn line(title: &str, cost: Cost) {
    println!("{title:<44} {:>8.0}  {:>11.1}", cost.nanoseconds, cost.allocations);
}

/// Bytes of them.
const CLAIMS: usize = 1_200;
const PATH: &str = "/orders/7";
