//! What comes back sealed: only what was sealed opens, and whatever it holds signs nobody in.

use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};

use http::{HeaderMap, HeaderValue, header};
use superid_gateway::clock::{Clock, Timestamp};
use superid_gateway::config::{RelyingParty, Settings, load_text};
use superid_gateway::crypto::{KeyRing, Purpose, Random};
use superid_gateway::oidc::Providers;
use superid_gateway::session::{Loaded, Revocations, Sessions, Store};
use superid_gateway::signin::{Consent, Consents, Counter, Desk, Failure, Wish};
use superid_gateway::superid::SuperId;
use superid_gateway::telemetry::{Metrics, SuperIdCalls};
use superid_gateway::web::{CookieNames, Cookies, ReturnTo};

/// The first byte chooses: as they came, or sealed by us as an attempt, a binding or a session, so
/// that what opens is looked at too.
pub fn state(bytes: &[u8]) -> bool {
    let Some((way, bytes)) = bytes.split_first() else { return false };
    let host = &SETTINGS.hosts[0];
    let names = CookieNames::new("gate", &host.origin);
    let context = |name: &str| format!("{name}\n{}", host.origin).into_bytes();
    let sealed = |purpose, context: &[u8]| RING.seal(purpose, context, bytes, &Random::counting());
    match way % 4 {
        0 => {
            for purpose in [Purpose::Attempt, Purpose::Binding, Purpose::Session] {
                assert!(RING.open(purpose, b"", bytes).is_err(), "nobody seals but us");
            }
            comes_back(&String::from_utf8_lossy(bytes), &names, None)
        }
        1 => comes_back(&sealed(Purpose::Attempt, host.origin.as_str().as_bytes()), &names, None),
        2 => {
            let binding = sealed(Purpose::Binding, &context(&names.binding));
            goes_round(&binding, &names)
        }
        _ => lives(&sealed(Purpose::Session, &context(&names.session)), &names),
    }
}

/// A callback: without the very attempt and its binding, nothing comes of it.
fn comes_back(state: &str, names: &CookieNames, cookie: Option<(&str, &str)>) -> bool {
    let host = &SETTINGS.hosts[0];
    let headers = headers(cookie);
    let sessions = sealed_cookie(names);
    let cookies = Cookies::of(&headers);
    let counter = Counter { host, names, sessions: &sessions, cookies, scene: None };
    let mut query = form_urlencoded::Serializer::new(String::from("code=abc"));
    query.append_pair("state", state);
    let parties: Vec<_> = SETTINGS.relying_parties.iter().map(|party| &**party).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let outcome = runtime.block_on(DESK.complete(counter, &query.finish(), &parties));
    let failed = outcome.expect_err("a sign-in nobody began");
    failed.failure == Failure::BindingMissing
}

/// A sign-in of a browser with this binding: whether the binding says that it goes round.
fn goes_round(binding: &str, names: &CookieNames) -> bool {
    let headers = headers(Some((&names.binding, binding)));
    let (host, sessions) = (&SETTINGS.hosts[0], sealed_cookie(names));
    let cookies = Cookies::of(&headers);
    let counter = Counter { host, names, sessions: &sessions, cookies, scene: None };
    let party = &SETTINGS.relying_parties[0];
    let wish = Wish { party, target: ReturnTo::root(), tenant: None };
    let begun = DESK.begin(counter, &wish);
    begun.is_err_and(|failed| failed.failure == Failure::LoopCookie)
}

/// A session cookie: what lives is the same when it is written again, and ends with its time.
fn lives(sealed: &str, names: &CookieNames) -> bool {
    let sessions = sealed_cookie(names);
    let piece = format!("1.{sealed}");
    let headers = headers(Some((&names.session, &piece)));
    let Loaded::Live(state) = sessions.load(Cookies::of(&headers), NOW) else { return false };
    let late = NOW.plus(SETTINGS.session.absolute);
    assert!(
        state.signed_in > NOW
            || !matches!(sessions.load(Cookies::of(&headers), late), Loaded::Live(_))
    );
    let random = Random::counting();
    let Ok(written) = sessions.sealed(&state, &random, Cookies::of(&headers)) else { return false };
    let pairs = written.iter().filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
    let mut again = HeaderMap::new();
    let pairs: Vec<&str> = pairs.filter(|pair| !pair.ends_with('=')).collect();
    again.insert(header::COOKIE, HeaderValue::try_from(pairs.join("; ")).expect("a header"));
    let Loaded::Live(same) = sessions.load(Cookies::of(&again), NOW) else {
        panic!("what was written does not open");
    };
    assert_eq!(format!("{same:?}"), format!("{state:?}"));
    true
}

fn headers(cookie: Option<(&str, &str)>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some((name, value)) = cookie {
        let value = HeaderValue::try_from(format!("{name}={value}")).expect("a header");
        headers.insert(header::COOKIE, value);
    }
    headers
}

fn sealed_cookie(names: &CookieNames) -> Sessions {
    let ended = Arc::new(Revocations::new(1_000, SETTINGS.session.absolute));
    Sessions::new(&SETTINGS.session, names, &SETTINGS.hosts[0].origin, (ended, Store::Cookie))
}

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let loaded = load_text(TEXT, "fuzz.toml", Path::new("."), &|_| None);
    loaded.expect("the settings hold").settings
});
static RING: LazyLock<KeyRing> = LazyLock::new(|| SETTINGS.session.keys.clone());
static DESK: LazyLock<Desk> = LazyLock::new(|| {
    let (clock, metrics) = (Clock::manual(NOW), Arc::new(Metrics::default()));
    let random = Random::counting();
    let calls = SuperIdCalls::default();
    let superid = Arc::new(SuperId::new(&SETTINGS, clock.clone(), &calls, None));
    let providers = Arc::new(Providers::new(&SETTINGS, (&clock, &random), &calls, None));
    let people = (superid, providers);
    let kept = (Arc::new(Nobody) as Arc<dyn Consents>, None);
    Desk::new(&SETTINGS, Vec::new(), (&clock, &random), people, kept, metrics, None)
});

/// Keeps no system user tokens.
struct Nobody;

impl Consents for Nobody {
    fn given<'a>(
        &'a self,
        _: &'a RelyingParty,
        _: Consent,
        _: Option<superid_gateway::telemetry::Scene<'a>>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(std::future::ready(()))
    }
}

const NOW: Timestamp = Timestamp(1_700_000_000);
const TEXT: &str = r#"
[host.main]
origin = "https://app.example"
[relying_party.main]
environment = "sod"
client_id = "client"
client_secret = { value = "secret" }
[route.app]
upstream = "http://127.0.0.1:3000"
[session]
cookie_name = "gate"
keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
"#;
