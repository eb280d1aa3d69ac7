//! Headers and cookies that are the gateway's own: nobody outside forges them, no app sets them.

use superid_gateway::telemetry::AccessLog;

use crate::paper::Paper;
use crate::world::{ASTRID, World};

/// Spellings that some framework or other reads as an identity header of ours.
const FORGED: [&str; 28] = [
    "SOTicket",
    "soticket",
    "SO_Ticket",
    "SO-Ticket",
    "so.ticket",
    "So_TiCkEt",
    "X-SuperOffice-User",
    "X_SuperOffice_User",
    "x.superoffice.user",
    "X-SUPEROFFICE-EMAIL",
    "X_SUPEROFFICE-context",
    "XSuperOfficeAdministrator",
    "X-SuperOffice-Anything-New",
    "X_SuperId_Ticket",
    "SO-AppToken",
    "so_apptoken",
    "X-Forwarded-User",
    "X_Forwarded_Email",
    "X-Forwarded-Access-Token",
    "X-Forwarded-Groups",
    "X-Auth-Request-User",
    "X_Auth_Request_Email",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-HTTP-Method-Override",
    "X_Method_Override",
    "Remote-User",
    "Proxy",
];

#[tokio::test]
async fn forged_identity_never_reaches_the_app_in_any_spelling_on_any_route() {
    let world = World::with(
        "[route.alias]\npath = \"/alias\"\nupstream = \"$APP\"\noauth2_proxy_headers = true",
    )
    .await;
    let browser = world.signed_in(ASTRID).await;
    let cookie = browser.jar.value("superid-gateway").unwrap();
    let signed_in = format!("Cookie: superid-gateway={cookie}\r\n");
    for path in ["/orders", "/public/x", "/alias"] {
        for name in FORGED {
            let headers = format!("{signed_in}{name}: forged-value\r\nKept: yes\r\n");
            let answer = world.api().send("GET", &world.url(path), &headers).await;
            assert!(matches!(answer.status, 200 | 400), "{name}: {}", answer.status);
        }
        let all: String = FORGED
            .iter()
            .filter(|name| !name.contains('.'))
            .map(|name| format!("{name}: forged-value\r\n{name}: forged-value\r\n"))
            .collect();
        let headers = format!("{signed_in}{all}Kept: yes\r\n");
        assert_eq!(world.api().send("GET", &world.url(path), &headers).await.status, 200);
    }
    for request in world.app.requests() {
        let forged = request.headers.iter().find(|(_, value)| value.contains("forged"));
        assert_eq!(forged, None, "{}", request.target);
        assert_eq!(request.header("Kept"), Some("yes"));
        let user = request.header("X-SuperOffice-User");
        assert_eq!(user, (!request.target.starts_with("/public")).then_some(ASTRID));
    }
    assert!(world.app.requests().len() > 60);
}

#[tokio::test]
async fn a_name_a_route_chose_for_itself_cannot_be_forged_either() {
    let world = World::with("[route.app.headers]\nuser = \"X-Who\"\nticket = \"X-Key\"").await;
    for name in ["X-Who", "x_who", "XWHO", "X-Key", "x_KEY"] {
        let headers = format!("{name}: forged\r\n");
        world.api().send("GET", &world.url("/public"), &headers).await;
        let forged = world.app.last().headers.into_iter().find(|(_, value)| value == "forged");
        assert_eq!(forged, None);
    }
    let mut browser = world.browser();
    browser.sign_in(&world.url("/"), ASTRID).await;
    assert_eq!(world.app.last().header("X-Who"), Some(ASTRID));
    assert_eq!(world.app.last().header("X-SuperOffice-User"), None);
}

#[tokio::test]
async fn naming_a_header_in_connection_does_not_take_ours_away() {
    let world = World::new().await;
    let browser = world.signed_in(ASTRID).await;
    let cookie = browser.jar.value("superid-gateway").unwrap();
    for named in [
        "X-SuperOffice-User, Authorization, X-SuperOffice-Context",
        "x-superoffice-user,x-forwarded-for,x-forwarded-proto,authorization",
        "close, X-SUPEROFFICE-USER",
        "keep-alive, x-superoffice-context , X-SuperOffice-User",
    ] {
        let target = world.url("/x");
        let headers = format!("Cookie: superid-gateway={cookie}\r\nConnection: {named}\r\n");
        let answer = world.api().send("GET", &target, &headers).await;
        if named.contains("forwarded") {
            assert_eq!((answer.status, world.app.requests().len()), (400, 0), "{named}");
            continue;
        }
        assert_eq!(answer.status, 200, "{named}");
        let request = world.app.last();
        assert_eq!(request.header("X-SuperOffice-User"), Some(ASTRID), "{named}");
        assert_eq!(request.header("X-SuperOffice-Context"), Some("Cust12345"), "{named}");
        assert!(request.header("Authorization").unwrap().starts_with("Bearer 8A:"));
        assert_eq!(request.header("X-Forwarded-For"), Some("127.0.0.1"));
        assert_eq!(request.header("Connection"), None);
        world.app.clear();
    }
    for named in ["Cookie", "Host", "cookie, host"] {
        let headers = format!("Cookie: superid-gateway={cookie}\r\nConnection: {named}\r\n");
        let answer = world.api().send("GET", &world.url("/x"), &headers).await;
        for request in world.app.requests() {
            assert_eq!(request.header("Host"), Some(world.authority()), "{named}");
            assert_eq!(request.header("X-SuperOffice-User"), Some(ASTRID), "{named}");
            assert_eq!(request.header("Cookie"), None);
        }
        assert!(matches!(answer.status, 200 | 400 | 401), "{}", answer.status);
        world.app.clear();
    }
}

#[tokio::test]
async fn our_cookies_never_reach_the_app_and_its_own_do() {
    let world = World::new().await;
    let browser = world.signed_in(ASTRID).await;
    let cookie = browser.jar.value("superid-gateway").unwrap();
    let binding = browser.jar.value("superid-gateway-binding").unwrap();
    let cookies = format!(
        "a=1; superid-gateway={cookie}; superid-gateway-binding={binding}; b=\"2; c\"; \
         superid-gateway.2=x; superid-gateway-handoff=y; SUPERID-GATEWAY.7=z; \
         __Host-superid-gateway=w; __secure-superid-gateway-target-0=v; superid-gateways=mine; ; d"
    );
    for path in ["/x", "/public/x"] {
        let headers = format!("Cookie: {cookies}\r\n");
        assert_eq!(world.api().send("GET", &world.url(path), &headers).await.status, 200);
        let kept = world.app.last().header("Cookie").unwrap().to_owned();
        assert_eq!(kept, "a=1; b=\"2; c\"; superid-gateways=mine; d");
    }
    let headers = format!("Cookie: a=1\r\nCookie: superid-gateway={cookie}\r\nCookie: b=2\r\n");
    assert_eq!(world.api().send("GET", &world.url("/x"), &headers).await.status, 200);
    assert_eq!(world.app.last().header("Cookie"), Some("a=1; b=2"));
}

#[tokio::test]
async fn the_app_cannot_set_our_cookies() {
    let world = World::new().await;
    world.app.says_with(
        "Set-Cookie: mine=1; Path=/\r\nSet-Cookie: superid-gateway=evil; Path=/\r\n\
         Set-Cookie: superid-gateway-binding=; Max-Age=0\r\nSet-Cookie: SuperID-Gateway.1=x\r\n\
         Set-Cookie: __Host-superid-gateway=evil; Secure; Path=/\r\n\
         Set-Cookie:   superid-gateway =spaced; Path=/\r\n\
         Set-Cookie: superid-gateway\r\n\
         Set-Cookie: =superid-gateway=nameless; Path=/\r\n\
         Set-Cookie: \t = superid-gateway.1=nameless; Path=/\r\n\
         Set-Cookie: superid-gatewayish=2\r\n",
    );
    let mut browser = world.browser();
    for path in ["/public/x", "/x"] {
        let answer = browser.sign_in_where_asked(&world.url(path), ASTRID).await;
        assert_eq!(answer.all("set-cookie"), ["mine=1; Path=/", "superid-gatewayish=2"], "{path}");
    }
}

#[tokio::test]
async fn forwarding_headers_are_rebuilt_and_nothing_outside_is_believed() {
    let world = World::new().await;
    let headers = "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 203.0.113.8\r\n\
        X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Port: 443\r\n\
        X-Forwarded-Prefix: /evil\r\nX_Forwarded_For: 1.1.1.1\r\nForwarded: for=1.1.1.1\r\n\
        X-Real-IP: 1.1.1.1\r\nX-Original-URI: /public\r\nX-Forwarded-Uri: /public\r\n\
        X-Client-IP: 1.1.1.1\r\n";
    assert_eq!(world.api().send("GET", &world.url("/public/x"), headers).await.status, 200);
    let request = world.app.last();
    assert_eq!(request.header("X-Forwarded-For"), Some("127.0.0.1"));
    assert_eq!(request.header("X-Forwarded-Proto"), Some("http"));
    assert_eq!(request.header("X-Forwarded-Host"), Some(world.authority()));
    assert_eq!(request.header("X-Real-IP"), Some("127.0.0.1"));
    for gone in [
        "X-Forwarded-Port",
        "X-Forwarded-Prefix",
        "X_Forwarded_For",
        "Forwarded",
        "X-Original-URI",
        "X-Forwarded-Uri",
        "X-Client-IP",
    ] {
        assert_eq!(request.header(gone), None, "{gone}");
    }
    world.app.clear();
    let refused = world.api().send("GET", &world.url("/secret"), headers).await;
    assert_eq!(refused.status, 401, "a path said in a header opens nothing");
    let address = refused.json()["sign_in"].as_str().unwrap().to_owned();
    assert!(address.starts_with(&world.url("/auth/start")), "{address}");
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_trusted_proxy_is_believed_about_the_client_and_about_nothing_else() {
    let world =
        World::with("[forwarded]\ntrusted_proxies = [\"127.0.0.0/8\", \"10.0.0.0/8\"]").await;
    for (said, chain, client) in [
        ("1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9, 10.0.0.2, 127.0.0.1", "203.0.113.9"),
        ("203.0.113.9", "203.0.113.9, 127.0.0.1", "203.0.113.9"),
        ("unknown, 10.0.0.2", "10.0.0.2, 127.0.0.1", "10.0.0.2"),
        ("2001:db8::1", "2001:db8::1, 127.0.0.1", "2001:db8::1"),
    ] {
        let headers = format!(
            "X-Forwarded-For: {said}\r\nX-Forwarded-Proto: https\r\n\
             X-Forwarded-Host: evil.example\r\n"
        );
        assert_eq!(world.api().send("GET", &world.url("/public"), &headers).await.status, 200);
        let request = world.app.last();
        assert_eq!(request.header("X-Forwarded-For"), Some(chain), "{said}");
        assert_eq!(request.header("X-Real-IP"), Some(client), "{said}");
        assert_eq!(request.header("X-Forwarded-Proto"), Some("http"));
        assert_eq!(request.header("X-Forwarded-Host"), Some(world.authority()));
    }
}

#[tokio::test]
async fn a_trusted_proxy_names_requests_and_the_name_is_everywhere() {
    let paper = Paper::default();
    let (access, writer) = AccessLog::to(paper.clone());
    let trusted = "[forwarded]\ntrusted_proxies = [\"127.0.0.1\"]";
    let world = World::built(trusted, |_| {}, Some(access), None).await;
    let named = |name: &str| format!("X-Request-Id: {name}\r\n");
    let given = "8f3c-Edge_1.b2";
    let answer = world.api().send("GET", &world.url("/public/given"), &named(given)).await;
    assert_eq!(answer.header("x-request-id"), given);
    assert_eq!(world.app.last().header("x-request-id"), Some(given));
    let refused = world.api().send("GET", &world.url("/secret"), &named(given)).await;
    assert_eq!((refused.status, refused.header("x-request-id")), (401, given));
    let twice = [named(given), named("other")].concat();
    for wrong in [named("a b"), named("\"quoted\""), named(&"x".repeat(129)), twice] {
        let answer = world.api().send("GET", &world.url("/public/made"), &wrong).await;
        let made = answer.header("x-request-id");
        assert_eq!(made.len(), 17, "{wrong} became {made}");
        assert_eq!(world.app.last().header("x-request-id"), Some(made));
    }
    world.gateway.stop().await;
    drop(writer);
    let lines = paper.lines();
    let ids: Vec<_> = lines.iter().map(|line| line["request_id"].as_str().unwrap()).collect();
    assert_eq!(ids[..2], [given, given]);
    assert!(ids[2..].iter().all(|id| id.len() == 17), "{ids:?}");
}
