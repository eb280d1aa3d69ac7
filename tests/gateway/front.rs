//! The door: which requests are taken at all, and what of them may be believed.

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
        if answer.status == 400 {
            continue;
        }
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
            "X-Forwarded-For: {said}\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.example\r\n"
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
async fn a_host_that_is_not_ours_is_421_and_never_part_of_an_address() {
    let world = World::new().await;
    let own = world.authority().to_owned();
    for host in [
        "evil.example".to_owned(),
        "localhost".to_owned(),
        format!("evil.{own}"),
        format!("{own}0"),
        format!("127.0.0.1:{}", world.port),
        "localhost.:1".to_owned(),
        "[::1]".to_owned(),
    ] {
        let head = format!("GET /orders HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\n");
        let answer = world.api().raw(&own, &head).await.unwrap();
        assert_eq!(answer.status, 421, "{host}");
        assert!(answer.header("location").is_empty() && answer.all("set-cookie").is_empty());
    }
    let head =
        format!("GET /orders HTTP/1.1\r\nHost: {}\r\nAccept: text/html\r\n", own.to_uppercase());
    let answer = world.api().raw(&own, &head).await.unwrap();
    assert_eq!(answer.status, 303, "names have no case");
    assert_eq!(answer.parameter("redirect_uri"), Some(world.url("/auth/callback")));
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_request_without_exactly_one_good_host_is_refused() {
    let world = World::new().await;
    let own = world.authority().to_owned();
    for head in [
        "GET /public HTTP/1.1\r\n".to_owned(),
        "GET /public HTTP/1.0\r\n".to_owned(),
        "GET /public HTTP/1.1\r\nHost:\r\n".to_owned(),
        format!("GET /public HTTP/1.1\r\nHost: {own}\r\nHost: {own}\r\n"),
        format!("GET /public HTTP/1.1\r\nHost: {own}\r\nhost: evil.example\r\n"),
        format!("GET /public HTTP/1.1\r\nHost: {own}, evil.example\r\n"),
        format!("GET /public HTTP/1.1\r\nHost: user@{own}\r\n"),
        format!("GET /public HTTP/1.1\r\nHost: {own}/public\r\n"),
        format!("GET /public HTTP/1.1\r\nHost: {own} x\r\n"),
        format!("GET http://evil.example/public HTTP/1.1\r\nHost: {own}\r\n"),
        format!("GET http://{own}/public HTTP/1.1\r\nHost: evil.example\r\n"),
        format!("GET http://{own}@evil.example/public HTTP/1.1\r\nHost: {own}\r\n"),
        format!("GET ftp://{own}/public HTTP/1.1\r\nHost: {own}\r\n"),
    ] {
        let answer = world.api().raw(&own, &head).await;
        let status = answer.map_or(400, |answer| answer.status);
        assert!(matches!(status, 400 | 421), "{status} for {head}");
    }
    world.app.heard_nothing();
    let head = format!("GET http://{own}/public/x?y HTTP/1.1\r\nHost: {own}\r\n");
    assert_eq!(world.api().raw(&own, &head).await.unwrap().status, 200);
    assert_eq!(world.app.last().target, "/public/x?y");
}

#[tokio::test]
async fn a_path_that_could_be_read_two_ways_is_refused() {
    let world = World::new().await;
    let own = world.authority().to_owned();
    for target in [
        "/public/../secret",
        "/public/..",
        "/public/./x",
        "/./public",
        "//public",
        "/public//x",
        "/public/%2e%2e/secret",
        "/public/%2E%2E/secret",
        "/public/.%2e/secret",
        "/public%2f..%2fsecret",
        "/public%2F..%2Fsecret",
        "/public%5c..%5csecret",
        "/public%5C",
        "/public\\..\\secret",
        "/public;/../secret",
        "/public;x=1",
        "/public/..;/secret",
        "/%70ublic",
        "/publi%63/x",
        "/public%00",
        "/public%0a",
        "/public%0d%0aX: y",
        "/public%09",
        "/public%7f",
        "/public%25",
        "/public%252e%252e/secret",
        "/public/%c0%ae%c0%ae/secret",
        "/public/%ff",
        "/public%",
        "/public%2",
        "/public%zz",
        "public",
        "*",
        "/public/%u002e",
    ] {
        for method in ["GET", "OPTIONS", "POST"] {
            let head =
                format!("{method} {target} HTTP/1.1\r\nHost: {own}\r\nContent-Length: 0\r\n");
            let answer = world.api().raw(&own, &head).await;
            let status = answer.map_or(400, |answer| answer.status);
            assert_eq!(status, 400, "{method} {target}");
        }
    }
    world.app.heard_nothing();
    for raw in ["/public/\u{f8}", "/public/\u{7f}", "/public/a b", "/public/\t"] {
        let head = format!("GET {raw} HTTP/1.1\r\nHost: {own}\r\n");
        let answer = world.api().raw(&own, &head).await;
        assert!(matches!(answer.map_or(400, |answer| answer.status), 400 | 200), "{raw:?}");
    }
    let seen: Vec<String> = world.app.requests().into_iter().map(|seen| seen.target).collect();
    assert!(seen.iter().all(|seen| seen == "/public/a%20b"), "as it was judged: {seen:?}");
}

#[tokio::test]
async fn what_looks_public_only_in_the_query_is_not() {
    let world = World::new().await;
    for target in [
        "/secret?x=/public/a",
        "/secret?/../public",
        "/publicity",
        "/public.x",
        "/PUBLIC",
        "/Public/x",
        "/secret/public",
    ] {
        assert_eq!(world.api().get(&world.url(target)).await.status, 401, "{target}");
    }
    let probe = "User-Agent: kube-probe/1.30\r\nAccept: */*\r\n";
    assert_eq!(world.api().send("GET", &world.url("/secret"), probe).await.status, 401);
    world.app.heard_nothing();
    for target in ["/public", "/public/", "/public/x", "/public?x"] {
        assert_eq!(world.api().get(&world.url(target)).await.status, 200, "{target}");
        assert_eq!(world.app.last().target, target, "exactly as it came");
    }
}

#[tokio::test]
async fn a_fragment_opens_nothing_and_does_not_reach_the_app() {
    let world = World::new().await;
    let own = world.authority().to_owned();
    for target in ["/secret#/public", "/secret#", "/#/public/x"] {
        let head = format!("GET {target} HTTP/1.1\r\nHost: {own}\r\n");
        let status = world.api().raw(&own, &head).await.map_or(400, |answer| answer.status);
        assert!(matches!(status, 400 | 401), "{status} for {target}");
    }
    world.app.heard_nothing();
    let head = format!("GET /public/x#/../secret HTTP/1.1\r\nHost: {own}\r\n");
    world.api().raw(&own, &head).await;
    assert!(world.app.requests().iter().all(|request| request.target == "/public/x"));
}

#[tokio::test]
async fn methods_that_tunnel_or_mirror_are_refused() {
    let world = World::new().await;
    let own = world.authority().to_owned();
    for head in [
        format!("TRACE /public HTTP/1.1\r\nHost: {own}\r\n"),
        format!("CONNECT {own} HTTP/1.1\r\nHost: {own}\r\n"),
        format!("CONNECT /public HTTP/1.1\r\nHost: {own}\r\n"),
    ] {
        let status = world.api().raw(&own, &head).await.map_or(400, |answer| answer.status);
        assert!(matches!(status, 400 | 405), "{status} for {head}");
    }
    world.app.heard_nothing();
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
        let answer = world.api().send(method, &world.url("/public"), "Content-Length: 0\r\n").await;
        assert_eq!(answer.status, 200, "{method}");
        assert_eq!(world.app.last().method, method);
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let world = World::new().await;
    let send = async |path: String, headers: String| {
        let answer = world.api().send("GET", &world.url(&path), &headers).await;
        answer.status
    };
    let cookie = |length: usize| format!("Cookie: a={}\r\n", "x".repeat(length));
    assert_eq!(send("/public".to_owned(), cookie(20_000)).await, 200);
    world.app.clear();
    assert_eq!(send("/public".to_owned(), cookie(25_000)).await, 431);
    assert_eq!(send("/public".to_owned(), cookie(12_500).repeat(2)).await, 431);
    assert_eq!(send(format!("/public/{}", "x".repeat(8_200)), String::new()).await, 414);
    assert_eq!(send(format!("/public?{}", "x".repeat(8_200)), String::new()).await, 414);
    world.app.heard_nothing();
}

#[tokio::test]
async fn ambiguous_framing_never_reaches_the_app() {
    let world = World::new().await;
    let own = world.authority().to_owned();
    for headers in [
        "Content-Length: 4\r\nContent-Length: 5\r\n",
        "Content-Length: 4\r\nContent-Length: 4\r\n",
        "Content-Length: +4\r\n",
        "Content-Length: 4, 4\r\n",
        "Content-Length: 0x4\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding : chunked\r\n",
    ] {
        let head = format!(
            "POST /public HTTP/1.1\r\nHost: {own}\r\n{headers}Connection: close\r\n\r\n0\r\n\r\n"
        );
        let answer = world.net.ask(&own, head.as_bytes()).await;
        let status = answer.map_or(400, |answer| answer.status);
        assert!(matches!(status, 400 | 501), "{status} for {headers}");
    }
    world.app.heard_nothing();
    for headers in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    ] {
        let head = format!("POST /public HTTP/1.1\r\nHost: {own}\r\n{headers}\r\n0\r\n\r\n");
        world.net.ask(&own, head.as_bytes()).await;
        for request in world.app.requests() {
            assert_eq!(request.header("Content-Length"), None, "framed anew, in one way");
        }
    }
    world.app.clear();
    let body = "4\r\na=1&\r\n0\r\n\r\n";
    let head =
        format!("POST /public HTTP/1.1\r\nHost: {own}\r\nTransfer-Encoding: Chunked\r\n\r\n{body}");
    assert_eq!(world.net.ask(&own, head.as_bytes()).await.unwrap().status, 200);
    assert_eq!(world.app.last().body, "a=1&");
}

#[tokio::test]
async fn every_request_has_an_id_that_the_page_and_the_app_both_know() {
    let world = World::new().await;
    let headers = "X-Request-Id: outsiders\r\n";
    assert_eq!(world.api().send("GET", &world.url("/public"), headers).await.status, 200);
    let id = world.app.last().header("X-Request-Id").unwrap().to_owned();
    assert_ne!(id, "outsiders");
    assert_eq!(id.len(), 17, "{id}");
    let mut browser = world.browser();
    let page = browser.visit(&world.url("/auth/nothing-here")).await;
    page.is_page(404);
    assert!(
        page.body.contains(id.split_once('-').unwrap().0),
        "of the same process: {}",
        page.body
    );
}

#[tokio::test]
async fn our_own_pages_are_calm_about_strangers() {
    let world = World::new().await;
    let mut browser = world.browser();
    for (path, status) in [
        ("/auth", 404),
        ("/auth/", 404),
        ("/auth/unknown", 404),
        ("/auth/start/x", 404),
        ("/auth/callback/", 404),
        ("/auth/callback", 400),
        ("/auth/finish", 400),
        ("/auth/signed_out", 200),
        ("/auth/start?rd=/&rd=/x", 400),
    ] {
        browser.visit(&world.url(path)).await.is_page(status);
        let answer = world.api().get(&world.url(path)).await;
        assert_eq!(answer.status, status, "{path}");
    }
    for method in ["PUT", "DELETE", "POST"] {
        for path in ["/auth/start", "/auth/finish", "/auth/signed_out"] {
            let answer = world.api().send(method, &world.url(path), "Content-Length: 0\r\n").await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert!(!answer.header("allow").is_empty());
        }
    }
    world.app.heard_nothing();
}
