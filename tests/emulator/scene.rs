//! An emulator with one app, a clock turned by hand, and the steps tests share.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::Value;
use superid_gateway::emulator::{App, Emulator, Options};

use crate::browser::{Browser, Page};

pub const ID: &str = "gg454918d75b1b53101065c16ee51123";
pub const SECRET: &str = "a secret/with+odd=characters";
pub const CALLBACK: &str = "https://app.example/auth/callback";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

pub const ASTRID: &str = "astrid.berg@nordlys.example";
pub const JONAS: &str = "jonas.lie@nordlys.example";
pub const MIRA: &str = "mira.holm@partner.example";

pub struct Scene {
    pub emulator: Emulator,
    now: Arc<Mutex<SystemTime>>,
}

impl Scene {
    pub async fn new() -> Self {
        Self::with(app()).await
    }

    pub async fn with(app: App) -> Self {
        Self::at_hosts(vec![app], 0).await
    }

    /// With hosts for tenants beside SuperID's own.
    pub async fn at_hosts(apps: Vec<App>, extra_hosts: u16) -> Self {
        let now = Arc::new(Mutex::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)));
        let clock = {
            let now = now.clone();
            Arc::new(move || *now.lock().unwrap())
        };
        let options = Options { clock, apps, extra_hosts, ..Options::default() };
        Self { emulator: Emulator::start(options).await.unwrap(), now }
    }

    pub fn turn_clock(&self, seconds: u64) {
        *self.now.lock().unwrap() += Duration::from_secs(seconds);
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.emulator.url())
    }

    /// The address of a good authorization request, with changes; an empty value takes one away.
    pub fn authorize(&self, place: &str, changes: &[(&str, &str)]) -> String {
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
        let mut query: Vec<(&str, &str)> = vec![
            ("client_id", ID),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid"),
            ("state", "st at&e"),
            ("nonce", "n-1"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in changes {
            query.retain(|(known, _)| known != name);
            query.push((name, value));
        }
        query.retain(|(_, value)| !value.is_empty());
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        self.url(&format!("/login/{place}/oauth/authorize?{query}"))
    }

    /// Picks a person, and a tenant where one is named, on the sign-in page.
    pub async fn pick(&self, browser: &mut Browser, page: &Page, who: &str, ctx: &str) -> Page {
        let request = page.field("request").expect("a sign-in page").to_owned();
        let fields = [("request", request.as_str()), ("person", who), ("tenant", ctx)];
        browser.post(&self.url("/login/sign-in"), &fields).await
    }

    /// Signs in as `who` and returns the code.
    pub async fn code(&self, who: &str, ctx: &str) -> String {
        let mut browser = Browser::new();
        let page = browser.get(&self.authorize("common", &[])).await;
        let page = self.pick(&mut browser, &page, who, ctx).await;
        page.redirect().1.into_iter().find(|(name, _)| name == "code").expect("a code").1
    }

    /// Redeems a code with changes to a good token request.
    pub async fn redeem(&self, code: &str, changes: &[(&str, &str)]) -> Page {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("client_id", ID),
            ("client_secret", SECRET),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
            ("code", code),
        ];
        for (name, value) in changes {
            fields.retain(|(known, _)| known != name);
            fields.push((name, value));
        }
        self.token_request(&fields).await
    }

    pub async fn token_request(&self, fields: &[(&str, &str)]) -> Page {
        Browser::new().post(&self.url("/login/common/oauth/tokens"), fields).await
    }

    /// Header and payload of a token whose signature the published key set bears out.
    pub async fn verified(&self, token: &str) -> Option<(Value, Value)> {
        let jwks = Browser::new().get(&self.url("/login/.well-known/jwks")).await.json();
        let (input, signature) = token.rsplit_once('.')?;
        let (header, payload) = input.split_once('.')?;
        let header: Value = serde_json::from_slice(&decode(header)).unwrap();
        let keys = jwks["keys"].as_array().unwrap();
        let key = keys.iter().find(|key| key["kid"] == header["kid"])?;
        let part = |name: &str| decode(key[name].as_str().unwrap());
        let key = PublicKeyComponents { n: part("n"), e: part("e") };
        let signature = decode(signature);
        key.verify(&RSA_PKCS1_2048_8192_SHA256, input.as_bytes(), &signature).ok()?;
        Some((header, serde_json::from_slice(&decode(payload)).unwrap()))
    }
}

pub fn app() -> App {
    let mut app = App::new(ID, SECRET, CALLBACK);
    app.name = "Order <Desk>".into();
    app.post_logout_uris = vec!["https://app.example/bye".into()];
    app
}

pub fn decode(part: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()
}

/// A claim of SuperOffice's own.
pub fn own<'a>(payload: &'a Value, name: &str) -> &'a Value {
    &payload[format!("{}{name}", superid_gateway::emulator::CLAIM_PREFIX)]
}
