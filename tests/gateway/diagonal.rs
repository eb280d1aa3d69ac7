//! 50 tenants, three relying parties at each of two SuperIDs: of all their tokens and sessions, each
//! opens what it was made for and nothing else.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use pingora::http::RequestHeader;
use superid_gateway::clock::{Clock, Timestamp};
use superid_gateway::config::{self, RelyingParty, Settings};
use superid_gateway::crypto::Random;
use superid_gateway::emulator::{self, Emulator};
use superid_gateway::gateway::{Site, Verdict, Wire, decide};
use superid_gateway::identity::{ContextId, Credential, Principal};
use superid_gateway::session::{Revocations, SessionId, SessionState, Sessions, Source, Store};
use superid_gateway::superid::{FrontToken, SuperId};
use superid_gateway::telemetry::SuperIdCalls;
use superid_gateway::web::{Bounds, CookieNames, Cookies, Inbound, Spoofable};

use crate::world::{ASTRID, NOW};

pub const TENANTS: usize = 50;
pub const PARTIES: usize = 6;

pub fn tenant(number: usize) -> ContextId {
    ContextId::parse(&format!("Cust{}", 20_000 + number)).unwrap()
}

/// What one of them is held against: itself, its own tenant of every other party, and of its own
/// party a sixth of the other tenants, another sixth for each party: together every tenant meets every
/// other.
fn asked_of(party: usize, number: usize) -> impl Iterator<Item = (usize, usize)> {
    let parties = (0..PARTIES).map(move |other| (other, number));
    let steps = (1..TENANTS).filter(move |step| step % PARTIES == party);
    parties.chain(steps.map(move |step| (party, (number + step) % TENANTS)))
}

/// Three relying parties at each of two SuperIDs, and a route for each of them.
fn settings(urls: [&str; 2]) -> Settings {
    let mut text = String::from(
        "[host.main]\norigin = \"http://localhost\"\n[session]\n\
         keys = [{ value = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\" }]\n",
    );
    for (number, url) in urls.into_iter().enumerate() {
        write!(
            text,
            "[environment.at{number}]\nissuer = \"{url}\"\n\
             authorize_url = \"{url}/login/common/oauth/authorize\"\n\
             tenant_authorize_url = \"{url}/login/{{ctx}}/oauth/authorize\"\n\
             token_url = \"{url}/login/common/oauth/tokens\"\n\
             jwks_url = \"{url}/login/.well-known/jwks\"\nlogout_url = \"{url}/login/logout\"\n\
             legacy_login_url = \"{url}/login/\"\naddresses = [\"{url}\"]\n"
        )
        .unwrap();
    }
    for number in 0..PARTIES {
        write!(
            text,
            "[relying_party.p{number}]\nenvironment = \"at{}\"\nclient_id = \"client-{}\"\n\
             client_secret = {{ value = \"secret\" }}\nresponse_type = \"id_token\"\n\
             [route.p{number}]\npath = \"/p{number}\"\nupstream = \"http://127.0.0.1:9\"\n\
             relying_parties = [\"p{number}\"]\ntenant_parameter = \"ctx\"\npresent = \"nothing\"\n",
            number / 3,
            // The same three client ids at both: they mean nothing without their SuperID.
            number % 3
        )
        .unwrap();
    }
    let loaded = config::load_text(&text, "test.toml", Path::new("."), &|_| None);
    loaded.unwrap_or_else(|problems| panic!("{problems}\n{text}")).settings
}

fn somebody(party: &RelyingParty, number: usize, id: [u8; 16]) -> SessionState {
    let principal = Principal {
        subject: "ada@nordlys.example".to_owned(),
        context: tenant(number),
        serial: None,
        company: None,
        email: None,
        initials: None,
        first_name: None,
        last_name: None,
        associate_id: None,
        administrator: false,
        web_api_url: None,
        soap_url: None,
        claims: Vec::new(),
    };
    let (relying_party, bond) = (party.name.clone(), party.bond);
    let (signed_in, seen) = (Timestamp(NOW), Timestamp(NOW));
    let credential = Credential::Nothing;
    let source = Source::of(party.authority.name());
    let (id, keys, refresh) = (SessionId(id), Vec::new(), None);
    SessionState {
        id,
        relying_party,
        bond,
        principal,
        credential,
        source,
        keys,
        signed_in,
        seen,
        refresh,
        presented: None,
    }
}

/// A request for a relying party's route and a tenant, with somebody's cookie.
fn opens(site: &Site, (party, number): (usize, usize), cookie: &str) -> bool {
    let target = format!("/p{party}/panel?ctx={}", tenant(number));
    let mut head = RequestHeader::build("GET", target.as_bytes(), None).unwrap();
    head.insert_header("host", "localhost").unwrap();
    head.insert_header("cookie", cookie).unwrap();
    let proof = Spoofable::new(&[]).clean(&mut Wire(&mut head));
    let bounds = Bounds { target: 8_192, cookies: 24_576, fields: 100 };
    let inbound = Inbound::admit(&head, target.as_bytes(), bounds, proof).unwrap();
    match decide(site, &inbound, Timestamp(NOW)) {
        Verdict::Leave(_) => true,
        Verdict::Answer(_) => false,
        other => panic!("let in, or told to sign in: {other:?}"),
    }
}

#[tokio::test]
async fn of_fifty_tenants_and_six_relying_parties_a_session_opens_its_own_alone() {
    superid_gateway::crypto::install_provider();
    let settings = settings(["http://127.0.0.1:1", "http://127.0.0.1:2"]);
    let host = &settings.hosts[0];
    let names = CookieNames::new(&settings.session.cookie_name, &host.origin);
    let ended = Arc::new(Revocations::new(64, settings.session.absolute));
    let store = Sessions::new(&settings.session, &names, &host.origin, (ended, Store::Cookie));
    let site = Site::new(settings.clone(), Clock::manual(Timestamp(NOW)), Random::system());
    let (random, none) = (Random::system(), http::HeaderMap::new());
    let mut opened = 0;
    for (party, made) in settings.relying_parties.iter().enumerate() {
        for number in 0..TENANTS {
            let state = somebody(made, number, random.bytes());
            let set = store.sealed(&state, &random, Cookies::of(&none)).unwrap();
            let cookie = set[0].to_str().unwrap().split(';').next().unwrap();
            for asked in asked_of(party, number) {
                let expected = asked == (party, number);
                assert_eq!(opens(&site, asked, cookie), expected, "{party}/{number} at {asked:?}");
                opened += usize::from(expected);
            }
        }
    }
    assert_eq!(opened, PARTIES * TENANTS, "the diagonal, each once");
}

pub async fn superid() -> Emulator {
    let clock = Arc::new(|| UNIX_EPOCH + Duration::from_secs(NOW));
    Emulator::start(emulator::Options { clock, ..emulator::Options::default() }).await.unwrap()
}

#[tokio::test]
async fn of_fifty_tenants_and_six_relying_parties_a_token_is_good_for_its_own_alone() {
    let issuers = [superid().await, superid().await];
    let settings = settings([issuers[0].url(), issuers[1].url()]);
    let clock = Clock::manual(Timestamp(NOW));
    let verifier = SuperId::new(&settings, clock, &SuperIdCalls::default(), None);
    let parties = &settings.relying_parties;
    let mut good = 0;
    for (minted, party) in parties.iter().enumerate() {
        let mint = issuers[minted / 3].mint();
        let draft = mint.id_token(&party.client_id, ASTRID, "Cust12345").unwrap();
        let draft = ["webapi_url", "netserver_url"]
            .into_iter()
            .fold(draft.claim("nonce", "nonce"), |draft, url| draft.without_own_claim(url));
        for number in 0..TENANTS {
            let token = draft.clone().own_claim("ctx", tenant(number).as_str()).sign();
            for (asked, of) in asked_of(minted, number) {
                let tenant = tenant(of);
                let front = FrontToken {
                    id_token: &token,
                    code: None,
                    access_token: None,
                    nonce: "nonce",
                    tenant: Some(&tenant),
                };
                let expected = (asked, of) == (minted, number);
                let verified = verifier.verify_front(&parties[asked], front).await;
                assert_eq!(verified.is_ok(), expected, "{minted}/{number} at {asked}/{of}");
                good += usize::from(expected);
            }
        }
    }
    assert_eq!(good, PARTIES * TENANTS);
}
