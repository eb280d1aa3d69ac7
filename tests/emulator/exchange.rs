//! A system token is exchanged for a ticket, by REST.

use std::time::{Duration, SystemTime};

use http::Method;
use serde_json::{Value, json};
use superid_gateway::emulator::{App, Exchange, Kind, TenantState};

use crate::browser::Browser;
use crate::partner::{
    CTX, MINUTE, REST, claims, exchange, partner, refusal, request, scene, signed,
};
use crate::scene::{ASTRID, ID, Scene, own};

#[tokio::test]
async fn a_signed_system_token_buys_a_token_with_a_ticket_of_its_tenant() {
    let scene = scene().await;
    let claims = claims(&scene, CTX).await;
    assert_eq!(claims["iss"], "SuperOffice AS");
    assert_eq!(claims["aud"], "spn:1201052551");
    assert_eq!(claims["exp"], json!(1_700_000_300));
    assert_eq!(own(&claims, "ctx"), CTX);
    assert_eq!(own(&claims, "serial"), "1201052551");
    let root = scene.emulator.tenants().root(CTX).unwrap();
    assert_eq!(own(&claims, "webapi_url"), &json!(format!("{root}/api/")));
    assert_eq!(own(&claims, "netserver_url"), &json!(format!("{root}/Remote/Services88/")));
    assert!(own(&claims, "ticket").as_str().unwrap().starts_with("7T:"));
}

#[tokio::test]
async fn an_administrators_sign_in_brings_the_token_that_is_exchanged() {
    let scene = Scene::with(partner()).await;
    let body = scene.redeem(&scene.code(ASTRID, "").await, &[]).await.json();
    let (_, payload) = scene.verified(body["id_token"].as_str().unwrap()).await.unwrap();
    let token = own(&payload, "system_token").as_str().unwrap();
    let signed = signed(token, MINUTE);
    let answer = exchange(&scene, &request(&scene, CTX, &[("SignedSystemToken", &signed)])).await;
    assert_eq!(answer.json()["IsSuccessful"], true);
}

#[tokio::test]
async fn the_path_and_the_tenant_are_compared_without_case() {
    let scene = scene().await;
    let body = request(&scene, CTX, &[("ContextIdentifier", "cUST12345")]).to_string();
    let url = scene.url(&REST.to_uppercase());
    let page = Browser::new().send(Method::POST, &url, &[], body).await;
    assert_eq!(page.json()["IsSuccessful"], true, "{}", page.body);
    assert_eq!(scene.emulator.exchanges().granted(ID, "CUST12345"), 1);
}

#[tokio::test]
async fn each_refusal_has_its_words_and_a_status_of_200() {
    let scene = scene().await;
    let token = scene.emulator.tenants().system_token(ID, CTX).unwrap();
    let good = signed(&token, MINUTE);
    let (message, signature) = good.rsplit_once('.').unwrap();
    let forged = format!("{message}.{}", signature.replace(|letter| letter != '=', "A"));
    let unpadded = good.trim_end_matches('=');
    let foreign = signed("Somebody-0123456789", MINUTE);
    let table = [
        ("SignedSystemToken", forged.as_str(), "InvalidSignature (7)"),
        ("SignedSystemToken", unpadded, "InvalidSignature (7)"),
        ("SignedSystemToken", message, "InvalidSignature (7)"),
        ("SignedSystemToken", "", "InvalidSignature (7)"),
        ("SignedSystemToken", &foreign, "Denied (4)"),
        ("ApplicationToken", "not the secret", "Denied (4)"),
        ("ApplicationToken", ID, "Denied (4)"),
        ("ApplicationToken", "", "Denied (4)"),
        ("ContextIdentifier", "Cust67890", "Denied (4)"),
        ("ContextIdentifier", "Cust1", "Unknown context identifier"),
        ("ReturnTokenType", "Saml", "no SAML"),
    ];
    for (name, value, words) in table {
        let why = refusal(&scene, &request(&scene, CTX, &[(name, value)])).await;
        assert!(why.contains(words), "{name} = {value}: {why}");
    }
    assert_eq!(scene.emulator.exchanges().granted(ID, CTX), 0);
}

#[tokio::test]
async fn apps_that_share_a_secret_are_told_apart_by_their_tokens() {
    let first = App { client_id: "first".into(), name: "First".into(), ..partner() };
    let scene = Scene::at_hosts(vec![first, partner()], 0).await;
    assert_eq!(exchange(&scene, &request(&scene, CTX, &[])).await.json()["IsSuccessful"], true);
    assert_eq!(scene.emulator.exchanges().granted(ID, CTX), 1);
}

#[tokio::test]
async fn a_clock_may_be_less_than_fifteen_minutes_wrong() {
    let scene = scene().await;
    let token = scene.emulator.tenants().system_token(ID, CTX).unwrap();
    // The scene's clock is at 22:13:20.
    for (minute, good) in [
        ("202311142158", false),
        ("202311142159", true),
        ("202311142228", true),
        ("202311142229", false),
        ("2023111422130", false),
    ] {
        let signed = signed(&token, minute);
        let answer =
            exchange(&scene, &request(&scene, CTX, &[("SignedSystemToken", &signed)])).await.json();
        assert_eq!(answer["IsSuccessful"], good, "{minute}: {answer}");
        if !good {
            assert_eq!(answer["ErrorMessage"], "Authorization error: InvalidTimestamp (6)");
        }
    }
}

#[tokio::test]
async fn keys_of_1024_bits_are_taken_in_every_form_the_portal_and_openssl_write() {
    for key in [SPKI, PKCS1, XML] {
        let scene = Scene::with(App { system_user_keys: vec![key.into()], ..partner() }).await;
        let token = scene.emulator.tenants().system_token(ID, CTX).unwrap();
        let signed = format!("{token}.{MINUTE}.{BY_OPENSSL}");
        let body = request(&scene, CTX, &[("SignedSystemToken", &signed)]);
        assert_eq!(exchange(&scene, &body).await.json()["IsSuccessful"], true, "{key}");
    }
    let keys = vec!["no key".into(), "<x>".into(), XML.into()];
    let scene = Scene::with(App { system_user_keys: keys, ..partner() }).await;
    let why = refusal(&scene, &request(&scene, CTX, &[])).await;
    assert!(why.contains("InvalidSignature"), "{why}");
}

#[tokio::test]
async fn consent_that_is_withdrawn_refuses_as_revoked_until_it_is_back() {
    let scene = scene().await;
    let tenants = scene.emulator.tenants();
    let good = request(&scene, CTX, &[]);
    tenants.revoke_consent(ID, CTX).unwrap();
    assert_eq!(tenants.system_token(ID, CTX), None);
    assert_eq!(refusal(&scene, &good).await, "Authorization error: Revoked (1)");
    tenants.restore_consent(ID, CTX).unwrap();
    assert_eq!(exchange(&scene, &good).await.json()["IsSuccessful"], true);
    assert!(tenants.revoke_consent("nobody", CTX).is_err());
}

#[tokio::test]
async fn tenants_that_sleep_still_sell_tickets_and_deleted_ones_do_not() {
    let scene = scene().await;
    let tenants = scene.emulator.tenants();
    let good = request(&scene, CTX, &[]);
    for state in [TenantState::OfflineMaintenance, TenantState::Suspended] {
        tenants.set_state(CTX, state).unwrap();
        assert_eq!(exchange(&scene, &good).await.json()["IsSuccessful"], true, "{state:?}");
    }
    tenants.set_state(CTX, TenantState::Deleted).unwrap();
    assert_eq!(refusal(&scene, &good).await, "Unknown context identifier");
}

#[tokio::test]
async fn exchanges_are_counted_by_app_and_tenant() {
    let scene = scene().await;
    for _ in 0..3 {
        exchange(&scene, &request(&scene, CTX, &[])).await;
    }
    exchange(&scene, &request(&scene, CTX, &[("SignedSystemToken", "")])).await;
    let row = Exchange { client_id: ID.into(), ctx: CTX.into(), granted: 3, refused: 1 };
    assert_eq!(scene.emulator.exchanges().all(), [row]);
    assert_eq!(scene.emulator.journal().count(Kind::SystemUser), 4);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    assert_eq!(scene.emulator.exchanges().granted_at(ID, "cust12345"), [now; 3]);
    let listed = Browser::new().get(&scene.url("/emulator/exchanges")).await.json();
    assert_eq!(listed["exchanges"][0]["granted"], 3);
    let text = Browser::new().get(&scene.url("/emulator/journal")).await.body;
    assert!(!text.contains(crate::scene::SECRET), "{text}");
}

#[tokio::test]
async fn what_is_no_request_has_a_status_of_its_own() {
    let scene = scene().await;
    assert_eq!(exchange(&scene, &Value::Null).await.status, 400);
    assert_eq!(Browser::new().get(&scene.url(REST)).await.status, 405);
}

/// What openssl 3 made of a new key of 1,024 bits, and of the partner's system token.
const SPKI: &str = "-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCeum7xs/Pgu4MjqQ7vDl/uHvDt
xO1iBRsX8wKWX7Oy0QuAp6aYYP5Ry+TIeHCLLzq5PHmnwyl06QGIeQsGkGeFisR7
TzC2W9Sm0P9RbOojaS21C9nFIr12VnXNTW0exw8swOgqiATfNkcklIDgvF4QJSyB
ee/BswFWfOFzTfvZaQIDAQAB
-----END PUBLIC KEY-----
";
const PKCS1: &str = "-----BEGIN RSA PUBLIC KEY-----
MIGJAoGBAJ66bvGz8+C7gyOpDu8OX+4e8O3E7WIFGxfzApZfs7LRC4Cnpphg/lHL
5Mh4cIsvOrk8eafDKXTpAYh5CwaQZ4WKxHtPMLZb1KbQ/1Fs6iNpLbUL2cUivXZW
dc1NbR7HDyzA6CqIBN82RySUgOC8XhAlLIF578GzAVZ84XNN+9lpAgMBAAE=
-----END RSA PUBLIC KEY-----
";
const XML: &str = "<RSAKeyValue><Modulus>nrpu8bPz4LuDI6kO7w5f7h7w7cTtYgUbF/MCll+zstELgKemmGD+\
    UcvkyHhwiy86uTx5p8MpdOkBiHkLBpBnhYrEe08wtlvUptD/UWzqI2kttQvZxSK9dlZ1zU1tHscPLMDoKogE3z\
    ZHJJSA4LxeECUsgXnvwbMBVnzhc0372Wk=</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>";
const BY_OPENSSL: &str = "dpnJeiCx9DqQ9vgZJWPsXuER9gftF64spg/XYB4dHXrHM3+GWsjd6o8Seu25Ths\
    htYrsOx7WjHSjLz1crqmYlT4qLow6pbhFeKmV3DztQwFaiYGymg3CsRr8qkht2mXrpW2zSLz205qWPgRzxiaMgG\
    8FqFv6ASTtQj1mOAiSuvQ=";
