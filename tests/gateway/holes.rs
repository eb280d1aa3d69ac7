//! What other gateways were once open to, tried on ours.

use tokio::io::AsyncWriteExt as _;

use crate::recorder::Reply;
use crate::wire::read_answer;
use crate::world::{ASTRID, World};

#[tokio::test]
async fn a_stranger_gets_our_bytes_alone_whatever_they_send() {
    let world = World::new().await;
    for headers in [
        "User-Agent: GoogleHC/1.0\r\n",
        "User-Agent: ELB-HealthChecker/2.0\r\n",
        "User-Agent: kube-probe/1.30\r\nX-Forwarded-Uri: /public\r\n",
        "X-Original-URL: /public\r\nX-Rewrite-URL: /public\r\n",
        "Accept: application/vnd.paos+xml\r\nPAOS: ver=\"urn:liberty:paos:2003-08\"\r\n",
        "X-Forwarded-Method: OPTIONS\r\nX-HTTP-Method-Override: OPTIONS\r\n",
        "Origin: null\r\nAccess-Control-Request-Method: GET\r\n",
        "Authorization: Bearer x\r\nX-Forwarded-For: 127.0.0.1, garbage,,\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
        "Accept: text/html\r\n",
        "Cookie: ; ;=; a; =x\r\n",
        "Range: bytes=0-1\r\nIf-None-Match: *\r\n",
    ] {
        for method in ["GET", "HEAD", "POST", "OPTIONS", "PUT", "PROPFIND"] {
            let headers = format!("{headers}Content-Length: 0\r\n");
            let answer = world.api().send(method, &world.url("/secret"), &headers).await;
            assert!(matches!(answer.status, 303 | 401), "{}: {method} {headers}", answer.status);
            assert!(!answer.body.contains("the app"));
        }
    }
    world.app.heard_nothing();
}

#[tokio::test]
async fn a_page_of_another_site_opens_no_websocket_with_somebodys_session() {
    let world = World::new().await;
    let browser = world.signed_in(ASTRID).await;
    let cookie = browser.jar.value("superid-gateway").unwrap();
    let own = &world.origin;
    world.app.says(Reply::Echo(SWITCHED.to_owned()));
    for (origins, status) in [
        (vec!["https://evil.example"], 403),
        (vec!["null"], 403),
        (vec![own.as_str(), "https://evil.example"], 400),
        (vec!["https://evil.example", own.as_str()], 400),
        (vec!["http://localhost"], 403),
        (vec![own.as_str()], 101),
        (vec![], 101),
    ] {
        let origins: String = origins.iter().map(|one| format!("Origin: {one}\r\n")).collect();
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {}\r\nCookie: superid-gateway={cookie}\r\n{origins}\
             Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            world.authority()
        );
        let mut stream = world.net.connect(world.authority()).await;
        stream.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(read_answer(&mut stream, "GET").await.unwrap().status, status, "{origins}");
        if status != 101 {
            world.app.heard_nothing();
        }
    }
}

#[tokio::test]
async fn what_nobody_outside_may_say_is_removed_whatever_the_method() {
    let world = World::new().await;
    for method in ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
        let headers = "Content-Length: 0\r\nSOTicket: forged\r\nso_ticket: forged\r\n\
            X-SuperOffice-User: forged\r\nX_Forwarded_For: forged\r\nX-Original-URI: forged\r\n";
        assert_eq!(world.api().send(method, &world.url("/public"), headers).await.status, 200);
        let request = world.app.last();
        assert_eq!(request.method, method);
        assert_eq!(request.headers.iter().find(|(_, value)| value.contains("forged")), None);
    }
}

#[tokio::test]
async fn a_thousand_cookies_and_two_hundred_pieces_of_ours_are_only_cookies() {
    let world = World::new().await;
    let many: Vec<String> = (0..1_000).map(|number| format!("c{number}=v")).collect();
    let headers = format!("Cookie: {}\r\n", many.join("; "));
    assert_eq!(world.api().send("GET", &world.url("/public"), &headers).await.status, 200);
    assert_eq!(world.app.last().header("Cookie"), Some(&*many.join("; ")));
    world.app.clear();
    let pieces: Vec<String> =
        (1..200).map(|number| format!("superid-gateway.{number}=x")).collect();
    for count in ["200", "99999999", "3"] {
        let headers = format!("Cookie: superid-gateway={count}.x; {}\r\n", pieces.join("; "));
        assert_eq!(world.api().send("GET", &world.url("/secret"), &headers).await.status, 401);
    }
    world.app.heard_nothing();
    let headers = format!("Cookie: superid-gateway=2.x; {}\r\n", pieces.join("; "));
    assert_eq!(world.api().send("GET", &world.url("/public"), &headers).await.status, 200);
    assert_eq!(world.app.last().header("Cookie"), None);
}

#[tokio::test]
async fn the_scheme_of_a_whole_address_has_no_case_and_reaches_nobody() {
    let world = World::new().await;
    let own = world.authority().to_owned();
    for scheme in ["http", "HTTP", "hTTps"] {
        let head = format!("GET {scheme}://{own}/public/x HTTP/1.1\r\nHost: {own}\r\n");
        assert_eq!(world.api().raw(&own, &head).await.unwrap().status, 200, "{scheme}");
        assert_eq!(world.app.last().target, "/public/x");
        world.app.clear();
        let head = format!("GET {scheme}://{own}/secret HTTP/1.1\r\nHost: {own}\r\n");
        assert_eq!(world.api().raw(&own, &head).await.unwrap().status, 401, "{scheme}");
        world.app.heard_nothing();
    }
}

#[tokio::test]
async fn nobody_signs_a_connection_in_that_others_use() {
    let world = World::new().await;
    world.app.says(Reply::Bytes(
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n\
         WWW-Authenticate: negotiate, Basic realm=x\r\nWWW-Authenticate: Basic realm=\"kept\"\r\n\
         Content-Length: 7\r\n\r\nthe app"
            .to_owned(),
    ));
    let answer = world.api().get(&world.url("/public")).await;
    assert_eq!(
        (answer.status, answer.all("www-authenticate")),
        (401, vec!["Basic realm=\"kept\""])
    );
    let world = World::with("[route.app]\npresent = \"nothing\"").await;
    for (sent, heard) in
        [("NTLM TlRMTVNTUA==", None), ("negotiate YII=", None), ("Basic eDp5", Some("Basic eDp5"))]
    {
        let headers = format!("Authorization: {sent}\r\n");
        assert_eq!(world.api().send("GET", &world.url("/public"), &headers).await.status, 200);
        assert_eq!(world.app.last().header("Authorization"), heard);
    }
}

#[tokio::test]
async fn an_odd_or_empty_post_to_our_own_pages_is_refused_calmly() {
    let legacy = "[relying_party.main]\nflow = \"legacy\"\n\
        [relying_party.main.legacy]\nserials = { Cust12345 = \"1501052557\" }";
    for world in [World::new().await, World::with(legacy).await] {
        for kind in [
            "",
            "Content-Type: text/plain\r\n",
            "Content-Type: ;;\r\n",
            "Content-Type: multipart/form-data\r\n",
        ] {
            for path in ["/auth/callback", "/auth/start", "/auth/finish", "/auth/none"] {
                let headers = format!("{kind}Content-Length: 0\r\n");
                let status = world.api().send("POST", &world.url(path), &headers).await.status;
                assert!((400..500).contains(&status), "{status} for {path} {kind}");
            }
        }
        world.app.heard_nothing();
    }
}

const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
