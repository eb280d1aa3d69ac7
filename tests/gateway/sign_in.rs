//! The main job: from nobody to somebody, and back to exactly where they wanted to be.

use superid_gateway::emulator::Kind;

use crate::world::{ASTRID, JONAS, MIRA, SIOBHAN, SOREN, World};

#[tokio::test]
async fn a_navigation_is_sent_to_superid_with_state_nonce_and_a_challenge() {
    let world = World::new().await;
    let answer = world.browser().visit(&world.url("/orders/7?tab=2")).await;
    assert_eq!(answer.status, 303);
    let location = answer.location();
    assert!(
        location.starts_with(&format!("{}/login/common/oauth/authorize?", world.superid.url()))
    );
    let says = |name: &str| answer.parameter(name).unwrap_or_default();
    assert_eq!(says("response_type"), "code");
    assert_eq!(says("client_id"), "client-of-main");
    assert_eq!(says("redirect_uri"), world.url("/auth/callback"));
    assert_eq!(says("scope"), "openid");
    assert_eq!(says("code_challenge_method"), "S256");
    assert_eq!(says("code_challenge").len(), 43);
    assert!(says("state").len() > 100 && says("nonce").len() >= 22);
    assert!(!location.contains("orders"), "where they go is nobody's business: {location}");
    assert_eq!(answer.header("cache-control"), "no-store");
    world.app.heard_nothing();
    assert_eq!(world.superid.journal().entries().len(), 0, "nothing was asked yet");
}

#[tokio::test]
async fn the_original_address_comes_back_byte_for_byte() {
    let world = World::new().await;
    for path in [
        "/orders/7?tab=2",
        "/",
        "/sm%C3%B8rbr%C3%B8d/%20x?q=%2f%2F&r=a+b&&=&r=c;d=e",
        "/a?next=https://evil.example/%0d%0a&x=/../..//",
        "/a?%",
        "/authors/auth?state=1&code=2",
        "/x?'()*!~{}|^`[]\\",
    ] {
        let mut browser = world.browser();
        let answer = browser.sign_in(&world.url(path), ASTRID).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert_eq!(answer.url, world.url(path));
        assert_eq!(world.app.last().target, path);
    }
    assert_eq!(world.app.requests().len(), 7);
    assert_eq!(world.asked(Kind::Tokens), 7);
}

#[tokio::test]
async fn programs_get_401_with_the_sign_in_address_and_no_cookie() {
    let world = World::new().await;
    let html = "Accept: text/html\r\n";
    for (method, headers) in [
        ("GET", String::new()),
        ("GET", "Accept: */*\r\n".to_owned()),
        ("GET", "Accept: application/json\r\n".to_owned()),
        ("GET", "Accept: image/avif,image/webp,*/*\r\n".to_owned()),
        ("POST", format!("{html}Content-Length: 0\r\n")),
        ("PUT", format!("{html}Content-Length: 0\r\n")),
        ("DELETE", html.to_owned()),
        ("OPTIONS", html.to_owned()),
        ("PATCH", format!("{html}Content-Length: 0\r\n")),
        ("GET", format!("{html}X-Requested-With: XMLHttpRequest\r\n")),
        ("GET", format!("{html}Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n")),
        ("GET", format!("{html}Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n")),
        ("GET", format!("{html}Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: object\r\n")),
        ("GET", format!("{html}Sec-Fetch-Dest: script\r\n")),
        ("GET", format!("{html}Connection: upgrade\r\nUpgrade: websocket\r\n")),
    ] {
        let answer = world.api().send(method, &world.url("/orders/7?tab=2"), &headers).await;
        let case = format!("{method} {headers}");
        assert_eq!(answer.status, 401, "{case}");
        assert_eq!(answer.header("content-type"), "application/json", "{case}");
        assert_eq!(answer.header("cache-control"), "no-store", "{case}");
        assert_eq!(answer.header("location"), "", "{case}");
        assert!(answer.all("set-cookie").is_empty(), "{case}");
        assert_eq!(answer.all("www-authenticate").len(), 1, "{case}");
        let target = if method == "GET" { "%2Forders%2F7%3Ftab%3D2" } else { "%2F" };
        let address = world.url(&format!("/auth/start?rd={target}"));
        assert_eq!(answer.json()["sign_in"], address.as_str(), "{case}");
        assert_eq!(answer.json()["error"], "sign_in_required", "{case}");
    }
    world.app.heard_nothing();
}

#[tokio::test]
async fn the_address_a_program_gets_signs_a_person_in_and_leads_back() {
    let world = World::new().await;
    let refused = world.api().get(&world.url("/orders/7?a=1&b=%26")).await;
    let address = refused.json()["sign_in"].as_str().unwrap().to_owned();
    let mut browser = world.browser();
    let begun = browser.visit(&address).await;
    assert_eq!(begun.status, 303);
    assert_eq!(browser.jar.named("superid-gateway-binding").len(), 1);
    let answer = browser.sign_in(&address, ASTRID).await;
    assert_eq!(answer.url, world.url("/orders/7?a=1&b=%26"));
    assert_eq!(world.app.last().target, "/orders/7?a=1&b=%26");
}

#[tokio::test]
async fn only_a_document_or_a_frame_may_begin_a_sign_in() {
    let world = World::new().await;
    let url = world.url("/auth/start?rd=/orders");
    for dest in ["image", "script", "empty", "style", "font", "embed", "object", "worker", "xslt"] {
        let answer = world.api().send("GET", &url, &format!("Sec-Fetch-Dest: {dest}\r\n")).await;
        assert_eq!(answer.status, 400, "{dest}");
        assert!(answer.all("set-cookie").is_empty() && answer.header("location").is_empty());
    }
    for dest in ["document", "iframe"] {
        let answer = world.api().send("GET", &url, &format!("Sec-Fetch-Dest: {dest}\r\n")).await;
        assert_eq!(answer.status, 303, "{dest}");
    }
    assert_eq!(world.api().send("POST", &url, "Content-Length: 0\r\n").await.status, 405);
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_start_address_never_leads_to_another_host_or_into_our_own_pages() {
    let world = World::new().await;
    for target in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "http://localhost.evil.example/",
        "http://localhost@evil.example/",
        "javascript:alert(1)",
        "/auth/sign_out",
        "/auth/start?rd=/",
        "/%2e%2e//evil.example",
        "/a/../auth/sign_out",
        "\t//evil.example",
        "/a\r\nSet-Cookie: x=1",
    ] {
        let pairs =
            form_urlencoded::Serializer::new(String::new()).append_pair("rd", target).finish();
        let mut browser = world.browser();
        let answer = browser.sign_in(&world.url(&format!("/auth/start?{pairs}")), ASTRID).await;
        assert_eq!(
            (answer.status, answer.url.as_str()),
            (200, world.url("/").as_str()),
            "{target}"
        );
    }
}

#[tokio::test]
async fn the_authorize_address_stays_short_however_long_the_target() {
    let world = World::new().await;
    let (mut exact, mut path_only, mut root) = (0, 0, 0);
    for length in (0..8_000).step_by(400).chain([1_000, 2_180, 2_190, 7_900]) {
        let path = format!("/a{}?q={}", "b".repeat(length / 3), "c".repeat(length - length / 3));
        let mut browser = world.browser();
        let begun = browser.visit(&world.url(&path)).await;
        let query = begun.location().split_once('?').unwrap().1;
        assert!(query.len() <= 1_900, "{length}: {}", query.len());
        let targets = browser.jar.named("superid-gateway-target");
        assert!(targets.len() <= 1 && targets.iter().all(|kept| kept.value.len() <= 3_000));
        let page = browser.step(&begun).await;
        let answer = browser.pick(&page, ASTRID, "").await;
        let answer = browser.arrive(answer).await;
        assert_eq!(answer.status, 200);
        match answer.url.strip_prefix(&world.origin).unwrap() {
            "/" => root += 1,
            landed if landed == path => exact += 1,
            landed => {
                assert_eq!(landed, path.split('?').next().unwrap());
                path_only += 1;
            }
        }
        assert!(browser.jar.named("superid-gateway-target").is_empty(), "it is used up");
    }
    assert!(exact >= 6 && path_only >= 2 && root >= 2, "{exact} {path_only} {root}");
}

#[tokio::test]
async fn there_are_never_more_than_two_cookies_for_long_targets() {
    let world = World::new().await;
    let mut browser = world.browser();
    for number in 0..6 {
        let path = format!("/a?{number}{}", "x".repeat(1_500));
        assert_eq!(browser.visit(&world.url(&path)).await.status, 303);
    }
    assert_eq!(browser.jar.named("superid-gateway-target").len(), 2);
    let cookies = browser.jar.header(("http", "localhost", "/"), crate::jar::Way::SameSite, 0);
    assert!(cookies.unwrap().len() < 7_000);
}

#[tokio::test]
async fn ten_tabs_of_a_fresh_browser_all_sign_in_whatever_the_order() {
    let world = World::new().await;
    let mut browser = world.browser();
    let mut begun = Vec::new();
    for number in 0..10 {
        let mut tab = world.browser();
        begun.push(tab.visit(&world.url(&format!("/tab/{number}"))).await);
        browser.jar = tab.jar;
    }
    let mut pages = Vec::new();
    for answer in &begun {
        pages.push(browser.step(answer).await);
    }
    let mut callbacks = Vec::new();
    for page in &pages {
        callbacks.push(browser.pick(page, ASTRID, "").await);
    }
    for number in [3, 9, 0, 7, 1, 8, 2, 6, 4, 5] {
        let answer = browser.arrive(callbacks[number].clone()).await;
        let expected = world.url(&format!("/tab/{number}"));
        assert_eq!((answer.status, answer.url), (200, expected), "{}", answer.body);
    }
    assert_eq!(world.app.requests().len(), 10);
}

#[tokio::test]
async fn ten_tabs_that_share_a_binding_all_sign_in_by_their_own_codes() {
    let world = World::new().await;
    let mut browser = world.browser();
    let mut callbacks = Vec::new();
    for number in 0..10 {
        let begun = browser.visit(&world.url(&format!("/tab/{number}"))).await;
        let page = browser.step(&begun).await;
        callbacks.push(if page.status == 200 {
            browser.pick(&page, ASTRID, "").await
        } else {
            page
        });
    }
    for (number, callback) in callbacks.into_iter().enumerate().rev() {
        let answer = browser.arrive(callback).await;
        assert_eq!(answer.url, world.url(&format!("/tab/{number}")));
    }
    assert_eq!(world.asked(Kind::Tokens), 10);
}

#[tokio::test]
async fn the_app_is_told_who_is_calling_and_given_a_token_that_works() {
    let world = World::new().await;
    world.signed_in(SIOBHAN).await;
    let mut browser = world.browser();
    browser.sign_in(&world.url("/orders"), ASTRID).await;
    let request = world.app.last();
    let superid = world.superid.url();
    for (name, value) in [
        ("X-SuperOffice-User", ASTRID),
        ("X-SuperOffice-Context", "Cust12345"),
        ("X-SuperOffice-Company", "Nordlys Marine AS"),
        ("X-SuperOffice-Email", ASTRID),
        ("X-SuperOffice-Associate-Id", "11"),
        ("X-SuperOffice-Administrator", "true"),
        ("X-SuperOffice-WebApi-Url", &format!("{superid}/Cust12345/api/")),
        ("X-SuperOffice-Soap-Url", &format!("{superid}/Cust12345/Remote/Services88/")),
        ("X-Forwarded-Host", world.authority()),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Real-IP", "127.0.0.1"),
        ("Host", world.authority()),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    assert!(request.header("X-SuperOffice-Initials").is_some());
    for absent in ["X-SuperOffice-First-Name", "X-SuperOffice-Last-Name", "SOTicket", "Cookie"] {
        assert_eq!(request.header(absent), None, "{absent}");
    }
    let bearer = request.header("Authorization").unwrap();
    assert!(bearer.starts_with("Bearer 8A:Cust12345."), "{bearer}");
    let principal = format!("{superid}/Cust12345/api/v1/User/currentPrincipal");
    let answer = world.api().send("GET", &principal, &format!("Authorization: {bearer}\r\n")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn names_beyond_ascii_arrive_percent_encoded_and_a_user_is_no_administrator() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.sign_in(&world.url("/"), SOREN).await;
    let company = world.app.last().header("X-SuperOffice-Company").unwrap().to_owned();
    assert_eq!(company, "Bakke & S%C3%B8nner <Bygg> AS");
    let mut browser = world.browser();
    browser.sign_in(&world.url("/"), JONAS).await;
    assert_eq!(world.app.last().header("X-SuperOffice-Administrator"), Some("false"));
}

#[tokio::test]
async fn a_person_of_several_tenants_is_asked_which_and_is_signed_in_to_that_one() {
    let world = World::new().await;
    let mut browser = world.browser();
    let page = browser.open(&world.url("/")).await;
    let answer = browser.pick(&page, MIRA, "Cust67890").await;
    assert_eq!(browser.arrive(answer).await.status, 200);
    assert_eq!(world.app.last().header("X-SuperOffice-Context"), Some("Cust67890"));
}

#[tokio::test]
async fn a_route_for_one_tenant_asks_superid_for_that_tenant() {
    let world = World::with("[route.app]\ntenants = [\"Cust67890\"]").await;
    let mut browser = world.browser();
    let begun = browser.visit(&world.url("/")).await;
    assert!(begun.location().contains("/login/Cust67890/oauth/authorize?"), "{}", begun.location());
    let page = browser.step(&begun).await;
    let answer = browser.pick(&page, MIRA, "").await;
    assert_eq!(browser.arrive(answer).await.status, 200);
    assert_eq!(world.app.last().header("X-SuperOffice-Context"), Some("Cust67890"));
}

#[tokio::test]
async fn pkce_can_be_left_out_for_a_registration_that_refuses_it() {
    let world = World::with("[relying_party.main]\npkce = \"off\"").await;
    let mut browser = world.browser();
    let begun = browser.visit(&world.url("/")).await;
    assert_eq!(begun.parameter("code_challenge"), None);
    assert!(begun.parameter("nonce").is_some() && begun.parameter("state").is_some());
    assert_eq!(browser.sign_in(&world.url("/"), ASTRID).await.status, 200);
}
