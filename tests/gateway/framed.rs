//! How answers are framed on their way from any app to any client, and what goes before them.

use std::time::Duration;

use superid_gateway::config::Patience;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::recorder::{Reply, ordinary};
use crate::wire::{Stream, find, read_answer, read_some, until};
use crate::world::World;

const CHUNKED: &str =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nthe app\r\n0\r\n\r\n";

/// Sends a request's head, each line of it ended by CR LF, with `Host`.
async fn asks(world: &World, line: &str, more: &str) -> Box<dyn Stream> {
    let own = world.authority();
    let mut stream = world.net.connect(own).await;
    let head = format!("{line}\r\nHost: {own}\r\n{more}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// All that comes until the end.
async fn all(stream: &mut Box<dyn Stream>) -> String {
    let mut bytes = Vec::new();
    while read_some(stream, &mut bytes).await > 0 {}
    String::from_utf8(bytes).unwrap()
}

/// An app that gives leave to send a body as soon as it has read a head, and reads on.
async fn hasty() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = Vec::new();
            while find(&bytes, b"\r\n\r\n").is_none() {
                read_some(&mut stream, &mut bytes).await;
            }
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
            while read_some(&mut stream, &mut bytes).await > 0 {}
        }
    });
    url
}

/// Where apps may be silent for a moment only.
async fn impatient() -> World {
    World::tuned("", |settings| {
        for route in &mut settings.routes {
            let read = Duration::from_millis(80);
            route.upstream.set_patience(Patience { read, ..route.upstream.patience() });
        }
    })
    .await
}

#[tokio::test]
async fn an_app_that_fails_after_a_hint_of_its_answer_is_told_of_all_the_same() {
    let world = impatient().await;
    for hint in ["103 Early Hints\r\nLink: </a>", "100 Continue", "102 Processing"] {
        world.app.says(Reply::Bytes(format!("HTTP/1.1 {hint}\r\n\r\n")));
        let mut stream = asks(&world, "GET /public HTTP/1.1", "").await;
        let told = all(&mut stream).await;
        assert!(told.starts_with(&format!("HTTP/1.1 {}", &hint[..3])), "{hint}: {told:?}");
        assert!(told.contains("HTTP/1.1 504 "), "{hint}: {told:?}");
        assert!(told.contains("upstream_timeout"), "{hint}: {told:?}");
    }
    let failed = "requests_total{route=\"open\",status=\"5xx\",outcome=\"refused\"}";
    until("each counts as what it came to", async || world.metric(failed).await == 3).await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_told_so_after_leave_to_send_it() {
    let app = hasty().await;
    let world =
        World::with(&format!("[route.open]\nupstream = {app:?}\nbody_bytes = \"1KiB\"")).await;
    let more = "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n";
    let mut stream = asks(&world, "POST /public HTTP/1.1", more).await;
    let mut leave = [0; 25];
    stream.read_exact(&mut leave).await.unwrap();
    assert_eq!(&leave, b"HTTP/1.1 100 Continue\r\n\r\n");
    let body = format!("401\r\n{}\r\n0\r\n\r\n", "x".repeat(1025));
    stream.write_all(body.as_bytes()).await.unwrap();
    assert_eq!(read_answer(&mut stream, "POST").await.unwrap().status, 413);
}

#[tokio::test]
async fn a_hint_of_an_answer_tells_of_no_body_and_sets_nothing() {
    let world = World::new().await;
    for framing in ["Content-Length: 7\r\n", "Transfer-Encoding: chunked\r\n"] {
        let hint = format!(
            "HTTP/1.1 103 Early Hints\r\n{framing}Set-Cookie: a=b\r\nConnection: x-hop\r\n\
             X-Hop: gone\r\nServer: gone\r\nSOTicket: gone\r\nX-Request-Id: gone\r\n\
             Link: </style.css>\r\n\r\n"
        );
        world.app.says(Reply::Bytes(hint + &ordinary("")));
        let mut stream = asks(&world, "GET /public HTTP/1.1", "Connection: close\r\n").await;
        let told = all(&mut stream).await.to_ascii_lowercase();
        let (hint, answer) = told.split_once("\r\n\r\n").unwrap();
        assert_eq!(hint, "http/1.1 103 early hints\r\nlink: </style.css>");
        assert!(answer.starts_with("http/1.1 200 ok\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nthe app"), "{answer}");
    }
}

#[tokio::test]
async fn a_client_of_1_0_gets_no_chunks_and_no_hints_and_its_connection_ends_where_it_has_to() {
    let world = World::new().await;
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    for asked in ["", "Connection: keep-alive\r\n"] {
        world.app.says(Reply::Bytes(format!("{hints}{CHUNKED}")));
        let mut stream = asks(&world, "GET /public HTTP/1.0", asked).await;
        let told = all(&mut stream).await.to_ascii_lowercase();
        assert!(told.starts_with("http/1.1 200 ok\r\n"), "{told}");
        assert!(told.contains("\r\nconnection: close\r\n"), "{told}");
        assert!(!told.contains("transfer-encoding"), "{told}");
        assert!(told.ends_with("\r\n\r\nthe app"), "{told}");
    }
    world.app.says_with("");
    let mut stream = asks(&world, "GET /public HTTP/1.0", "Connection: keep-alive\r\n").await;
    let head = format!(
        "GET /public/2 HTTP/1.0\r\nHost: {}\r\nConnection: keep-alive\r\n\r\n",
        world.authority()
    );
    for _ in 0..3 {
        let answer = read_answer(&mut stream, "GET").await.unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, "the app"));
        assert_eq!(answer.header("connection"), "keep-alive");
        stream.write_all(head.as_bytes()).await.unwrap();
    }
}

#[tokio::test]
async fn what_an_app_of_1_0_says_is_framed_for_clients_of_1_1() {
    let world = World::new().await;
    for said in ["HTTP/1.0 200 OK\r\n\r\nthe app", "HTTP/1.1 200 OK\r\n\r\nthe app"] {
        world.app.says(Reply::Last(said.to_owned()));
        let mut stream = asks(&world, "GET /public HTTP/1.1", "Connection: close\r\n").await;
        let told = all(&mut stream).await;
        assert!(told.starts_with("HTTP/1.1 200 OK\r\n"), "{told}");
        assert!(told.to_ascii_lowercase().contains("\r\ntransfer-encoding: chunked\r\n"), "{told}");
        assert!(told.ends_with("\r\n\r\n7\r\nthe app\r\n0\r\n\r\n"), "{told}");
    }
}

#[tokio::test]
async fn a_length_is_told_once_and_plainly_and_never_where_nothing_follows() {
    let world = World::new().await;
    for said in ["Content-Length: 7\r\nContent-Length: 7\r\n", "Content-Length: 007\r\n"] {
        world.app.says(Reply::Bytes(format!("HTTP/1.1 200 OK\r\n{said}\r\nthe app")));
        let answer = world.api().get(&world.url("/public")).await;
        assert_eq!((answer.all("content-length"), answer.body.as_str()), (vec!["7"], "the app"));
    }
    world.app.says(Reply::Bytes("HTTP/1.1 204 No\r\nContent-Length: 7\r\n\r\nthe app".to_owned()));
    let answer = world.api().get(&world.url("/public")).await;
    assert_eq!((answer.status, answer.all("content-length")), (204, vec![]));
    world.app.says_with("");
    assert_eq!(world.api().get(&world.url("/public")).await.body, "the app", "nobody else's");
}

#[tokio::test]
async fn an_app_of_http_1_is_not_asked_for_trailers_that_would_go_nowhere() {
    let world = World::new().await;
    let headers = "TE: trailers\r\n";
    assert_eq!(world.api().send("GET", &world.url("/public"), headers).await.status, 200);
    assert_eq!(world.app.last().header("te"), None);
}
