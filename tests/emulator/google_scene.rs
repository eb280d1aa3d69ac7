//! The provider like Google with one client, and the steps its tests share.

use aws_lc_rs::digest::{SHA256, digest};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use superid_gateway::emulator::GoogleClient;

use crate::browser::{Browser, Page};
use crate::scene::{CALLBACK, Scene, VERIFIER};

pub const CLIENT: &str = "42.apps.example";
pub const SECRET: &str = "GOCSPX-secret";
pub const GUEST: &str = "guest@elsewhere.example";

pub async fn scene() -> Scene {
    let scene = Scene::new().await;
    scene.emulator.register_at_google(client());
    scene
}

pub fn client() -> GoogleClient {
    GoogleClient {
        post_logout_uris: vec!["https://app.example/bye".into()],
        ..GoogleClient::new(CLIENT, SECRET, CALLBACK)
    }
}

/// A good request's parameters, with changes.
pub fn parameters(changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
    let good = [
        ("client_id", CLIENT),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid email profile"),
        ("state", "st"),
        ("nonce", "n-1"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let mut all: Vec<(String, String)> =
        good.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    for (name, value) in changes {
        all.retain(|(known, _)| known != name);
        all.push(((*name).into(), (*value).into()));
    }
    all
}

pub fn authorize(scene: &Scene, changes: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new());
    let query = { query }.extend_pairs(parameters(changes)).finish();
    scene.url(&format!("/google/authorize?{query}"))
}

pub async fn pick(scene: &Scene, browser: &mut Browser, page: &Page, who: &str) -> Page {
    let request = page.field("request").expect("a page of accounts").to_owned();
    let fields = [("request", request.as_str()), ("person", who)];
    browser.post(&scene.url("/google/sign-in"), &fields).await
}

/// Redeems a code with changes to a good token request; an empty value takes a field away.
pub async fn redeem(scene: &Scene, code: &str, changes: &[(&str, &str)]) -> Page {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT),
        ("client_secret", SECRET),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("code", code),
    ];
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    fields.retain(|(_, value)| !value.is_empty());
    Browser::new().post(&scene.url("/google/tokens"), &fields).await
}
