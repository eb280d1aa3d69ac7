//! What is said of people, signed: verified here as an app would, by a library that is not ours.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;
use superid_gateway::crypto::Es256Key;

use crate::h2_app::H2App;
use crate::http2_apps::{GRPC, answered, before, post, text};
use crate::jar::Way;
use crate::world::{ASTRID, World};

const NAME: &str = "X-SuperOffice-Identity";

/// A new private key as the configuration takes it.
fn key() -> String {
    format!("{{ value = '''{}''' }}", Es256Key::new_pem().unwrap().as_str())
}

/// All routes of these tests, signed with the first of these keys.
fn signing(keys: &[&str]) -> String {
    format!(
        "[assertion]\nkeys = [{}]\nlife = \"60s\"\n\
         [route.app.headers]\nassertion = \"{NAME}\"\n\
         [route.other]\npath = \"/other\"\nupstream = \"$APP\"\nheaders = {{ assertion = \"X-Who\" }}\n\
         [route.plain]\npath = \"/plain\"\nupstream = \"$APP\"\n\
         [host.main]\noauth2_proxy_paths = true\n",
        keys.join(", ")
    )
}

/// The keys as anybody gets them.
async fn published(world: &World) -> JwkSet {
    let answer = world.api().get(&world.url("/auth/keys")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    assert!(!answer.body.contains("\"d\""), "nothing private: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

/// What an app does: finds the key by its name, and checks signature, algorithm, audience, issuer.
fn believed(keys: &JwkSet, token: &str, origin: &str) -> Result<Value, String> {
    let kid = decode_header(token).map_err(|error| error.to_string())?.kid.ok_or("no kid")?;
    let key = keys.find(&kid).ok_or("unknown kid")?;
    let key = DecodingKey::from_jwk(key).map_err(|error| error.to_string())?;
    let mut rules = Validation::new(Algorithm::ES256);
    rules.set_audience(&[origin]);
    rules.set_issuer(&[origin]);
    rules.validate_exp = false;
    decode(token, &key, &rules).map(|token| token.claims).map_err(|error| error.to_string())
}

#[tokio::test]
async fn an_app_checks_who_calls_without_trusting_the_network() {
    let world = World::with(&signing(&[&key()])).await;
    let mut browser = world.signed_in(ASTRID).await;
    let keys = published(&world).await;
    browser.visit(&world.url("/orders")).await;
    let token = world.app.last().header(NAME).unwrap().to_owned();
    let claims = believed(&keys, &token, &world.origin).unwrap();
    let now = world.clock.now().0;
    for (name, value) in [
        ("iss", Value::from(world.origin.as_str())),
        ("aud", world.origin.as_str().into()),
        ("sub", ASTRID.into()),
        ("context", "Cust12345".into()),
        ("route", "app".into()),
        ("relying_party", "main".into()),
        ("iat", now.into()),
        ("exp", (now + 60).into()),
        ("auth_time", now.into()),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    assert_eq!(claims["email"].as_str(), world.app.last().header("X-SuperOffice-Email"));
    assert_eq!(claims["jti"].as_str().unwrap().len(), 22);
    let bearer = world.app.last().header("Authorization").unwrap().to_owned();
    let secret = bearer.strip_prefix("Bearer ").unwrap();
    assert!(!claims.to_string().contains(secret), "no credential is in it: {claims}");
    assert!(believed(&keys, &token, "https://other.example").is_err(), "for another host");
    let mut forged = token.clone();
    forged.replace_range(
        token.len() - 4..token.len() - 3,
        if forged.ends_with('A') { "B" } else { "A" },
    );
    assert!(forged == token || believed(&keys, &forged, &world.origin).is_err());
}

#[tokio::test]
async fn each_route_has_its_own_and_those_that_ask_for_none_get_none() {
    let world = World::with(&signing(&[&key()])).await;
    let mut browser = world.signed_in(ASTRID).await;
    let keys = published(&world).await;
    browser.visit(&world.url("/other/x")).await;
    let token = world.app.last().header("X-Who").unwrap().to_owned();
    assert_eq!(believed(&keys, &token, &world.origin).unwrap()["route"], "other");
    for path in ["/plain", "/public"] {
        browser.visit(&world.url(path)).await;
        let told = world.app.last();
        assert_eq!((told.header(NAME), told.header("X-Who")), (None, None), "{path}");
    }
}

#[tokio::test]
async fn nobody_outside_can_say_it_in_any_spelling_on_any_route() {
    let world = World::with(&signing(&[&key()])).await;
    let mut browser = world.signed_in(ASTRID).await;
    let genuine = published(&world).await;
    for path in ["/orders", "/other", "/plain", "/public"] {
        for name in
            [NAME, "X_SuperOffice_Identity", "x-superoffice-IDENTITY", "x-who", "X_Who", "XWHO"]
        {
            let forged = format!("{name}: eyJ.forged.x\r\n{}", crate::browser::NAVIGATION);
            browser.request("GET", &world.url(path), Way::SameSite, &forged, "").await;
            let told = world.app.last();
            assert!(
                !told.headers.iter().any(|(_, value)| value.contains("forged")),
                "{path} {name}"
            );
            for value in told.all(NAME).into_iter().chain(told.all("X-Who")) {
                believed(&genuine, value, &world.origin).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn one_serves_until_half_of_its_life_is_over_and_is_always_good_for_the_rest() {
    let world = World::with(&signing(&[&key()])).await;
    let mut browser = world.signed_in(ASTRID).await;
    let mut told = Vec::new();
    for seconds in [0, 29, 1, 29] {
        world.turn_clock(seconds);
        browser.visit(&world.url("/orders")).await;
        told.push(world.app.last().header(NAME).unwrap().to_owned());
    }
    assert_eq!(told[0], told[1], "signed once");
    assert_ne!(told[1], told[2], "and again when half of its life was over");
    assert_eq!(told[2], told[3]);
}

#[tokio::test]
async fn keys_change_without_a_moment_in_which_an_app_cannot_check() {
    let (old, new) = (key(), key());
    let mut world = World::with(&signing(&[&old])).await;
    let mut browser = world.signed_in(ASTRID).await;
    let mut seen = published(&world).await;
    for keys in [[&old, &new].as_slice(), &[&new, &old], &[&new]] {
        let keys: Vec<&str> = keys.iter().map(|key| key.as_str()).collect();
        world.reload(&signing(&keys)).unwrap();
        browser.visit(&world.url("/orders")).await;
        let token = world.app.last().header(NAME).unwrap().to_owned();
        believed(&seen, &token, &world.origin).expect("with the keys fetched one step before");
        seen = published(&world).await;
        assert_eq!(seen.keys.len(), keys.len());
        believed(&seen, &token, &world.origin).expect("with the keys of now");
    }
}

#[tokio::test]
async fn upgrades_are_told_and_a_gateway_that_signs_nothing_publishes_nothing() {
    let world = World::with(&signing(&[&key()])).await;
    let mut browser = world.signed_in(ASTRID).await;
    let upgrade = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    browser.request("GET", &world.url("/live"), Way::SameSite, upgrade, "").await;
    let token = world.app.last().header(NAME).unwrap().to_owned();
    assert!(believed(&published(&world).await, &token, &world.origin).is_ok());
    let plain = World::new().await;
    assert_eq!(plain.api().get(&plain.url("/auth/keys")).await.status, 404);
    let posted = world.api().send("POST", &world.url("/auth/keys"), "").await;
    assert_eq!(posted.status, 405);
}

#[tokio::test]
async fn an_app_of_grpc_is_told_the_same() {
    let app = H2App::start().await;
    let (mut secure, client) = before(&app, "h2-assertion").await;
    let mut browser = secure.world.browser();
    assert_eq!(browser.sign_in(&secure.world.url("/"), ASTRID).await.status, 200);
    let keys = format!("[assertion]\nkeys = [{}]\n", key());
    let more = format!("{keys}[route.app.headers]\nassertion = \"{NAME}\"\n");
    secure.world.reload(&more).unwrap();
    app.hands_over();
    let cookie = browser.jar.value("__Host-superid-gateway").unwrap();
    let cookie = format!("__Host-superid-gateway={cookie}");
    let headers = [GRPC, ("cookie", cookie.as_str()), ("x_superoffice_identity", "forged")];
    let (answer, mut body) = post(&client, &secure.world.url("/shop.Orders/List"), &headers).await;
    body.send_data(text("ask"), true).unwrap();
    let mut asked = app.next().await;
    let token = asked.header("x-superoffice-identity").unwrap().to_owned();
    let keys = browser.visit(&secure.world.url("/auth/keys")).await;
    let keys: JwkSet = serde_json::from_str(&keys.body).unwrap();
    assert_eq!(believed(&keys, &token, &secure.world.origin).unwrap()["sub"], ASTRID);
    assert_eq!(asked.header("x_superoffice_identity"), None);
    assert_eq!(asked.whole().await, b"ask");
    asked.begins(&[GRPC]).send_data(text("told"), true).unwrap();
    assert_eq!(answered(answer).await.0, 200);
}
