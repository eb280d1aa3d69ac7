//! The older sign-in: a posted token, and everything that keeps other people's tokens out.

use superid_gateway::emulator::{Draft, Kind};

use crate::browser::Browser;
use crate::wire::Answer;
use crate::world::{ASTRID, JONAS, MIRA, SOREN, World};

/// One legacy relying party that knows the serials of two tenants.
pub const LEGACY: &str = r#"
[relying_party.main]
flow = "legacy"
redirect_path = "/auth/legacy"
[relying_party.main.legacy]
serials = { Cust12345 = "1201052551", Cust67890 = "1201052553" }
"#;

/// A good posted token, open to change.
pub fn draft(world: &World) -> Draft {
    world.superid.mint().legacy("client-of-main", ASTRID, "Cust12345").unwrap()
}

/// Posts a form from SuperID's page to the callback.
pub async fn post(world: &World, browser: &mut Browser, fields: &[(&str, &str)]) -> Answer {
    let page = format!("{}/login/sign-in", world.superid.url());
    browser.submit(&page, &world.url("/auth/legacy"), fields).await
}

/// Begins a sign-in and posts this token.
pub async fn told(world: &World, token: &str) -> (Browser, Answer) {
    let mut browser = world.browser();
    browser.visit(&world.url("/orders")).await;
    let answer = post(world, &mut browser, &[("jwt", token)]).await;
    (browser, answer)
}

#[tokio::test]
async fn a_person_signs_in_and_the_app_gets_a_ticket_and_names() {
    let world = World::with(LEGACY).await;
    let mut browser = world.browser();
    let begun = browser.visit(&world.url("/orders/7?tab=%2F&x")).await;
    let expected = format!("{}/login/?app_id=client-of-main", world.superid.url());
    assert_eq!(begun.location(), expected);
    let page = browser.step(&begun).await;
    let form = browser.pick(&page, ASTRID, "").await;
    let handed = browser.post_back(form).await;
    assert_eq!(handed.location(), world.url("/auth/finish"));
    assert!(!handed.signs_in(), "the POST makes no session");
    let landed = browser.step(&handed).await;
    assert_eq!(landed.location(), world.url("/orders/7?tab=%2F&x"));
    assert!(landed.signs_in());
    assert_eq!(browser.jar.named("superid-gateway-handoff").len(), 0, "used up");
    assert_eq!(browser.step(&landed).await.status, 200);
    let request = world.app.last();
    assert_eq!(request.target, "/orders/7?tab=%2F&x");
    assert!(request.header("SOTicket").unwrap().starts_with("7T:"));
    assert_eq!(request.header("Authorization"), None);
    assert_eq!(request.header("X-SuperOffice-First-Name"), Some("Astrid"));
    assert_eq!(request.header("X-SuperOffice-Last-Name"), Some("Berg"));
    assert_eq!(request.header("X-SuperOffice-Context"), Some("Cust12345"));
    assert_eq!(request.header("Cookie"), None);
    assert_eq!(world.asked(Kind::Tokens), 0);

    let ticket = request.header("SOTicket").unwrap().to_owned();
    let url = format!("{}/Cust12345/api/v1/User/currentPrincipal", world.superid.url());
    let headers = format!("Authorization: SOTicket {ticket}\r\n");
    assert_eq!(world.api().send("GET", &url, &headers).await.status, 200);
}

#[tokio::test]
async fn posted_tokens_are_off_until_a_relying_party_turns_them_on() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.visit(&world.url("/orders")).await;
    let token = draft(&world).sign();
    let page = format!("{}/login/sign-in", world.superid.url());
    let answer = browser.submit(&page, &world.url("/auth/callback"), &[("jwt", &token)]).await;
    assert_eq!(answer.status, 405);
    assert!(!answer.signs_in());
    let answer = browser.submit(&page, &world.url("/auth/finish"), &[("jwt", &token)]).await;
    assert_eq!(answer.status, 405);
    world.app.heard_nothing();
}

#[tokio::test]
async fn the_fields_name_may_be_in_any_case_but_there_is_one_token() {
    let world = World::with(LEGACY).await;
    for name in ["jwt", "JWT", "Jwt"] {
        let mut browser = world.browser();
        browser.visit(&world.url("/orders")).await;
        let token = draft(&world).claim("jti", name).sign();
        let answer = post(&world, &mut browser, &[(name, &token)]).await;
        assert_eq!(browser.arrive(answer).await.status, 200, "{name}");
    }
    world.app.clear();
    let token = draft(&world).claim("jti", "twice").sign();
    let fields: [&[(&str, &str)]; 5] = [
        &[("jwt", &token), ("jwt", &token)],
        &[("jwt", &token), ("JWT", "x")],
        &[],
        &[("token", &token)],
        &[("jwt", "")],
    ];
    for fields in fields {
        let mut browser = world.browser();
        browser.visit(&world.url("/orders")).await;
        let answer = post(&world, &mut browser, fields).await;
        answer.is_page(400);
    }
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_tenant_whose_serial_is_unknown_is_refused() {
    let world = World::with(LEGACY).await;
    let token = world.superid.mint().legacy("client-of-main", SOREN, "Cust20011").unwrap().sign();
    let (mut browser, answer) = told(&world, &token).await;
    answer.is_page(403);
    assert!(answer.body.contains("This company is not known here"));
    browser.visit(&world.url("/auth/finish")).await.is_page(400);
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_posted_token_that_lies_about_anything_signs_nobody_in() {
    let world = World::with(LEGACY).await;
    let now = crate::world::NOW as i64;
    let id_token = world.superid.mint().id_token("client-of-main", ASTRID, "Cust12345").unwrap();
    let cases: Vec<(&str, String)> = vec![
        ("audience of another tenant", draft(&world).claim("aud", "spn:1201052553").sign()),
        ("ctx of another tenant", draft(&world).own_claim("ctx", "Cust67890").sign()),
        ("serial of another tenant", draft(&world).own_claim("serial", "1201052553").sign()),
        ("our client id as audience", draft(&world).claim("aud", "client-of-main").sign()),
        ("audience list", draft(&world).claim("aud", vec!["spn:1201052551", "spn:1"]).sign()),
        ("audience without spn", draft(&world).claim("aud", "1201052551").sign()),
        ("no audience", draft(&world).without_claim("aud").sign()),
        ("an id_token", id_token.clone().sign()),
        ("an id_token for the tenant", id_token.claim("aud", "spn:1201052551").sign()),
        ("another issuer", draft(&world).claim("iss", "https://evil.example").sign()),
        ("the issuer in another case", draft(&world).claim("iss", "SuperOffice as").sign()),
        ("expired", draft(&world).claim("exp", now - 61).sign()),
        ("no end", draft(&world).without_claim("exp").sign()),
        ("not yet", draft(&world).claim("nbf", now + 61).sign()),
        ("for ever", draft(&world).claim("exp", now + 100_000_000).sign()),
        ("no tenant", draft(&world).without_own_claim("ctx").sign()),
        ("tenant twice", {
            let name = format!("{}ctx", superid_gateway::emulator::CLAIM_PREFIX);
            draft(&world).duplicate_claim(&name, "Cust67890").sign()
        }),
        ("alg none", draft(&world).header("alg", "none").unsigned()),
        ("hmac", draft(&world).header("alg", "HS256").sign_with_hmac(b"secret of main")),
        ("an unknown key", draft(&world).header("kid", "other").sign()),
        ("a stranger's key", {
            world.superid.faults().set(superid_gateway::emulator::Fault::WrongKey);
            let token = draft(&world).sign();
            world.superid.faults().clear();
            token
        }),
        ("nonsense", "not.a.token".to_owned()),
    ];
    for (case, token) in cases {
        let (mut browser, answer) = told(&world, &token).await;
        assert!(matches!(answer.status, 400 | 403 | 500), "{case}: {}", answer.status);
        assert!(browser.jar.named("superid-gateway-handoff").is_empty(), "{case}");
        let finished = browser.visit(&world.url("/auth/finish")).await;
        assert_eq!(finished.status, 400, "{case}");
        assert!(!finished.signs_in(), "{case}");
    }
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_serial_is_learnt_from_an_id_token_of_ours_and_from_nothing_else() {
    let both = r#"
[relying_party.old]
environment = "emulator"
client_id = "client-of-old"
client_secret = { value = "secret of old" }
flow = "legacy"
redirect_path = "/auth/legacy"
[route.app]
relying_parties = ["main"]
[route.old]
path = "/old"
upstream = "$APP"
relying_parties = ["old"]
"#;
    let world = World::with(both).await;
    let mut browser = world.browser();
    let refused = browser.sign_in(&world.url("/old"), JONAS).await;
    refused.is_page(403);
    assert!(refused.body.contains("This company is not known here"));
    let page = browser.open(&world.url("/old")).await;
    assert_eq!(browser.post_back(page).await.status, 403, "not learnt from the posted token");
    world.app.heard_nothing();

    assert_eq!(world.browser().sign_in(&world.url("/"), ASTRID).await.status, 200);
    let mut browser = world.browser();
    assert_eq!(browser.sign_in(&world.url("/old"), JONAS).await.status, 200);
    assert_eq!(world.app.last().header("X-SuperOffice-User"), Some(JONAS));
}

#[tokio::test]
async fn a_token_is_taken_once() {
    let world = World::with(LEGACY).await;
    let token = draft(&world).sign();
    let (mut browser, answer) = told(&world, &token).await;
    assert_eq!(browser.arrive(answer).await.status, 200);
    world.app.clear();
    let (mut other, answer) = told(&world, &token).await;
    answer.is_page(400);
    assert!(answer.body.contains("This sign-in was sent twice"));
    other.visit(&world.url("/auth/finish")).await.is_page(400);
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_form_of_another_site_is_refused() {
    let world = World::with(LEGACY).await;
    let ours = world.origin.clone();
    let theirs = format!("{}.evil.example", world.superid.url());
    for origin in ["https://evil.example", "null", ours.as_str(), theirs.as_str(), ""] {
        let mut browser = world.browser();
        browser.visit(&world.url("/orders")).await;
        let token = draft(&world).claim("jti", origin).sign();
        let body =
            form_urlencoded::Serializer::new(String::new()).append_pair("jwt", &token).finish();
        let headers = format!(
            "Accept: text/html\r\nOrigin: {origin}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n"
        );
        let way = crate::jar::Way::CrossSite;
        let answer =
            browser.request("POST", &world.url("/auth/legacy"), way, &headers, &body).await;
        assert_eq!(answer.status, 403, "{origin}");
        assert!(browser.jar.named("superid-gateway-handoff").is_empty(), "{origin}");
    }
    world.app.heard_nothing();
}

#[tokio::test]
async fn an_origin_of_null_is_taken_where_the_configuration_says_so() {
    let world = World::with(&format!("{LEGACY}null_origin = \"accepted\"\n")).await;
    let mut browser = world.browser();
    browser.visit(&world.url("/orders")).await;
    let token = draft(&world).sign();
    let body = form_urlencoded::Serializer::new(String::new()).append_pair("jwt", &token).finish();
    let headers = "Origin: null\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    let way = crate::jar::Way::CrossSite;
    let answer = browser.request("POST", &world.url("/auth/legacy"), way, headers, &body).await;
    assert_eq!(browser.arrive(answer).await.status, 200);
}

#[tokio::test]
async fn a_form_that_is_too_large_is_refused() {
    let world = World::with(&format!("{LEGACY}[limits]\nform_bytes = \"8KiB\"")).await;
    let (_, answer) = told(&world, &"x".repeat(9_000)).await;
    assert_eq!(answer.status, 400);
    assert!(!answer.signs_in());
    world.app.heard_nothing();
}

#[tokio::test]
async fn another_tenant_than_the_one_asked_for_is_refused() {
    let world = World::with(&format!("{LEGACY}[route.app]\ntenants = [\"Cust67890\"]")).await;
    let mut browser = world.browser();
    let begun = browser.visit(&world.url("/orders")).await;
    assert!(begun.location().ends_with("&ctx=Cust67890"), "{}", begun.location());
    let token = draft(&world).sign();
    let handed = post(&world, &mut browser, &[("jwt", &token)]).await;
    let answer = browser.arrive(handed).await;
    answer.is_page(400);
    assert!(browser.jar.value("superid-gateway").is_none());
    world.app.heard_nothing();

    let page = browser.open(&world.url("/orders")).await;
    let form = browser.pick(&page, MIRA, "").await;
    let handed = browser.post_back(form).await;
    assert_eq!(browser.arrive(handed).await.status, 200);
}

#[tokio::test]
async fn the_redirect_address_is_named_as_the_registration_wants() {
    for parameter in ["redirect_uri", "redirect_url"] {
        let world = World::with(&format!("{LEGACY}redirect_parameter = \"{parameter}\"")).await;
        let begun = world.browser().visit(&world.url("/orders")).await;
        assert_eq!(begun.parameter(parameter), Some(world.url("/auth/legacy")));
        assert_eq!(world.browser().sign_in(&world.url("/orders"), ASTRID).await.status, 200);
    }
}

#[tokio::test]
async fn a_superid_without_keys_is_an_outage_and_the_token_can_be_posted_again() {
    let world = World::with(LEGACY).await;
    let token = draft(&world).sign();
    world
        .superid
        .faults()
        .set(superid_gateway::emulator::Fault::Status { endpoint: Kind::Jwks, code: 500 });
    let (mut browser, answer) = told(&world, &token).await;
    answer.is_page(503);
    world.superid.faults().clear();
    world.turn_clock(31);
    let handed = post(&world, &mut browser, &[("jwt", &token)]).await;
    assert_eq!(browser.arrive(handed).await.status, 200);
}

#[tokio::test]
async fn neither_an_attempt_nor_what_was_handed_over_signs_in_twice_from_copied_cookies() {
    let world = World::with(LEGACY).await;
    let token = |id: &str| draft(&world).claim("jti", id).sign();
    let mut browser = world.browser();
    browser.visit(&world.url("/orders")).await;
    let mut copy = browser.clone();
    let handed = post(&world, &mut browser, &[("jwt", &token("first"))]).await;
    // The cookie with what was handed over, beside attempts that are begun later.
    let mut hoarder = browser.clone();
    assert!(browser.step(&handed).await.signs_in());

    let handed_again = post(&world, &mut copy, &[("jwt", &token("second"))]).await;
    let landed = copy.step(&handed_again).await;
    landed.is_page(400);
    assert!(!landed.signs_in(), "the attempt was finished in the other copy");

    hoarder.visit(&world.url("/orders")).await;
    let landed = hoarder.step(&handed).await;
    landed.is_page(400);
    assert!(!landed.signs_in(), "what was handed over was taken already");
}

#[tokio::test]
async fn what_was_handed_over_for_a_relying_party_is_nothing_to_another_of_its_name() {
    let mut world = World::with(LEGACY).await;
    let (mut browser, handed) = told(&world, &draft(&world).sign()).await;
    assert_eq!(handed.location(), world.url("/auth/finish"));
    let other = LEGACY.replacen("flow", "client_id = \"client-of-another\"\nflow", 1);
    world.reload(&other).unwrap();
    let landed = browser.step(&handed).await;
    landed.is_page(400);
    assert!(!landed.signs_in());
}
