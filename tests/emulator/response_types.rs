//! What comes back, by response type and mode.

use aws_lc_rs::digest::{SHA256, digest};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use superid_gateway::emulator::{AnswerLie, Fault};

use crate::browser::{Browser, Page};
use crate::scene::{ASTRID, CALLBACK, Scene};

type Fields = Vec<(String, String)>;

const TYPES: [(&str, &[&str]); 7] = [
    ("code", &["state", "code"]),
    ("id_token", &["state", "id_token"]),
    ("token", &TOKEN),
    ("code id_token", &["state", "code", "id_token"]),
    ("id_token token", &ID_TOKEN_TOKEN),
    ("code token", &CODE_TOKEN),
    ("code id_token token", &ALL),
];
const TOKEN: [&str; 6] =
    ["state", "access_token", "token_type", "expires_in", "ctx", "netserver_url"];
const ID_TOKEN_TOKEN: [&str; 7] =
    ["state", "id_token", "access_token", "token_type", "expires_in", "ctx", "netserver_url"];
const CODE_TOKEN: [&str; 7] =
    ["state", "code", "access_token", "token_type", "expires_in", "ctx", "netserver_url"];
const ALL: [&str; 8] = [
    "state",
    "code",
    "id_token",
    "access_token",
    "token_type",
    "expires_in",
    "ctx",
    "netserver_url",
];

#[tokio::test]
async fn every_response_type_brings_its_parts_in_fragment_and_form() {
    let scene = Scene::new().await;
    let mut browser = signed_in(&scene).await;
    for (kind, expected) in TYPES {
        for mode in ["fragment", "form_post"] {
            let page = ask(&scene, &mut browser, kind, mode).await;
            let (address, fields) = match mode {
                "fragment" => page.fragment(),
                _ => page.form(),
            };
            assert_eq!(address, CALLBACK);
            let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, expected, "{kind} by {mode}");
            assert_eq!(field(&fields, "state"), "st at&e");
            check_hashes(&scene, &fields).await;
        }
    }
}

#[tokio::test]
async fn without_a_mode_tokens_come_in_the_fragment_and_a_code_in_the_query() {
    let scene = Scene::new().await;
    let mut browser = signed_in(&scene).await;
    assert_eq!(ask(&scene, &mut browser, "code", "").await.redirect().1.len(), 2);
    let page = ask(&scene, &mut browser, "id_token token", "").await;
    assert_eq!(page.fragment().1.len(), 7);
    let (address, fields) = ask(&scene, &mut browser, "code id_token", "query").await.fragment();
    assert_eq!((address.as_str(), field(&fields, "error")), (CALLBACK, "invalid_request"));
    let changes = [("response_type", "id_token"), ("nonce", "")];
    let page = browser.get(&scene.authorize("common", &changes)).await;
    assert_eq!(field(&page.fragment().1, "error"), "invalid_request", "no nonce");
}

#[tokio::test]
async fn the_fragment_is_percent_encoded_in_lower_case() {
    let scene = Scene::new().await;
    let mut browser = signed_in(&scene).await;
    let page = ask(&scene, &mut browser, "token", "").await;
    let (_, fragment) = page.header("location").split_once('#').unwrap();
    assert!(fragment.starts_with("state=st+at%26e&access_token=8A%3aCust12345."), "{fragment}");
    assert!(fragment.contains("&token_type=bearer&expires_in=3600&ctx=Cust12345&netserver_url="));
    let root = scene.emulator.tenants().root("Cust12345").unwrap();
    let expected = format!("{root}/Remote/Services88/");
    assert_eq!(field(&page.fragment().1, "netserver_url"), expected);
}

#[tokio::test]
async fn the_code_of_a_hybrid_answer_is_good() {
    let scene = Scene::new().await;
    let mut browser = signed_in(&scene).await;
    let (_, fields) = ask(&scene, &mut browser, "code id_token", "").await.fragment();
    let body = scene.redeem(field(&fields, "code"), &[]).await.json();
    let (_, claims) = scene.verified(body["id_token"].as_str().unwrap()).await.unwrap();
    assert_eq!((&claims["nonce"], claims.get("c_hash")), (&"n-1".into(), None));
}

#[tokio::test]
async fn the_answer_lies_when_it_is_told_to() {
    let scene = Scene::new().await;
    let mut browser = signed_in(&scene).await;
    let kind = "code id_token token";
    let hash = AnswerLie::WrongClaim { claim: "c_hash".into() };
    let fields = lied(&scene, &mut browser, kind, hash).await;
    let (_, claims) = scene.verified(field(&fields, "id_token")).await.unwrap();
    assert_ne!(claims["c_hash"], half(field(&fields, "code")));
    assert_eq!(claims["at_hash"], half(field(&fields, "access_token")));
    let absent = AnswerLie::NoClaim { claim: "nonce".into() };
    let fields = lied(&scene, &mut browser, kind, absent).await;
    let (_, claims) = scene.verified(field(&fields, "id_token")).await.unwrap();
    assert!(claims.get("nonce").is_none());

    let fields = lied(&scene, &mut browser, "code", AnswerLie::WrongState).await;
    assert_ne!(field(&fields, "state"), "st at&e");
    let twice = AnswerLie::Twice { field: "code".into() };
    let fields = lied(&scene, &mut browser, "code", twice).await;
    assert_eq!(fields.iter().filter(|(name, _)| name == "code").count(), 2);
    let beside = AnswerLie::Beside { name: "error".into(), value: "access_denied".into() };
    let fields = lied(&scene, &mut browser, "code", beside).await;
    assert_eq!(fields.last().unwrap(), &("error".into(), "access_denied".into()));
    assert_eq!(field(&fields, "code").len(), 64);
    let missing = AnswerLie::Missing { field: "state".into() };
    assert_eq!(lied(&scene, &mut browser, "code", missing).await.len(), 1);
}

#[tokio::test]
async fn any_error_can_be_had_as_the_answer_over_the_control_api() {
    let scene = Scene::new().await;
    let mut browser = signed_in(&scene).await;
    let body = r#"{"faults":[{"fault":"answer_lie","lie":{"error":
        {"error":"temporarily_unavailable","description":"<later>"}}}]}"#;
    let url = scene.url("/emulator/faults");
    let page = Browser::new().send(http::Method::PUT, &url, &[], body.into()).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let (_, fields) = ask(&scene, &mut browser, "code", "").await.redirect();
    let expected = [
        ("state", "st at&e"),
        ("error", "temporarily_unavailable"),
        ("error_description", "<later>"),
    ];
    assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

async fn check_hashes(scene: &Scene, fields: &Fields) {
    let find = |name: &str| fields.iter().find(|(known, _)| known == name).map(|pair| &pair.1);
    let Some(id_token) = find("id_token") else { return };
    let (_, claims) = scene.verified(id_token).await.expect("a good signature");
    assert_eq!(claims["nonce"], "n-1");
    for (hash, of) in [("c_hash", "code"), ("at_hash", "access_token")] {
        let expected = find(of).map(|value| half(value));
        assert_eq!(claims.get(hash), expected.as_ref(), "{hash}");
    }
}

fn half(text: &str) -> serde_json::Value {
    let hash = digest(&SHA256, text.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]).into()
}

async fn lied(scene: &Scene, browser: &mut Browser, kind: &str, lie: AnswerLie) -> Fields {
    scene.emulator.faults().clear();
    scene.emulator.faults().set(Fault::AnswerLie { lie });
    ask(scene, browser, kind, "form_post").await.form().1
}

async fn ask(scene: &Scene, browser: &mut Browser, kind: &str, mode: &str) -> Page {
    let changes = [("response_type", kind), ("response_mode", mode)];
    browser.get(&scene.authorize("common", &changes)).await
}

async fn signed_in(scene: &Scene) -> Browser {
    let mut browser = Browser::new();
    let page = browser.get(&scene.authorize("common", &[])).await;
    scene.pick(&mut browser, &page, ASTRID, "").await;
    browser
}

fn field<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}
