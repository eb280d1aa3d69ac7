//! What the token endpoint hands out, and what that is good for.

use base64::prelude::{BASE64_STANDARD, Engine};
use http::{Method, StatusCode};
use serde_json::json;
use superid_gateway::emulator::{CLAIM_PREFIX, Draft};

use crate::browser::{Browser, Page};
use crate::scene::{ASTRID, CALLBACK, ID, JONAS, SECRET, Scene, VERIFIER, app, decode, own};

#[tokio::test]
async fn the_answer_has_the_shapes_of_superid() {
    let scene = Scene::new().await;
    let answer = scene.redeem(&scene.code(ASTRID, "").await, &[]).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], json!(3600));
    let refresh = body["refresh_token"].as_str().unwrap();
    assert!(refresh.len() == 64 && refresh.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let access = body["access_token"].as_str().unwrap().strip_prefix("8A:Cust12345.").unwrap();
    assert!(BASE64_STANDARD.decode(access).is_ok());
    assert!(access.contains('+') && access.contains('/') && access.ends_with('='));
}

#[tokio::test]
async fn the_id_token_has_the_claims_of_a_real_one_in_their_order() {
    let scene = Scene::with({
        let mut app = app();
        app.system_user = true;
        app
    })
    .await;
    let body = scene.redeem(&scene.code(ASTRID, "").await, &[]).await.json();
    let token = body["id_token"].as_str().unwrap();
    let (header, payload) = scene.verified(token).await.unwrap();
    assert_eq!(header["alg"], "RS256");
    assert_eq!(header["typ"], "JWT");
    assert_eq!(payload["iat"], json!(1_700_000_000));
    assert_eq!(payload["nbf"], json!(1_699_999_940));
    assert_eq!(payload["exp"], json!(1_700_000_300));
    assert_eq!(payload["iss"], scene.emulator.url());
    assert_eq!(payload["aud"], ID);
    assert_eq!(own(&payload, "associateid"), "11");
    assert_eq!(own(&payload, "webapi_url"), &json!(scene.url("/Cust12345/api/")));
    assert!(own(&payload, "system_token").as_str().unwrap().starts_with("Order <Desk>-"));

    let text = String::from_utf8(decode(token.split('.').nth(1).unwrap())).unwrap();
    let order = "sub iat associateid identityprovider email upn is_administrator ctx company_name \
         serial netserver_url webapi_url initials so_primary_email_address system_token nonce nbf \
         exp iss aud";
    let places = order.split_whitespace().map(|name| {
        let whole = text.find(&format!("\"{CLAIM_PREFIX}{name}\":"));
        whole.or_else(|| text.find(&format!("\"{name}\":"))).unwrap_or_else(|| panic!("{name}"))
    });
    assert!(places.is_sorted(), "{text}");
}

#[tokio::test]
async fn the_system_token_is_for_administrators() {
    let scene = Scene::with({
        let mut app = app();
        app.system_user = true;
        app
    })
    .await;
    let body = scene.redeem(&scene.code(JONAS, "").await, &[]).await.json();
    let (_, payload) = scene.verified(body["id_token"].as_str().unwrap()).await.unwrap();
    assert!(own(&payload, "system_token").is_null());
    assert_eq!(own(&payload, "is_administrator"), "False");
}

#[tokio::test]
async fn a_refresh_brings_no_refresh_token_and_no_nonce_until_it_is_revoked() {
    let scene = Scene::new().await;
    let body = scene.redeem(&scene.code(ASTRID, "").await, &[]).await.json();
    let token = body["refresh_token"].as_str().unwrap();
    scene.turn_clock(400 * 86_400);
    for _ in 0..2 {
        let page = refresh(&scene, token).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let body = page.json();
        assert!(body.get("refresh_token").is_none());
        let (_, payload) = scene.verified(body["id_token"].as_str().unwrap()).await.unwrap();
        assert!(payload.get("nonce").is_none());
        assert_eq!(payload["sub"], ASTRID);
    }
    let path = format!("/login/common/oauth/Revoke?token={token}&token_type_hint=JWT");
    assert_eq!(Browser::new().post(&scene.url(&path), &[]).await.status, StatusCode::OK);
    assert_eq!(refresh(&scene, token).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn the_client_may_use_basic_and_the_query_string() {
    let scene = Scene::new().await;
    let pair =
        format!("{ID}:{}", form_urlencoded::byte_serialize(SECRET.as_bytes()).collect::<String>());
    let basic = format!("Basic {}", BASE64_STANDARD.encode(pair));
    let code = scene.code(ASTRID, "").await;
    let query = format!(
        "/login/common/oauth/tokens?grant_type=authorization_code&code={code}\
         &redirect_uri={CALLBACK}&code_verifier={VERIFIER}"
    );
    let headers = [("authorization", basic.as_str())];
    let page = Browser::new().send(Method::POST, &scene.url(&query), &headers, String::new()).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
}

#[tokio::test]
async fn a_plain_challenge_is_its_own_verifier() {
    let scene = Scene::new().await;
    let mut browser = Browser::new();
    let plain = [("code_challenge", VERIFIER), ("code_challenge_method", "")];
    let page = browser.get(&scene.authorize("common", &plain)).await;
    let page = scene.pick(&mut browser, &page, ASTRID, "").await;
    assert_eq!(scene.redeem(&page.redirect().1[1].1, &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_access_token_opens_the_web_api_of_its_tenant_for_an_hour() {
    let scene = Scene::new().await;
    let body = scene.redeem(&scene.code(ASTRID, "").await, &[]).await.json();
    let bearer = format!("Bearer {}", body["access_token"].as_str().unwrap());
    let page = principal(&scene, "Cust12345", &bearer).await;
    assert_eq!(page.json()["EMailAddress"], ASTRID);
    assert_eq!(principal(&scene, "Cust67890", &bearer).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        principal(&scene, "Cust12345", "Bearer 8A:x").await.status,
        StatusCode::UNAUTHORIZED
    );
    scene.turn_clock(3600);
    assert_eq!(principal(&scene, "Cust12345", &bearer).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_ticket_opens_the_web_api_for_six_hours_after_its_last_use() {
    let scene = Scene::new().await;
    let draft: Draft = scene.emulator.mint().legacy(ID, ASTRID, "Cust12345").unwrap();
    let (_, payload) = scene.verified(&draft.sign()).await.unwrap();
    let ticket = format!("SOTicket {}", own(&payload, "ticket").as_str().unwrap());
    for _ in 0..2 {
        scene.turn_clock(6 * 3600 - 1);
        assert_eq!(principal(&scene, "cust12345", &ticket).await.status, StatusCode::OK);
    }
    scene.turn_clock(6 * 3600);
    assert_eq!(principal(&scene, "Cust12345", &ticket).await.status, StatusCode::UNAUTHORIZED);
}

async fn refresh(scene: &Scene, token: &str) -> Page {
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", ID),
        ("client_secret", SECRET),
        ("refresh_token", token),
    ];
    scene.token_request(&fields).await
}

async fn principal(scene: &Scene, ctx: &str, authorization: &str) -> Page {
    let url = scene.url(&format!("/{ctx}/api/v1/User/currentPrincipal"));
    let headers = [("authorization", authorization)];
    Browser::new().send(Method::GET, &url, &headers, String::new()).await
}
