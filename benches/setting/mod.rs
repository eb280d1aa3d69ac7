//! What both benches measure with: a configuration, a person signed in under it, their request.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use http::{HeaderMap, HeaderValue};
use superid_gateway::clock::Clock;
use superid_gateway::config::{self, Bond, Host, Settings};
use superid_gateway::crypto::Random;
use superid_gateway::identity::{AccessToken, ContextId, Credential, Principal};
use superid_gateway::session::{Revocations, SessionId, SessionState, Sessions, Source, Store};
use superid_gateway::web::{CookieNames, Cookies};

/// Bytes of a claim's name and value, in sessions that have any.
const CLAIM: usize = 80;
/// The public host.
pub const HOST: &str = "app.example";
/// What is asked for.
pub const TARGET: &str = "/orders/7?tab=2";

/// One host with `routes` routes: the root, where [`TARGET`] leads, and `/other/N`.
pub fn settings(upstream_port: u16, routes: usize) -> Settings {
    settings_kept(upstream_port, routes, ("", ""))
}

/// The same with a line of `[session]`, and with tables of their own.
pub fn settings_kept(upstream_port: u16, routes: usize, (line, tables): (&str, &str)) -> Settings {
    let mut text = format!(
        r#"
[listener.bench]
address = "127.0.0.1:0"

[host.bench]
origin = "https://{HOST}"

[relying_party.bench]
environment = "sod"
client_id = "0123456789abcdef0123456789abcdef"
client_secret = {{ value = "a secret" }}

[session]
keys = [{{ value = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=" }}]
{line}

[route.root]
upstream = "http://127.0.0.1:{upstream_port}"
"#
    );
    for number in 1..routes {
        text.push_str(&format!(
            "[route.other{number}]\npath = \"/other/{number}\"\nupstream = \"http://127.0.0.1:9\"\n"
        ));
    }
    text.push_str(tables);
    let loaded = config::load_text(&text, "bench.toml", Path::new("."), &|_| None);
    let mut settings = loaded.unwrap_or_else(|problems| panic!("{problems}")).settings;
    settings.admin.address = None;
    settings
}

/// A person as the code flow signs them in, with a bearer token of SuperID's length.
pub fn session() -> SessionState {
    let now = Clock::system().now();
    let context = ContextId::parse("Cust12345").expect("a context identifier");
    let token = format!("8A:Cust12345.{}+/==", "x".repeat(84));
    let said = |text: &str| Some(text.to_owned());
    SessionState {
        id: SessionId::fresh(&Random::system()),
        relying_party: "bench".to_owned(),
        bond: *BOND,
        principal: Principal {
            subject: "astrid.berg@nordlys.example".to_owned(),
            context,
            serial: said("1234567890"),
            company: said("Nordlys Kraft AS"),
            email: said("astrid.berg@nordlys.example"),
            initials: said("AB"),
            first_name: None,
            last_name: None,
            associate_id: said("42"),
            administrator: false,
            web_api_url: said("https://sod.superoffice.com/Cust12345/api/"),
            soap_url: said("https://sod.superoffice.com/Cust12345/Remote/Services88/"),
            claims: Vec::new(),
        },
        credential: Credential::Bearer {
            token: AccessToken::parse(&token).expect("a token"),
            until: now.plus(3600),
        },
        source: Source::of("sod"),
        keys: Vec::new(),
        signed_in: now,
        seen: now,
        refresh: None,
        presented: None,
    }
}

/// With claims of so many bytes beside what it has of everybody, each of the length of an average one.
pub fn with_claims(mut session: SessionState, bytes: usize) -> SessionState {
    let claims = (0..bytes / CLAIM).map(|number| {
        let name = format!("http://schemes.superoffice.net/identity/claim{number:02}");
        let value = "v".repeat(CLAIM - name.len());
        (name, value)
    });
    session.principal.claims = claims.collect();
    session
}

/// That of the one relying party of every configuration here.
static BOND: LazyLock<Bond> = LazyLock::new(|| settings(9, 1).relying_parties[0].bond);

/// The store that seals and opens the sessions of a configuration's one host.
pub fn store(settings: &Settings) -> Sessions {
    store_in(settings, Store::Cookie)
}

/// The same over this store.
pub fn store_in(settings: &Settings, store: Store) -> Sessions {
    let host: &Arc<Host> = &settings.hosts[0];
    let names = CookieNames::new(&settings.session.cookie_name, &host.origin);
    let ended = Arc::new(Revocations::new(1024, settings.session.absolute));
    Sessions::new(&settings.session, &names, &host.origin, (ended, store))
}

/// The `Cookie` header of a browser that is signed in and keeps two cookies of the app's.
pub fn cookie(settings: &Settings) -> String {
    cookie_of(&store(settings), &session())
}

/// The same of this session, sealed by `store`: another value each time.
pub fn cookie_of(store: &Sessions, session: &SessionState) -> String {
    let none = HeaderMap::new();
    let set =
        store.sealed(session, &Random::system(), Cookies::of(&none)).expect("a session that fits");
    beside_others(&set[0])
}

/// A session's cookie, as it was set, beside two of the app's.
pub fn beside_others(set: &HeaderValue) -> String {
    let ours = set.to_str().expect("visible ASCII").split(';').next().unwrap_or_default();
    format!("theme=dark; {ours}; cart=3f7a9c")
}

/// The other headers of a browser's request, beside `Host` and `Cookie`.
pub const HEADERS: [(&str, &str); 6] = [
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("accept", "application/json, text/plain, */*"),
    ("accept-language", "en-GB,nb;q=0.5"),
    ("accept-encoding", "gzip, deflate, br"),
    ("sec-fetch-mode", "cors"),
    ("sec-fetch-site", "same-origin"),
];

/// The whole request as it is sent.
pub fn request() -> Vec<u8> {
    request_with(&cookie(&settings(9, 1)))
}

/// The same with these cookies.
pub fn request_with(cookie: &str) -> Vec<u8> {
    let mut text = format!("GET {TARGET} HTTP/1.1\r\nHost: {HOST}\r\n");
    for (name, value) in HEADERS {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("cookie: {cookie}\r\n\r\n"));
    text.into_bytes()
}
