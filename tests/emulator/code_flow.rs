//! Authorization requests: sign-in page, tenants, silent second time, sign-out.

use http::StatusCode;
use superid_gateway::emulator::Kind;

use crate::browser::Browser;
use crate::scene::{ASTRID, CALLBACK, JONAS, MIRA, Scene, own};

#[tokio::test]
async fn a_person_signs_in_and_the_code_buys_tokens_about_them() {
    let scene = Scene::new().await;
    let mut browser = Browser::new();
    let page = browser.get(&scene.authorize("common", &[])).await;
    assert!(page.body.contains("Order &#60;Desk&#62; wants to know"), "{}", page.body);

    let page = scene.pick(&mut browser, &page, ASTRID, "").await;
    let (address, query) = page.redirect();
    assert_eq!(address, CALLBACK);
    assert_eq!(query[0], ("state".into(), "st at&e".into()), "state comes first");
    assert_eq!(query[1].0, "code");
    assert_eq!(query[1].1.len(), 64);
    assert!(query[1].1.bytes().all(|byte| byte.is_ascii_alphanumeric()));

    let answer = scene.redeem(&query[1].1, &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let body = answer.json();
    let (_, payload) = scene.verified(body["id_token"].as_str().unwrap()).await.unwrap();
    assert_eq!(payload["sub"], ASTRID);
    assert_eq!(payload["nonce"], "n-1");
    assert_eq!(own(&payload, "ctx"), "Cust12345");
    assert_eq!(own(&payload, "is_administrator"), "True");
    assert_eq!(scene.emulator.journal().count(Kind::Tokens), 1);
    scene.emulator.stop().await;
}

#[tokio::test]
async fn the_second_time_is_silent_until_sign_out() {
    let scene = Scene::new().await;
    let mut browser = Browser::new();
    let page = browser.get(&scene.authorize("common", &[])).await;
    scene.pick(&mut browser, &page, JONAS, "").await.redirect();
    browser.get(&scene.authorize("common", &[])).await.redirect();
    let page = browser.get(&scene.authorize("common", &[("prompt", "login")])).await;
    assert!(page.field("request").is_some());

    let page = browser.get(&scene.url("/login/logout?redirect_uri=https://evil.example/")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("Signed out"));
    assert!(browser.cookies.is_empty());
    let page = browser.get(&scene.authorize("common", &[])).await;
    assert!(page.field("request").is_some(), "asked again");
}

#[tokio::test]
async fn sign_out_leads_to_a_registered_address_under_either_name() {
    let scene = Scene::new().await;
    for name in ["redirect_uri", "post_logout_redirect_uri"] {
        let path = format!("/login/logout?scope=openid&{name}=https%3A%2F%2Fapp.example%2Fbye");
        let page = Browser::new().get(&scene.url(&path)).await;
        assert_eq!(page.header("location"), "https://app.example/bye");
    }
}

#[tokio::test]
async fn a_person_of_two_tenants_picks_one_and_it_is_remembered() {
    let scene = Scene::new().await;
    let mut browser = Browser::new();
    let page = browser.get(&scene.authorize("common", &[])).await;
    let page = scene.pick(&mut browser, &page, MIRA, "").await;
    assert!(page.body.contains("Choose a tenant"), "{}", page.body);
    let page = scene.pick(&mut browser, &page, MIRA, "Cust67890").await;
    assert_eq!(tenant_of(&scene, &page.redirect().1[1].1).await, "Cust67890");

    let again = browser.get(&scene.authorize("common", &[])).await;
    assert_eq!(tenant_of(&scene, &again.redirect().1[1].1).await, "Cust67890");
}

#[tokio::test]
async fn an_asked_tenant_skips_the_picker_in_the_path_and_in_acr_values() {
    let scene = Scene::new().await;
    let asked = [
        scene.authorize("cUST67890", &[]),
        scene.authorize("common", &[("acr_values", "tenant:Cust67890")]),
    ];
    for address in asked {
        let mut browser = Browser::new();
        let page = browser.get(&address).await;
        let page = scene.pick(&mut browser, &page, MIRA, "").await;
        assert_eq!(tenant_of(&scene, &page.redirect().1[1].1).await, "Cust67890");
    }
}

#[tokio::test]
async fn a_person_without_an_account_in_the_asked_tenant_goes_nowhere() {
    let scene = Scene::new().await;
    let mut browser = Browser::new();
    let page = browser.get(&scene.authorize("Cust67890", &[])).await;
    let page = scene.pick(&mut browser, &page, ASTRID, "").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.body.contains("Account does not have access"));

    let mut browser = Browser::new();
    let page = browser.get(&scene.authorize("common", &[])).await;
    let page = scene.pick(&mut browser, &page, "guest@elsewhere.example", "").await;
    assert!(page.body.contains("Account does not have access"));
    let page = browser.get(&scene.url(page.link("Sign in as somebody else"))).await;
    scene.pick(&mut browser, &page, ASTRID, "Cust12345").await.redirect();
}

#[tokio::test]
async fn a_picked_tenant_the_person_has_no_account_in_makes_no_session() {
    let scene = Scene::new().await;
    let mut browser = Browser::new();
    let page = browser.get(&scene.authorize("common", &[])).await;
    let page = scene.pick(&mut browser, &page, ASTRID, "Cust67890").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(browser.cookies.is_empty());
}

#[tokio::test]
async fn form_post_carries_the_code_in_hidden_fields_and_unknown_modes_are_ignored() {
    let scene = Scene::new().await;
    let mut browser = Browser::new();
    let page = browser.get(&scene.authorize("common", &[("response_mode", "form_post")])).await;
    let page = scene.pick(&mut browser, &page, ASTRID, "").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains(&format!("method=\"post\" action=\"{CALLBACK}\"")));
    assert_eq!(page.field("state"), Some("st at&#38;e"));
    assert_eq!(page.field("code").unwrap().len(), 64);

    let page = browser.get(&scene.authorize("common", &[("response_mode", "form_data")])).await;
    assert_eq!(page.redirect().0, CALLBACK);
}

#[tokio::test]
async fn prompt_none_answers_the_app_instead_of_showing_a_page() {
    let scene = Scene::new().await;
    let page = Browser::new().get(&scene.authorize("common", &[("prompt", "none")])).await;
    assert_eq!(page.redirect().1[1], ("error".into(), "login_required".into()));
}

async fn tenant_of(scene: &Scene, code: &str) -> String {
    let body = scene.redeem(code, &[]).await.json();
    let (_, payload) = scene.verified(body["id_token"].as_str().unwrap()).await.unwrap();
    own(&payload, "ctx").as_str().unwrap().to_owned()
}
