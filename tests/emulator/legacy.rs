//! The old form post.

use base64::prelude::{BASE64_STANDARD, Engine};
use http::StatusCode;

use crate::browser::{Browser, Page};
use crate::scene::{ASTRID, CALLBACK, ID, MIRA, Scene, app, own};

#[tokio::test]
async fn the_token_is_posted_to_the_registered_address() {
    let scene = Scene::new().await;
    let page = arrive(&scene, &format!("/login/?app_id={ID}"), ASTRID).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains(&format!("method=\"post\" action=\"{CALLBACK}\"")));
    assert!(page.body.contains("Continue</button>"), "for browsers without scripts");

    let (_, payload) = scene.verified(page.field("jwt").unwrap()).await.unwrap();
    assert_eq!(payload["iss"], "SuperOffice AS");
    assert_eq!(payload["aud"], "spn:1201052551");
    assert_eq!(own(&payload, "firstname"), "Astrid");
    assert!(payload.get("nonce").is_none());
    let ticket = own(&payload, "ticket").as_str().unwrap().strip_prefix("7T:").unwrap();
    let bytes = BASE64_STANDARD.decode(ticket).unwrap();
    let units = bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let text = String::from_utf16(&units.collect::<Vec<_>>()).unwrap();
    let parts: Vec<&str> = text.split(';').collect();
    assert!(parts[0].len() == 32 && parts[1].parse::<u32>().is_ok(), "{text}");
    assert_eq!(parts[2], "Cust12345");
}

#[tokio::test]
async fn both_spellings_of_the_return_address_are_taken_and_the_tenant_is_kept() {
    let mut app = app();
    app.redirect_uris.push("https://app.example/second".into());
    app.legacy_redirect = Some("https://app.example/old".into());
    let scene = Scene::with(app).await;
    for (query, address) in [
        ("", "https://app.example/old"),
        ("&redirect_url=https://app.example/second", "https://app.example/second"),
        ("&redirect_uri=https://app.example/second", "https://app.example/second"),
    ] {
        let path = format!("/login/?app_id={ID}&ctx=Cust67890{query}");
        let page = arrive(&scene, &path, MIRA).await;
        assert!(page.body.contains(&format!("action=\"{address}\"")), "{}", page.body);
        let (_, payload) = scene.verified(page.field("jwt").unwrap()).await.unwrap();
        assert_eq!(own(&payload, "ctx"), "Cust67890");
    }
}

#[tokio::test]
async fn an_unknown_return_address_leads_to_the_tenants_own_crm() {
    let scene = Scene::new().await;
    let path = format!("/login/?app_id={ID}&redirect_url=https://evil.example/");
    let page = arrive(&scene, &path, ASTRID).await;
    assert_eq!(page.header("location"), scene.url("/Cust12345/CRM"));
    let page = Browser::new().get(page.header("location")).await;
    assert!(page.body.contains("Nordlys Marine AS"));
}

#[tokio::test]
async fn an_unknown_app_ends_on_a_page() {
    let scene = Scene::new().await;
    let page = Browser::new().get(&scene.url("/login/?app_id=nobody")).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(page.body.contains("Technical error"));
}

async fn arrive(scene: &Scene, path: &str, who: &str) -> Page {
    let mut browser = Browser::new();
    let page = browser.get(&scene.url(path)).await;
    scene.pick(&mut browser, &page, who, "").await
}
