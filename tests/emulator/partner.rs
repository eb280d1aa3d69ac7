//! An app with a key of its own, that buys tickets and calls tenants with them.

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::prelude::{BASE64_STANDARD, Engine};
use http::Method;
use serde_json::{Value, json};
use superid_gateway::emulator::App;

use crate::browser::{Browser, Page};
use crate::scene::{ID, SECRET, Scene, app, own};

pub const CTX: &str = "Cust12345";
pub const OTHER_CTX: &str = "Cust67890";
pub const SECOND_SECRET: &str = "second secret";
/// The minute at which a scene's clock starts.
pub const MINUTE: &str = "202311142213";
pub const REST: &str = "/Login/api/PartnerSystemUser/Authenticate";

/// The app of the scenes, with a key that signs system tokens.
pub fn partner() -> App {
    App { system_user: true, system_user_keys: vec![public_pem()], ..app() }
}

/// A second app of the same key.
pub fn second() -> App {
    App {
        client_id: "second".into(),
        client_secret: SECOND_SECRET.into(),
        name: "Second".into(),
        ..partner()
    }
}

/// A scene with the partner and two hosts for tenants.
pub async fn scene() -> Scene {
    Scene::at_hosts(vec![partner(), second()], 2).await
}

pub fn public_pem() -> String {
    let der: PublicKeyX509Der<'_> = key().public_key().as_der().unwrap();
    let body = BASE64_STANDARD.encode(der.as_ref());
    let lines: Vec<_> = body.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

/// `token.minute.signature`.
pub fn signed(token: &str, minute: &str) -> String {
    let message = format!("{token}.{minute}");
    let mut signature = vec![0; key().public_modulus_len()];
    let random = SystemRandom::new();
    key().sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", BASE64_STANDARD.encode(signature))
}

/// A good request for a ticket, with changes.
pub fn request(scene: &Scene, ctx: &str, changes: &[(&str, &str)]) -> Value {
    let token = scene.emulator.tenants().system_token(ID, ctx).unwrap_or_default();
    let mut body = json!({
        "SignedSystemToken": signed(&token, MINUTE),
        "ApplicationToken": SECRET,
        "ContextIdentifier": ctx,
        "ReturnTokenType": "JWT",
    });
    for (name, value) in changes {
        body[*name] = (*value).into();
    }
    body
}

pub async fn exchange(scene: &Scene, body: &Value) -> Page {
    let kind = [("content-type", "application/json")];
    Browser::new().send(Method::POST, &scene.url(REST), &kind, body.to_string()).await
}

/// Why a request is refused; what refuses has HTTP 200.
pub async fn refusal(scene: &Scene, body: &Value) -> String {
    let page = exchange(scene, body).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let answer = page.json();
    assert_eq!(answer["IsSuccessful"], false);
    assert_eq!(answer["Token"], Value::Null);
    answer["ErrorMessage"].as_str().unwrap().to_owned()
}

/// The claims of the token an exchange brings.
pub async fn claims(scene: &Scene, ctx: &str) -> Value {
    let answer = exchange(scene, &request(scene, ctx, &[])).await.json();
    assert_eq!(answer["IsSuccessful"], true, "{answer}");
    assert_eq!(answer["ErrorMessage"], Value::Null);
    scene.verified(answer["Token"].as_str().unwrap()).await.expect("a good signature").1
}

pub async fn ticket(scene: &Scene, ctx: &str) -> String {
    own(&claims(scene, ctx).await, "ticket").as_str().unwrap().to_owned()
}

/// A call below the tenant's root, wherever that is today.
pub async fn call(scene: &Scene, ctx: &str, below: &str, headers: &[(&str, &str)]) -> Page {
    let url = format!("{}{below}", scene.emulator.tenants().root(ctx).unwrap());
    Browser::new().send(Method::GET, &url, headers, String::new()).await
}

/// The headers of a system user's call.
pub fn with<'a>(authorization: &'a str, app_token: &'a str) -> [(&'static str, &'a str); 2] {
    [("authorization", authorization), ("so-apptoken", app_token)]
}

fn key() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| KeyPair::generate(KeySize::Rsa2048).unwrap())
}
