//! The app's side: what becomes of its answers, its silence, and connections that stay open.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::recorder::Reply;
use crate::wire::{read_answer, read_some};
use crate::world::{ASTRID, World};
use superid_gateway::config::Patience;

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

#[tokio::test]
async fn an_app_that_is_down_is_a_page_for_people_and_json_for_programs() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let world = World::with(&format!("[route.open]\nupstream = \"http://{address}\"")).await;
    let page = world.browser().visit(&world.url("/public")).await;
    page.is_page(502);
    assert!(page.body.contains("The app does not answer"));
    let answer = world.api().get(&world.url("/public")).await;
    assert_eq!(answer.status, 502);
    assert_eq!(answer.json()["error"], "upstream_unreachable");
    let told = format!("{}{}", page.body, answer.body);
    assert!(!told.contains(&address.to_string()), "where the app lives is nobody's business");
}

#[tokio::test]
async fn an_app_that_hangs_up_is_a_502_and_one_that_is_silent_a_504() {
    let world = World::tuned("", |settings| {
        for route in &mut settings.routes {
            let read = Duration::from_millis(80);
            route.upstream.set_patience(Patience { read, ..route.upstream.patience() });
        }
    })
    .await;
    world.app.says(Reply::HangUp);
    world.browser().visit(&world.url("/public")).await.is_page(502);
    world.app.says(Reply::Bytes("nonsense\r\n\r\n".to_owned()));
    assert_eq!(world.api().get(&world.url("/public")).await.status, 502);
    world.app.says(Reply::Held);
    let page = world.browser().visit(&world.url("/public")).await;
    page.is_page(504);
    assert!(page.body.contains("The app took too long"));
    assert_eq!(world.api().get(&world.url("/public")).await.json()["error"], "upstream_timeout");
    world.app.says_with("");
    assert_eq!(world.api().get(&world.url("/public")).await.status, 200, "and recovers at once");
}

#[tokio::test]
async fn a_post_is_never_sent_twice() {
    let world = World::new().await;
    world.app.says(Reply::HangUp);
    let url = world.url("/public");
    assert_eq!(world.api().send("POST", &url, "Content-Length: 0\r\n").await.status, 502);
    assert_eq!(world.app.requests().len(), 1);
}

#[tokio::test]
async fn the_apps_own_answers_pass_unchanged() {
    let world = World::new().await;
    let mut browser = world.signed_in(ASTRID).await;
    world.app.says(Reply::Bytes(
        "HTTP/1.1 418 Short and stout\r\nContent-Type: text/x-tea\r\nX-Own: a\r\nX-Own: b\r\n\
         Cache-Control: public, max-age=9\r\nLocation: https://elsewhere.example/?q=%2F\r\n\
         Content-Security-Policy: own\r\nContent-Length: 3\r\n\r\ntea"
            .to_owned(),
    ));
    let answer = browser.visit(&world.url("/pot")).await;
    assert_eq!((answer.status, answer.body.as_str()), (418, "tea"));
    assert_eq!(answer.all("x-own"), ["a", "b"]);
    assert_eq!(answer.header("cache-control"), "public, max-age=9");
    assert_eq!(answer.header("location"), "https://elsewhere.example/?q=%2F");
    assert_eq!(answer.header("content-security-policy"), "own");
}

#[tokio::test]
async fn bodies_arrive_whole_in_both_directions() {
    let world = World::new().await;
    let mut browser = world.signed_in(ASTRID).await;
    let body = "0123456789abcdef".repeat(20_000);
    world.app.says(Reply::Bytes(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )));
    let headers = "Accept: */*\r\nContent-Type: text/plain\r\n";
    let way = crate::jar::Way::SameSite;
    let answer = browser.request("PUT", &world.url("/big"), way, headers, &body).await;
    assert!(answer.body == body && world.app.last().body == body);
}

#[tokio::test]
async fn a_websocket_needs_the_same_session_as_everything_else() {
    let world = World::new().await;
    world.app.says(Reply::Echo(SWITCHED.to_owned()));
    let own = world.authority().to_owned();
    for cookie in ["", "Cookie: superid-gateway=1.forged\r\n"] {
        let answer =
            world.api().send("GET", &world.url("/ws"), &format!("{UPGRADE}{cookie}")).await;
        assert_eq!(answer.status, 401);
    }
    world.app.heard_nothing();

    let browser = {
        world.app.says_with("");
        let browser = world.signed_in(ASTRID).await;
        world.app.says(Reply::Echo(SWITCHED.to_owned()));
        browser
    };
    let cookie = browser.jar.value("superid-gateway").unwrap();
    let mut stream = world.net.connect(&own).await;
    let head = format!(
        "GET /ws HTTP/1.1\r\nHost: {own}\r\nCookie: superid-gateway={cookie}\r\n{UPGRADE}\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = read_answer(&mut stream, "GET").await.unwrap();
    assert_eq!(answer.status, 101);
    assert_eq!((answer.header("connection"), answer.header("upgrade")), ("Upgrade", "websocket"));
    assert_eq!(answer.header("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    stream.write_all(b"hello through").await.unwrap();
    let mut echoed = [0; 13];
    stream.read_exact(&mut echoed).await.unwrap();
    assert_eq!(&echoed, b"hello through");
    let request = world.app.last();
    assert_eq!(request.header("X-SuperOffice-User"), Some(ASTRID));
    assert_eq!(request.header("Cookie"), None);
}

#[tokio::test]
async fn a_websocket_may_be_silent_longer_than_an_answer_but_not_for_ever() {
    for (answer, tunnel, closes) in [(50, 60_000, false), (60_000, 50, true)] {
        let world = World::tuned("", |settings| {
            for route in &mut settings.routes {
                let read = Duration::from_millis(answer);
                route.upstream.set_patience(Patience { read, ..route.upstream.patience() });
                route.bounds.websocket_idle_timeout = Duration::from_millis(tunnel);
            }
            settings.limits.idle_timeout = Duration::from_millis(50);
        });
        let world = world.await;
        world.app.says(Reply::Echo(SWITCHED.to_owned()));
        let own = world.authority().to_owned();
        let mut stream = world.net.connect(&own).await;
        let head = format!("GET /public HTTP/1.1\r\nHost: {own}\r\n{UPGRADE}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        assert_eq!(read_answer(&mut stream, "GET").await.unwrap().status, 101);
        let silent =
            timeout(Duration::from_millis(if closes { 10_000 } else { 300 }), stream.read_u8());
        match silent.await {
            Ok(end) => {
                assert!(closes && end.is_err(), "closed after 50 ms, and not before");
                let name = "limit_hits_total{limit=\"route.websocket_idle_timeout\"}";
                while world.metric(name).await == 0 {}
            }
            Err(_) => {
                assert!(!closes, "open after 10 s");
                stream.write_all(b"!").await.unwrap();
                assert_eq!(stream.read_u8().await.unwrap(), b'!');
            }
        }
    }
}

#[tokio::test]
async fn an_app_silent_about_an_upgrade_is_a_504_like_any_other() {
    let world = World::tuned("", |settings| {
        for route in &mut settings.routes {
            let read = Duration::from_millis(50);
            route.upstream.set_patience(Patience { read, ..route.upstream.patience() });
        }
    });
    let world = world.await;
    world.app.says(Reply::Held);
    let answer = world.api().send("GET", &world.url("/public"), UPGRADE).await;
    assert_eq!(answer.status, 504);
}

#[tokio::test]
async fn bytes_sent_before_an_upgrade_was_agreed_are_no_second_request() {
    let world = World::new().await;
    world.app.says_with("");
    let own = world.authority().to_owned();
    let smuggled =
        format!("GET /secret HTTP/1.1\r\nHost: {own}\r\nX-SuperOffice-User: evil\r\n\r\n");
    let head = format!("GET /public HTTP/1.1\r\nHost: {own}\r\n{UPGRADE}\r\n{smuggled}");
    world.net.ask(&own, head.as_bytes()).await;
    assert!(world.app.requests().iter().all(|request| request.target == "/public"));
}

#[tokio::test]
async fn one_connection_serves_different_people_and_each_is_only_themselves() {
    let world = World::new().await;
    let astrid = world.signed_in(ASTRID).await.jar.value("superid-gateway").unwrap();
    let jonas = world.signed_in(crate::world::JONAS).await.jar.value("superid-gateway").unwrap();
    world.app.clear();
    let own = world.authority().to_owned();
    let mut stream = world.net.connect(&own).await;
    for (cookie, expected) in [
        (astrid.as_str(), 200),
        (jonas.as_str(), 200),
        ("1.x", 401),
        (astrid.as_str(), 200),
        ("", 401),
        (jonas.as_str(), 200),
    ] {
        let head =
            format!("GET /x HTTP/1.1\r\nHost: {own}\r\nCookie: superid-gateway={cookie}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let answer = read_answer(&mut stream, "GET").await.unwrap();
        assert_eq!(answer.status, expected);
    }
    let seen = world.app.requests();
    let users: Vec<_> = seen.iter().map(|request| request.header("X-SuperOffice-User")).collect();
    let jonas = crate::world::JONAS;
    assert_eq!(users, [Some(ASTRID), Some(jonas), Some(ASTRID), Some(jonas)]);
}

#[tokio::test]
async fn requests_sent_at_once_are_judged_one_by_one() {
    let world = World::new().await;
    let own = world.authority().to_owned();
    let request = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: {own}\r\n\r\n");
    let mut stream = world.net.connect(&own).await;
    let all = ["/public/1", "/secret", "/public/2"].map(request).concat();
    stream.write_all(all.as_bytes()).await.unwrap();
    let (mut bytes, mut statuses) = (Vec::new(), Vec::new());
    while statuses.len() < 3 && read_some(&mut stream, &mut bytes).await > 0 {
        let text = String::from_utf8_lossy(&bytes);
        let heads = text.split("HTTP/1.1 ").skip(1).filter_map(|head| head.get(..3));
        statuses = heads.map(str::to_owned).collect::<Vec<_>>();
    }
    assert!(["200", "401", "200"].map(str::to_owned).starts_with(&statuses), "{statuses:?}");
    assert!(world.app.requests().iter().all(|request| request.target.starts_with("/public")));
}

#[tokio::test]
async fn an_early_answer_leaves_no_body_to_be_read_as_the_next_request() {
    let world = World::new().await;
    let own = world.authority().to_owned();
    let body = format!("GET /public/smuggled HTTP/1.1\r\nHost: {own}\r\n\r\n");
    let head = format!(
        "POST /secret HTTP/1.1\r\nHost: {own}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(world.net.ask(&own, head.as_bytes()).await.unwrap().status, 401);
    world.app.heard_nothing();
}

#[tokio::test]
async fn an_app_may_want_its_own_name_for_host() {
    let world = World::with("[route.open]\nhost_header = \"upstream\"").await;
    world.api().get(&world.url("/public")).await;
    let request = world.app.last();
    assert_eq!(request.header("Host"), Some(&*world.app.address.to_string()));
    assert_eq!(request.header("X-Forwarded-Host"), Some(world.authority()));
}
