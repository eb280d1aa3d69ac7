//! How clients prove themselves to the provider like Google, and push their requests.

use base64::prelude::{BASE64_STANDARD, Engine};
use http::{Method, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use superid_gateway::emulator::{ClientAuth, GoogleClient, IssuedKey};

use crate::browser::{Browser, Page};
use crate::google_scene::{CLIENT, SECRET, authorize, client, parameters, pick, redeem, scene};
use crate::scene::{ASTRID, CALLBACK, Scene};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[tokio::test]
async fn the_registered_way_is_the_only_one() {
    use ClientAuth::{AnySecret, ClientSecretBasic, ClientSecretPost, PrivateKeyJwt};
    let scene = scene().await;
    for (auth, by_post, by_basic) in [
        (AnySecret, true, true),
        (ClientSecretPost, true, false),
        (ClientSecretBasic, false, true),
        (PrivateKeyJwt, false, false),
    ] {
        scene.emulator.register_at_google(GoogleClient { auth, ..client() });
        for (secret, works) in [(SECRET, by_post), ("wrong", false)] {
            let page = redeem(&scene, "no-code", &[("client_secret", secret)]).await;
            assert_eq!(page.json()["error"], error(works), "{auth:?} by post");
            assert_eq!(basic(&scene, secret).await, error(by_basic && secret == SECRET));
        }
    }
}

#[tokio::test]
async fn a_signed_assertion_proves_a_client_once() {
    let scene = scene().await;
    let key = IssuedKey::generate().unwrap();
    let keys = vec![key.public.clone()];
    let auth = ClientAuth::PrivateKeyJwt;
    scene.emulator.register_at_google(GoogleClient { auth, keys, ..client() });
    let good = json!({
        "iss": CLIENT, "sub": CLIENT, "aud": scene.url("/google/tokens"),
        "exp": 1_700_000_060, "iat": 1_700_000_000, "jti": "one",
    });
    let refused: [(&str, Value); 6] = [
        ("iss", "another".into()),
        ("aud", "https://evil.example".into()),
        ("exp", 1_700_000_000.into()),
        ("exp", 1_700_009_999.into()),
        ("jti", Value::Null),
        ("sub", "nobody".into()),
    ];
    for (name, value) in refused {
        let mut claims = good.clone();
        claims[name] = value;
        let page = by_assertion(&scene, &signed(&key, &claims)).await;
        assert_eq!(page.json()["error"], "invalid_client", "{claims}");
        assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    }
    let stranger = IssuedKey::generate().unwrap();
    let page = by_assertion(&scene, &signed(&stranger, &good)).await;
    assert_eq!(page.json()["error"], "invalid_client");
    let jwt = signed(&key, &good);
    assert_eq!(by_assertion(&scene, &jwt).await.json()["error"], "invalid_grant", "good client");
    assert_eq!(by_assertion(&scene, &jwt).await.json()["error"], "invalid_client", "used before");
}

#[tokio::test]
async fn a_pushed_request_is_good_once_for_its_client_and_nothing_else_counts() {
    let scene = scene().await;
    scene.emulator.register_at_google(GoogleClient { pushed_only: true, ..client() });
    let page = Browser::new().get(&authorize(&scene, &[])).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST, "it was not pushed");

    let page = push(&scene, &[("client_secret", SECRET)]).await;
    assert_eq!(page.status, StatusCode::CREATED, "{}", page.body);
    let uri = page.json()["request_uri"].as_str().unwrap().to_owned();
    let query =
        [("client_id", CLIENT), ("request_uri", &uri), ("redirect_uri", "https://evil.example/")];
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    let address = scene.url(&format!("/google/authorize?{query}"));
    let mut browser = Browser::new();
    let page = browser.get(&address).await;
    let page = pick(&scene, &mut browser, &page, ASTRID).await;
    let (address_of_app, fields) = page.redirect();
    assert_eq!(address_of_app, CALLBACK);
    assert!(fields.contains(&("state".into(), "st".into())));
    assert_eq!(Browser::new().get(&address).await.status, StatusCode::BAD_REQUEST, "spent");

    let page = push(&scene, &[("client_secret", "wrong")]).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    let elsewhere = [("client_secret", SECRET), ("redirect_uri", "https://evil.example/")];
    assert_eq!(push(&scene, &elsewhere).await.json()["error"], "invalid_request");
}

#[tokio::test]
async fn clients_and_behaviour_can_be_set_by_scripts() {
    let scene = Scene::new().await;
    let body = format!(
        r#"{{"client_id":"{CLIENT}","client_secret":"{SECRET}","redirect_uris":["{CALLBACK}"]}}"#
    );
    let url = scene.url("/emulator/google/clients");
    let page = Browser::new().send(Method::POST, &url, &[], body).await;
    assert!(page.body.contains(CLIENT) && !page.body.contains(SECRET), "{}", page.body);
    let url = scene.url("/emulator/google");
    let page = Browser::new().send(Method::PUT, &url, &[], r#"{"algorithm":"ES256"}"#.into()).await;
    assert_eq!(page.json()["iss_parameter"], "sent");
    let jwks = Browser::new().get(&scene.url("/google/jwks")).await.json();
    assert_eq!(jwks["keys"][0]["crv"], "P-256");
    let page = Browser::new().get(&authorize(&scene, &[])).await;
    assert!(page.field("request").is_some());
}

/// A client that is believed fails at its code; another one earlier.
#[expect(clippy::fn_params_excessive_bools, reason = "the condition itself is what is passed")]
fn error(believed: bool) -> &'static str {
    match believed {
        true => "invalid_grant",
        false => "invalid_client",
    }
}

async fn basic(scene: &Scene, secret: &str) -> Value {
    let credentials = BASE64_STANDARD.encode(format!("{CLIENT}:{secret}"));
    let basic = format!("Basic {credentials}");
    let headers =
        [("authorization", basic.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let body = "grant_type=authorization_code&code=no-code".to_owned();
    let url = scene.url("/google/tokens");
    Browser::new().send(Method::POST, &url, &headers, body).await.json()["error"].clone()
}

async fn by_assertion(scene: &Scene, jwt: &str) -> Page {
    let changes =
        [("client_secret", ""), ("client_assertion_type", JWT_BEARER), ("client_assertion", jwt)];
    redeem(scene, "no-code", &changes).await
}

fn signed(key: &IssuedKey, claims: &Value) -> String {
    let key = EncodingKey::from_rsa_pem(key.private.as_bytes()).unwrap();
    encode(&Header::new(Algorithm::RS256), claims, &key).unwrap()
}

async fn push(scene: &Scene, changes: &[(&str, &str)]) -> Page {
    let fields = parameters(changes);
    let fields: Vec<_> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Browser::new().post(&scene.url("/google/par"), &fields).await
}
