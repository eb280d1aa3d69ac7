//! People who are signed in: their sessions are made as a replica makes them.

use std::path::Path;
use std::sync::Arc;

use http::HeaderMap;
use superid_gateway::clock::Clock;
use superid_gateway::config::{self, Redis};
use superid_gateway::crypto::Random;
use superid_gateway::identity::{ContextId, Credential, Principal};
use superid_gateway::redis_link::RedisLink;
use superid_gateway::session::{
    Revocations, SessionId, SessionState, Sessions, SharedRecords, Source, Store,
};
use superid_gateway::web::{CookieNames, Cookies};

/// Somebody with a cookie.
pub struct Person {
    pub email: String,
    pub cookie: String,
}

/// So many, in the Redis and under the keys of `text`, a replica's configuration.
pub async fn sign_in(text: &str, redis: &Redis, many: usize) -> Vec<Person> {
    let loaded = config::load_text(text, "gateway.toml", Path::new("."), &|_| None);
    let settings = loaded.unwrap_or_else(|problems| panic!("{problems}")).settings;
    let link = RedisLink::open(redis, Random::system()).unwrap();
    let store = Store::Redis(Arc::new(SharedRecords::new(Some(link))));
    let origin = &settings.hosts[0].origin;
    let names = CookieNames::new(&settings.session.cookie_name, origin);
    let ended = Arc::new(Revocations::new(16, 16));
    let sessions = Sessions::new(&settings.session, &names, origin, (ended, store));
    let (random, none) = (Random::system(), HeaderMap::new());
    let mut people = Vec::with_capacity(many);
    for number in 0..many {
        let email = format!("person-{number}@nordlys.example");
        let now = Clock::system().now();
        let state = SessionState {
            id: SessionId::fresh(&random),
            relying_party: "main".to_owned(),
            bond: settings.relying_parties[0].bond,
            principal: principal(&email),
            credential: Credential::Nothing,
            source: Source::of("sod"),
            keys: Vec::new(),
            refresh: None,
            presented: None,
            signed_in: now,
            seen: now,
        };
        let made = sessions.make(&state, &random, Cookies::of(&none)).await.unwrap();
        let cookie = made.cookies[0].to_str().unwrap().split(';').next().unwrap().to_owned();
        people.push(Person { email, cookie });
    }
    people
}

fn principal(email: &str) -> Principal {
    Principal {
        subject: email.to_owned(),
        context: ContextId::parse("Cust12345").unwrap(),
        serial: None,
        company: None,
        email: Some(email.to_owned()),
        initials: None,
        first_name: None,
        last_name: None,
        associate_id: None,
        administrator: false,
        web_api_url: None,
        soap_url: None,
        claims: Vec::new(),
    }
}
