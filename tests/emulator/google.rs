//! The provider like Google: metadata, code flow, hybrid answers, sign-out.

use http::{Method, StatusCode};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, TokenData, Validation, decode, decode_header};
use serde_json::Value;
use superid_gateway::emulator::{Algorithm, GoogleSettings, IssParameter};

use crate::browser::{Browser, Page};
use crate::google_scene::{CLIENT, GUEST, SECRET, authorize, pick, redeem, scene};
use crate::scene::{ASTRID, CALLBACK, Scene, VERIFIER, decode as decoded};

#[tokio::test]
async fn a_code_buys_an_id_token_that_each_algorithms_key_bears_out() {
    use Algorithm::{ES256, EdDSA, PS256, RS256};
    let scene = scene().await;
    for algorithm in [RS256, PS256, ES256, EdDSA] {
        scene.emulator.set_google(GoogleSettings { algorithm, ..GoogleSettings::default() });
        let code = code(&scene, ASTRID, &[]).await;
        let body = redeem(&scene, &code, &[]).await.json();
        let claims = verified(&scene, body["id_token"].as_str().unwrap()).await;
        assert_eq!(claims["iss"], scene.url("/google"));
        assert_eq!(
            (&claims["hd"], &claims["email_verified"]),
            (&"nordlys.example".into(), &true.into())
        );
        assert_eq!((&claims["email"], &claims["nonce"]), (&ASTRID.into(), &"n-1".into()));
        let subject = claims["sub"].as_str().unwrap();
        assert!(subject.len() == 21 && subject.bytes().all(|byte| byte.is_ascii_digit()));
        let half = claims["at_hash"].as_str().unwrap();
        assert_eq!(decoded(half).len(), if algorithm == EdDSA { 32 } else { 16 });
    }
}

#[tokio::test]
async fn the_metadata_names_what_is_there() {
    let scene = scene().await;
    let page = Browser::new().get(&scene.url("/google/.well-known/openid-configuration")).await;
    let document = page.json();
    assert_eq!(document["issuer"], scene.url("/google"));
    for name in ["jwks_uri", "userinfo_endpoint", "end_session_endpoint"] {
        let page = Browser::new().get(document[name].as_str().unwrap()).await;
        assert_ne!(page.status, StatusCode::NOT_FOUND, "{name}");
    }
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
}

#[tokio::test]
async fn a_private_account_has_no_domain_and_no_verified_address() {
    let scene = scene().await;
    let code = code(&scene, GUEST, &[]).await;
    let body = redeem(&scene, &code, &[]).await.json();
    let claims = verified(&scene, body["id_token"].as_str().unwrap()).await;
    assert!(claims.get("hd").is_none());
    assert_eq!(claims["email_verified"], false);
    let page = Browser::new().get(&authorize(&scene, &[("hd", "nordlys.example")])).await;
    assert!(page.body.contains(ASTRID) && !page.body.contains(GUEST));
}

#[tokio::test]
async fn hybrid_answers_are_bound_by_their_hashes_and_say_who_answers() {
    let scene = scene().await;
    let changes = [("response_type", "code id_token token"), ("response_mode", "form_post")];
    let (address, fields) = arrive(&scene, ASTRID, &changes).await.form();
    assert_eq!(address, CALLBACK);
    let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
    let expected = ["state", "iss", "code", "access_token", "token_type", "expires_in", "id_token"];
    assert_eq!(names, expected);
    assert_eq!(fields[1].1, scene.url("/google"));
    let claims = verified(&scene, &fields[6].1).await;
    assert!(claims["c_hash"].is_string() && claims["at_hash"].is_string());
    assert_eq!(
        arrive(&scene, ASTRID, &[("response_type", "id_token")]).await.fragment().1.len(),
        3
    );
}

#[tokio::test]
async fn the_iss_parameter_can_be_wrong_or_missing() {
    let scene = scene().await;
    for (iss_parameter, expected) in [
        (IssParameter::Wrong, Some("https://accounts.evil.example")),
        (IssParameter::Missing, None),
        (IssParameter::Absent, None),
    ] {
        scene.emulator.set_google(GoogleSettings { iss_parameter, ..GoogleSettings::default() });
        let (_, fields) = arrive(&scene, ASTRID, &[]).await.redirect();
        let iss = fields.iter().find(|(name, _)| name == "iss").map(|(_, value)| value.as_str());
        assert_eq!(iss, expected);
        let page = Browser::new().get(&scene.url("/google/.well-known/openid-configuration")).await;
        let promised = &page.json()["authorization_response_iss_parameter_supported"];
        assert_eq!(*promised, iss_parameter != IssParameter::Absent);
    }
}

#[tokio::test]
async fn userinfo_is_about_the_bearer_unless_told_to_lie() {
    let scene = scene().await;
    let code = code(&scene, ASTRID, &[]).await;
    let body = redeem(&scene, &code, &[]).await.json();
    let claims = verified(&scene, body["id_token"].as_str().unwrap()).await;
    let bearer = format!("Bearer {}", body["access_token"].as_str().unwrap());
    let info = userinfo(&scene, &bearer).await.json();
    assert_eq!((&info["sub"], &info["email"]), (&claims["sub"], &ASTRID.into()));
    let settings = GoogleSettings { other_userinfo: true, ..GoogleSettings::default() };
    scene.emulator.set_google(settings);
    assert_ne!(userinfo(&scene, &bearer).await.json()["sub"], claims["sub"]);
    assert_eq!(userinfo(&scene, "Bearer ya29.x").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_is_wrong_with_a_request_goes_back_and_what_is_not_safe_stays() {
    let scene = scene().await;
    for (name, value, error) in [
        ("scope", "email", "invalid_scope"),
        ("response_type", "none", "unsupported_response_type"),
        ("prompt", "none", "login_required"),
    ] {
        let page = Browser::new().get(&authorize(&scene, &[(name, value)])).await;
        let (_, fields) = page.redirect();
        assert!(fields.contains(&("error".into(), error.into())), "{fields:?}");
    }
    for change in [("client_id", "nobody"), ("redirect_uri", "https://evil.example/")] {
        let page = Browser::new().get(&authorize(&scene, &[change])).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
    }
    let mut browser = Browser::new();
    let page = browser.get(&authorize(&scene, &[])).await;
    let request = page.field("request").unwrap().to_owned();
    let fields = [("request", request.as_str()), ("decision", "refuse")];
    let (_, fields) = browser.post(&scene.url("/google/sign-in"), &fields).await.redirect();
    assert!(fields.contains(&("error".into(), "access_denied".into())), "{fields:?}");
}

#[tokio::test]
async fn a_code_is_good_once_and_with_its_verifier() {
    let scene = scene().await;
    let spent = code(&scene, ASTRID, &[]).await;
    let page = redeem(&scene, &spent, &[("code_verifier", "another")]).await;
    assert_eq!(page.json()["error"], "invalid_grant");
    let page = redeem(&scene, &spent, &[]).await;
    assert_eq!(page.json()["error"], "invalid_grant");
    let offline = code(&scene, ASTRID, &[("access_type", "offline")]).await;
    let token = redeem(&scene, &offline, &[]).await.json()["refresh_token"].clone();
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str().unwrap()),
        ("client_id", CLIENT),
        ("client_secret", SECRET),
    ];
    let page = Browser::new().post(&scene.url("/google/tokens"), &fields).await;
    assert!(page.json()["id_token"].is_string(), "{}", page.body);
    assert!(!VERIFIER.is_empty());
}

#[tokio::test]
async fn a_refresh_token_is_revoked_by_its_own_client_alone() {
    let scene = scene().await;
    let offline = code(&scene, ASTRID, &[("access_type", "offline")]).await;
    let token = redeem(&scene, &offline, &[]).await.json()["refresh_token"].clone();
    let token = token.as_str().unwrap();
    let proof = [("client_id", CLIENT), ("client_secret", SECRET)];
    let refreshes = [("grant_type", "refresh_token"), ("refresh_token", token), proof[0], proof[1]];
    let wrong = [("token", token), proof[0], ("client_secret", "another")];
    let page = Browser::new().post(&scene.url("/google/revoke"), &wrong).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    let page = Browser::new().post(&scene.url("/google/tokens"), &refreshes).await;
    assert!(page.json()["id_token"].is_string(), "{}", page.body);
    for _ in 0..2 {
        let fields = [("token", token), proof[0], proof[1]];
        let page = Browser::new().post(&scene.url("/google/revoke"), &fields).await;
        assert_eq!(page.status, StatusCode::OK, "also of one that nobody knows (RFC 7009 §2.2)");
    }
    let page = Browser::new().post(&scene.url("/google/tokens"), &refreshes).await;
    assert_eq!(page.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn sign_out_leads_back_with_state_for_a_client_it_knows() {
    let scene = scene().await;
    let mut browser = Browser::new();
    let page = browser.get(&authorize(&scene, &[])).await;
    let page = pick(&scene, &mut browser, &page, ASTRID).await;
    let code = page.redirect().1.into_iter().find(|(name, _)| name == "code").unwrap().1;
    browser.get(&authorize(&scene, &[])).await.redirect();
    let id_token = redeem(&scene, &code, &[]).await.json()["id_token"].clone();
    let hint = id_token.as_str().unwrap();
    let back = "https%3A%2F%2Fapp.example%2Fbye";
    let path = format!("/google/logout?id_token_hint={hint}&state=s1&post_logout_redirect_uri=");
    let page = browser.get(&scene.url(&format!("{path}{back}"))).await;
    assert_eq!(page.header("location"), "https://app.example/bye?state=s1");
    let page = browser.get(&authorize(&scene, &[])).await;
    assert!(page.field("request").is_some(), "asked again");
    let page = browser.get(&scene.url(&format!("{path}https://evil.example/"))).await;
    assert_eq!(page.status, StatusCode::OK);
}

/// The claims, once the published key has borne the token out.
async fn verified(scene: &Scene, token: &str) -> Value {
    let page = Browser::new().get(&scene.url("/google/jwks")).await;
    let keys: JwkSet = serde_json::from_str(&page.body).unwrap();
    let header = decode_header(token).unwrap();
    let key = keys.find(header.kid.as_deref().unwrap()).expect("a key of this name");
    let mut validation = Validation::new(header.alg);
    validation.set_audience(&[CLIENT]);
    // The scene's clock stands in the past.
    validation.validate_exp = false;
    let key = DecodingKey::from_jwk(key).unwrap();
    let data: TokenData<Value> = decode(token, &key, &validation).unwrap();
    data.claims
}

async fn arrive(scene: &Scene, who: &str, changes: &[(&str, &str)]) -> Page {
    let mut browser = Browser::new();
    let page = browser.get(&authorize(scene, changes)).await;
    pick(scene, &mut browser, &page, who).await
}

async fn code(scene: &Scene, who: &str, changes: &[(&str, &str)]) -> String {
    let (_, fields) = arrive(scene, who, changes).await.redirect();
    fields.into_iter().find(|(name, _)| name == "code").expect("a code").1
}

async fn userinfo(scene: &Scene, authorization: &str) -> Page {
    let headers = [("authorization", authorization)];
    let url = scene.url("/google/userinfo");
    Browser::new().send(Method::GET, &url, &headers, String::new()).await
}
