//! What of an app's answer comes back to the client, and what does not.

use tokio::io::AsyncWriteExt as _;

use crate::recorder::Reply;
use crate::wire::read_answer;
use crate::world::{ASTRID, World};

#[tokio::test]
async fn what_is_about_the_apps_connection_does_not_come_back() {
    let world = World::new().await;
    world.app.says_with(
        "Connection: keep-alive, X-Hop, cache-control\r\nConnection: x-other\r\nX-Hop: gone\r\n\
         X-Other: gone\r\nCache-Control: gone\r\nKeep-Alive: timeout=gone\r\n\
         Proxy-Connection: gone\r\nProxy-Authenticate: gone\r\nProxy-Authentication-Info: gone\r\n\
         TE: gone\r\nTrailer: gone\r\nUpgrade: gone\r\nHTTP2-Settings: gone\r\n\
         Alt-Svc: h3=\":gone\"\r\nX-Kept: yes\r\nETag: \"kept\"\r\n",
    );
    let answer = world.api().get(&world.url("/public")).await;
    assert_eq!(answer.status, 200);
    let gone = answer.headers.iter().find(|(_, value)| value.contains("gone"));
    assert_eq!(gone, None);
    assert_eq!((answer.header("x-kept"), answer.header("etag")), ("yes", "\"kept\""));
    assert_eq!(answer.body, "the app");
}

#[tokio::test]
async fn an_app_cannot_take_its_framing_away_by_naming_it() {
    let world = World::new().await;
    for framing in [
        "Content-Length: 7\r\n\r\nthe app",
        "Transfer-Encoding: chunked\r\n\r\n7\r\nthe app\r\n0\r\n\r\n",
    ] {
        world.app.says(Reply::Bytes(format!(
            "HTTP/1.1 200 OK\r\nConnection: Content-Length, Transfer-Encoding\r\n{framing}"
        )));
        let answer = world.api().get(&world.url("/public")).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "the app"));
    }
}

#[tokio::test]
async fn what_an_app_is_built_of_stays_its_own_unless_the_route_says_otherwise() {
    let told = "Server: IIS/10.0\r\nVia: 1.1 inner.example\r\nX-Powered-By: ASP.NET\r\n\
        X-AspNet-Version: 4.0\r\nX-AspNetMvc-Version: 5.2\r\nX-Backend-Server: web7\r\n\
        X-SourceFiles: =?UTF-8?B?Yzpc?=\r\nX-Frame-Options: DENY\r\n";
    let names = [
        "server",
        "via",
        "x-powered-by",
        "x-aspnet-version",
        "x-aspnetmvc-version",
        "x-backend-server",
        "x-sourcefiles",
    ];
    for (changes, comes) in [("", 0), ("[route.open]\nserver_headers = \"pass\"", 1)] {
        let world = World::with(changes).await;
        world.app.says_with(told);
        let answer = world.api().get(&world.url("/public")).await;
        for name in names {
            assert_eq!(answer.all(name).len(), comes, "{name}");
        }
        assert_eq!(answer.header("x-frame-options"), "DENY");
        let own = world.api().get(&world.url("/auth/signed_out")).await;
        assert!(own.all("server").is_empty() && own.all("via").is_empty());
    }
}

#[tokio::test]
async fn an_app_that_shows_what_it_was_sent_shows_no_credential() {
    let world = World::with("[route.app.headers]\nuser = \"X-Who\"").await;
    let mut browser = world.signed_in(ASTRID).await;
    world.app.says_with(
        "SOTicket: shown\r\nso_ticket: shown\r\nAuthorization: shown\r\nX-Who: shown\r\n\
         X-SuperOffice-Context: shown\r\nX-Forwarded-For: shown\r\nX-Auth-Request-Email: shown\r\n\
         X-Request-Id: shown\r\nX-SuperOffice-ModuleVersion: kept\r\n",
    );
    let answer = browser.visit(&world.url("/x")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers.iter().find(|(_, value)| value == "shown"), None);
    let id = world.app.last().header("x-request-id").unwrap().to_owned();
    assert_eq!(answer.header("x-request-id"), id, "ours, once");
    assert_eq!(answer.header("x-superoffice-moduleversion"), "kept");
}

#[tokio::test]
async fn an_app_cannot_clear_our_cookies_with_its_own() {
    let world = World::new().await;
    let mut browser = world.signed_in(ASTRID).await;
    for (said, comes) in [
        ("\"cookies\"", ""),
        ("\"cache\", \"cookies\"", "\"cache\""),
        ("\"*\"", "\"cache\", \"storage\", \"executionContexts\""),
    ] {
        world.app.says_with(&format!("Clear-Site-Data: {said}\r\n"));
        let answer = browser.visit(&world.url("/x")).await;
        assert_eq!(answer.header("clear-site-data"), comes, "{said}");
    }
}

#[tokio::test]
async fn the_date_is_that_of_the_answer_passing() {
    let world = World::new().await;
    world.app.says_with("Date: Mon, 01 Jan 2001 00:00:00 GMT\r\n");
    let answer = world.api().get(&world.url("/public")).await;
    assert_eq!(answer.all("date").len(), 1);
    assert_ne!(answer.header("date"), "Mon, 01 Jan 2001 00:00:00 GMT");
}

#[tokio::test]
async fn an_answer_that_contradicts_itself_has_one_reading_or_none() {
    let world = World::new().await;
    for framing in [
        "Content-Length: 7\r\nContent-Length: 8\r\n\r\nthe app!",
        "Content-Length: 7, 8\r\n\r\nthe app!",
        "Content-Length: +7\r\n\r\nthe app",
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nthe app\r\n0\r\n\r\n",
        "Transfer-Encoding: gzip, chunked\r\n\r\n7\r\nthe app\r\n0\r\n\r\n",
    ] {
        let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n";
        world.app.says(Reply::Bytes(format!("{head}{framing}")));
        let own = world.authority();
        let request = format!("GET /public HTTP/1.1\r\nHost: {own}\r\n\r\n");
        let mut stream = world.net.connect(own).await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let Some(answer) = read_answer(&mut stream, "GET").await else { continue };
        let framed = answer.all("content-length").len() + answer.all("transfer-encoding").len();
        assert_eq!(framed, 1, "{framing}: {:?}", answer.headers);
        assert!(answer.status == 502 || answer.body == "the app", "{framing}: {answer:?}");
    }
}

#[tokio::test]
async fn options_goes_as_far_as_it_may() {
    let world = World::new().await;
    let url = world.url("/public");
    for (said, heard) in [("2", "1"), ("1", "0")] {
        let headers = format!("Max-Forwards: {said}\r\n");
        assert_eq!(world.api().send("OPTIONS", &url, &headers).await.status, 200);
        assert_eq!(world.app.last().header("Max-Forwards"), Some(heard));
    }
    world.app.clear();
    assert_eq!(world.api().send("OPTIONS", &url, "Max-Forwards: 0\r\n").await.status, 200);
    for wrong in ["-1", "1, 0", "x", "1\r\nMax-Forwards: 1"] {
        let headers = format!("Max-Forwards: {wrong}\r\n");
        assert_eq!(world.api().send("OPTIONS", &url, &headers).await.status, 400, "{wrong}");
    }
    world.app.heard_nothing();
    assert_eq!(world.api().send("GET", &url, "Max-Forwards: 0\r\n").await.status, 200);
    assert_eq!(world.app.last().header("Max-Forwards"), Some("0"));
}

#[tokio::test]
async fn what_is_about_the_clients_connection_does_not_reach_the_app() {
    let world = World::new().await;
    let headers = "Connection: keep-alive, X-Hop\r\nX-Hop: gone\r\nKeep-Alive: gone\r\n\
        Proxy-Connection: gone\r\nProxy-Authorization: gone\r\nTE: gone\r\nTrailer: gone\r\n\
        Upgrade: gone\r\nHTTP2-Settings: gone\r\nVia: 1.1 kept\r\nX-Kept: yes\r\n";
    assert_eq!(world.api().send("GET", &world.url("/public"), headers).await.status, 200);
    let request = world.app.last();
    assert_eq!(request.headers.iter().find(|(_, value)| value.contains("gone")), None);
    assert_eq!(request.header("Via"), Some("1.1 kept"));
    assert_eq!(request.header("X-Kept"), Some("yes"));
}
