//! Apps that speak HTTP/2: conversations in both directions, trailers, events and large bodies.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::h2_app::{H2App, piece, send_all, trailers};
use crate::tls::{Secure, text_of};
use crate::wire::{PATIENCE, Stream, read_answer, read_some, until};
use crate::world::{ASTRID, World};

pub const GRPC: (&str, &str) = ("content-type", "application/grpc");

/// A gateway with TLS before an app, and a client of HTTP/2.
pub async fn before(app: &H2App, name: &str) -> (Secure, SendRequest<Bytes>) {
    let secure = Secure::with(name, &app.behind_all()).await;
    let client = secure.h2_client().await;
    (secure, client)
}

/// A POST whose body is to come.
pub async fn post(
    client: &SendRequest<Bytes>,
    url: &str,
    headers: &[(&str, &str)],
) -> (ResponseFuture, SendStream<Bytes>) {
    let mut request = Request::post(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut client = client.clone().ready().await.unwrap();
    client.send_request(request.body(()).unwrap(), false).unwrap()
}

/// Status, headers and body, once the answer begins.
pub async fn answered(answer: ResponseFuture) -> (u16, HeaderMap, RecvStream) {
    let answer = timeout(PATIENCE, answer).await.expect("an answer in time").unwrap();
    let (head, body) = answer.into_parts();
    (head.status.as_u16(), head.headers, body)
}

pub fn text(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

#[tokio::test]
async fn a_call_of_grpc_passes_with_its_trailers_and_nobody_elses_identity() {
    let app = H2App::start().await;
    let (secure, client) = before(&app, "h2-call").await;
    let mut browser = secure.world.browser();
    let signed_in = browser.sign_in(&secure.world.url("/"), ASTRID).await;
    assert_eq!((signed_in.status, signed_in.body.as_str()), (200, "the app"));
    app.hands_over();
    let cookie = browser.jar.value("__Host-superid-gateway").unwrap();
    let cookie = format!("__Host-superid-gateway={cookie}");
    let headers = [
        GRPC,
        ("te", "trailers"),
        ("cookie", cookie.as_str()),
        ("x-superoffice-user", "mira"),
        ("X_SuperOffice_User", "mira"),
        ("grpc-timeout", "5S"),
    ];
    let (answer, mut body) = post(&client, &secure.world.url("/shop.Orders/List"), &headers).await;
    body.send_data(text("ask"), true).unwrap();
    let mut asked = app.next().await;
    assert_eq!(asked.whole().await, b"ask");
    assert_eq!(asked.head.uri.path(), "/shop.Orders/List");
    assert_eq!(asked.head.uri.authority().unwrap(), secure.world.authority());
    assert_eq!((asked.header("te"), asked.header("host")), (Some("trailers"), None));
    assert_eq!(asked.header("x-superoffice-user"), Some(ASTRID));
    assert_eq!(asked.header("x-forwarded-proto"), Some("https"));
    assert_eq!((asked.header("x_superoffice_user"), asked.header("cookie")), (None, None));
    assert_eq!(asked.header("grpc-timeout"), Some("5S"));

    let mut answering = asked.begins(&[GRPC, ("x-superoffice-user", ASTRID)]);
    answering.send_data(text("told"), false).unwrap();
    let mut last = HeaderMap::new();
    last.insert("grpc-status", "0".parse().unwrap());
    last.insert("grpc-message", "fine".parse().unwrap());
    last.insert("set-cookie", "__Host-superid-gateway=forged".parse().unwrap());
    last.insert("x-superoffice-ticket", "7T:secret".parse().unwrap());
    for name in ["server", "via", "x-powered-by", "alt-svc", "www-authenticate", "location"] {
        last.insert(name, "not in trailers".parse().unwrap());
    }
    answering.send_trailers(last).unwrap();
    let (status, head, mut body) = answered(answer).await;
    assert_eq!((status, head.get("x-superoffice-user")), (200, None));
    assert_eq!(piece(&mut body).await, Some(text("told")));
    assert_eq!(piece(&mut body).await, None);
    let last = trailers(&mut body).await.unwrap();
    let mut names: Vec<&str> = last.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["grpc-message", "grpc-status"]);
    assert_eq!(last["grpc-status"], "0");
}

#[tokio::test]
async fn a_conversation_goes_on_in_both_directions_word_by_word() {
    let app = H2App::start().await;
    app.hands_over();
    let (secure, client) = before(&app, "h2-words").await;
    let (answer, mut saying) = post(&client, &secure.world.url("/public/talk"), &[GRPC]).await;
    let mut asked = app.next().await;
    let mut answering = asked.begins(&[GRPC]);
    let (_, _, mut hearing) = answered(answer).await;
    for round in 0..20 {
        // Nobody says the next before this one was heard on the other side.
        saying.send_data(format!("question {round}").into(), false).unwrap();
        assert_eq!(asked.piece().await.unwrap(), format!("question {round}"));
        answering.send_data(format!("answer {round}").into(), false).unwrap();
        assert_eq!(piece(&mut hearing).await.unwrap(), format!("answer {round}"));
    }
    saying.send_data(Bytes::new(), true).unwrap();
    assert_eq!(asked.piece().await, None);
    answering.send_data(text("the last word"), true).unwrap();
    assert_eq!(piece(&mut hearing).await.unwrap(), "the last word");
    assert_eq!(piece(&mut hearing).await, None);
}

#[tokio::test]
async fn an_app_that_takes_no_more_of_a_body_is_heard_all_the_same() {
    let app = H2App::start().await;
    app.hands_over();
    let (secure, client) = before(&app, "h2-deaf").await;
    let (answer, mut saying) = post(&client, &secure.world.url("/public/talk"), &[]).await;
    let mut asked = app.next().await;
    // More than all windows on the way have room for, of which the app takes nothing.
    let sending = tokio::spawn(async move {
        send_all(&mut saying, Bytes::from(vec![b'x'; 4 << 20])).await;
    });
    let mut answering = asked.begins(&[]);
    let (_, _, mut hearing) = answered(answer).await;
    for _ in 0..20 {
        answering.send_data(text("still here"), false).unwrap();
        assert_eq!(piece(&mut hearing).await.unwrap(), "still here");
    }
    assert!(!sending.is_finished());
    assert_eq!(asked.whole().await.len(), 4 << 20);
    sending.await.unwrap();
    answering.send_data(text("done"), true).unwrap();
    assert_eq!(piece(&mut hearing).await.unwrap(), "done");
}

#[tokio::test]
async fn of_an_answer_that_nobody_takes_little_is_read_and_others_pass_it() {
    let app = H2App::start().await;
    app.hands_over();
    let (secure, client) = before(&app, "h2-untaken").await;
    let url = secure.world.url("/public");
    let untaken = secure.h2_client_with(h2::client::Builder::new().initial_window_size(0)).await;
    let (answer, mut ended) = post(&untaken, &url, &[]).await;
    ended.send_data(Bytes::new(), true).unwrap();
    let mut asked_first = app.next().await;
    let mut answering = asked_first.begins(&[]);
    let (_, _, _untaken_body) = answered(answer).await;
    answering.reserve_capacity(1 << 20);
    let mut sent = 0;
    while sent < WINDOW {
        let room = std::future::poll_fn(|context| answering.poll_capacity(context));
        let room = timeout(PATIENCE, room).await.expect("the window").unwrap().unwrap();
        answering.send_data(Bytes::from(vec![b'x'; room]), false).unwrap();
        sent += room;
        answering.reserve_capacity(1 << 20);
    }
    for _ in 0..3 {
        let (answer, mut ended) = post(&client, &url, &[]).await;
        ended.send_data(Bytes::new(), true).unwrap();
        app.next().await.answers("another");
        let (_, _, mut body) = answered(answer).await;
        assert_eq!(text_of(&mut body).await, "another");
    }
    assert_eq!((sent, answering.capacity()), (WINDOW, 0));
    assert_eq!(app.connections(), 1, "all of them shared it");
}

#[tokio::test]
async fn large_bodies_arrive_whole_in_both_directions_from_every_kind_of_client() {
    let app = H2App::start().await;
    app.hands_over();
    let (secure, client) = before(&app, "h2-large").await;
    let url = secure.world.url("/public/large");
    let own = secure.world.authority().to_owned();
    let large: Vec<u8> = (0..3 << 20).map(|at: u32| b'a' + (at % 26) as u8).collect();
    for kind in ["h2", "h1", "h1 chunked"] {
        let echoing = async {
            let mut asked = app.next().await;
            let whole = asked.whole().await;
            let length = whole.len().to_string();
            let told = [("content-length", length.as_str())];
            send_all(&mut asked.begins(&told), whole.into()).await;
        };
        let asking = async {
            if kind == "h2" {
                let (answer, mut saying) = post(&client, &url, &[]).await;
                send_all(&mut saying, large.clone().into()).await;
                let (_, _, mut body) = answered(answer).await;
                let mut came = Vec::new();
                while let Some(piece) = piece(&mut body).await {
                    came.extend_from_slice(&piece);
                }
                return came;
            }
            let mut stream = secure.world.net.connect(&own).await;
            let (length, chunked) = (large.len(), kind == "h1 chunked");
            let framed = match chunked {
                true => "Transfer-Encoding: chunked".to_owned(),
                false => format!("Content-Length: {length}"),
            };
            let head = format!("POST /public HTTP/1.1\r\nHost: {own}\r\n{framed}\r\n\r\n");
            let begun = if chunked { format!("{length:x}\r\n") } else { String::new() };
            let ended = if chunked { "\r\n0\r\n\r\n" } else { "" };
            for part in [head.as_bytes(), begun.as_bytes(), &large, ended.as_bytes()] {
                stream.write_all(part).await.unwrap();
            }
            let answer = read_answer(&mut stream, "POST").await.unwrap();
            assert_eq!(answer.status, 200);
            answer.body.into_bytes()
        };
        let (came, ()) = tokio::join!(asking, echoing);
        assert!(came == large, "{kind}: {} bytes", came.len());
    }
}

#[tokio::test]
async fn each_event_is_seen_before_the_next_is_sent() {
    let app = H2App::start().await;
    app.hands_over();
    let (secure, client) = before(&app, "h2-events").await;
    let own = secure.world.authority().to_owned();

    let (answer, mut ended) = post(&client, &secure.world.url("/public/events"), &[]).await;
    ended.send_data(Bytes::new(), true).unwrap();
    let mut asked = app.next().await;
    let mut events = asked.begins(&[("content-type", "text/event-stream")]);
    let (_, _, mut hearing) = answered(answer).await;
    for event in 0..20 {
        events.send_data(format!("data: {event}\n\n").into(), false).unwrap();
        assert_eq!(piece(&mut hearing).await.unwrap(), format!("data: {event}\n\n"));
    }

    let mut stream = secure.world.net.connect(&own).await;
    let head = format!("GET /public/events HTTP/1.1\r\nHost: {own}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut asked = app.next().await;
    let mut events = asked.begins(&[("content-type", "text/event-stream")]);
    for event in 0..20 {
        events.send_data(format!("data: {event}\n\n").into(), false).unwrap();
        sees(&mut stream, &format!("data: {event}\n\n")).await;
    }
    events.send_data(Bytes::new(), true).unwrap();
    sees(&mut stream, "0\r\n\r\n").await;
}

#[tokio::test]
async fn each_event_of_an_app_of_http_1_is_seen_before_the_next_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let table = format!("[route.open]\nupstream = \"http://{}\"", listener.local_addr().unwrap());
    let secure = Secure::with("h1-events", &table).await;
    let own = secure.world.authority().to_owned();
    let begun = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
        Transfer-Encoding: chunked\r\n\r\n";

    let mut stream = secure.world.net.connect(&own).await;
    let head = format!("GET /public/events HTTP/1.1\r\nHost: {own}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut app = asked_on(&listener).await;
    app.write_all(begun.as_bytes()).await.unwrap();
    for event in 0..20 {
        app.write_all(format!("b\r\ndata: {event:03}\n\n\r\n").as_bytes()).await.unwrap();
        sees(&mut stream, &format!("data: {event:03}\n\n")).await;
    }

    let client = secure.h2_client().await;
    let (answer, mut ended) = post(&client, &secure.world.url("/public/events"), &[]).await;
    ended.send_data(Bytes::new(), true).unwrap();
    let mut app = asked_on(&listener).await;
    app.write_all(begun.as_bytes()).await.unwrap();
    let (_, _, mut hearing) = answered(answer).await;
    for event in 0..20 {
        app.write_all(format!("b\r\ndata: {event:03}\n\n\r\n").as_bytes()).await.unwrap();
        assert_eq!(piece(&mut hearing).await.unwrap(), format!("data: {event:03}\n\n"));
    }
}

/// A connection to an app of HTTP/1.1 on which the head of a request has come.
async fn asked_on(listener: &TcpListener) -> TcpStream {
    let (mut app, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        head.push(timeout(PATIENCE, app.read_u8()).await.unwrap().unwrap());
    }
    app
}

/// Reads until this has come.
async fn sees(stream: &mut impl Stream, wanted: &str) {
    let mut came = Vec::new();
    while !came.windows(wanted.len()).any(|part| part == wanted.as_bytes()) {
        let read = timeout(PATIENCE, read_some(stream, &mut came)).await;
        assert!(read.expect("an event in time") > 0, "{}", came.escape_ascii());
    }
}

#[tokio::test]
async fn requests_share_a_connection_until_it_has_as_many_as_it_may() {
    let app = H2App::start().await;
    app.hands_over();
    let (secure, client) = before(&app, "h2-shared").await;
    let url = secure.world.url("/public");
    let mut waiting = Vec::new();
    for _ in 0..33 {
        let (answer, mut ended) = post(&client, &url, &[]).await;
        ended.send_data(Bytes::new(), true).unwrap();
        waiting.push((answer, app.next().await));
    }
    assert_eq!(app.connections(), 2, "32 on the first");
    for (answer, asked) in waiting {
        asked.answers("the app");
        assert_eq!(answered(answer).await.0, 200);
    }
}

#[tokio::test]
async fn a_look_at_an_app_of_http_2_is_one_of_http_2() {
    let app = H2App::start().await;
    app.hands_over();
    let more = "[upstream.h2]\nhealth_path = \"/health\"\nhealth_host = \"app.example\"\n\
        unhealthy_after = 1\nhealthy_after = 1";
    let mut table: toml::Table = app.behind_all().parse().unwrap();
    crate::world::lay(&mut table, more.parse().unwrap());
    let world = World::tuned(&table.to_string(), |settings| {
        for servers in &mut settings.upstreams {
            let health = Arc::make_mut(servers).health.as_mut().unwrap();
            health.interval = Duration::from_millis(10);
        }
    })
    .await;
    let up = format!("upstream_server_up{{upstream=\"h2\",server=\"http://{}\"}}", app.address);
    for (status, is_up) in [(503, 0), (200, 1)] {
        let look = app.next().await;
        assert_eq!((look.head.method.as_str(), look.head.uri.path()), ("GET", "/health"));
        assert_eq!(look.head.uri.authority().unwrap(), "app.example");
        drop(look.ends(status, &[]));
        until("the look is noted", async || world.metric(&up).await == is_up).await;
    }
}

#[tokio::test]
async fn clients_of_http_1_are_answered_as_by_any_app() {
    let app = H2App::start().await;
    app.hands_over();
    let world = World::with(&app.behind_all()).await;
    let own = world.authority().to_owned();
    let mut stream = world.net.connect(&own).await;
    for (method, status, length) in
        [("GET", 200, None), ("HEAD", 200, Some("7")), ("GET", 204, None), ("GET", 304, None)]
    {
        let head = format!("{method} /public HTTP/1.1\r\nHost: {own}\r\nTE: gzip\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let asked = app.next().await;
        assert_eq!(asked.header("te"), None);
        let told: Vec<_> = length.map(|length| ("content-length", length)).into_iter().collect();
        drop(asked.ends(status, &told));
        let answer = read_answer(&mut stream, method).await.unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (status, ""));
        assert_eq!(answer.header("content-length"), length.unwrap_or_default());
    }
}

#[tokio::test]
async fn naming_a_header_in_connection_takes_none_of_ours_away() {
    let app = H2App::start().await;
    let world = World::with(&app.behind_all()).await;
    let browser = world.signed_in(ASTRID).await;
    let cookie = browser.jar.value("superid-gateway").unwrap();
    app.hands_over();
    let own = world.authority().to_owned();
    let mut stream = world.net.connect(&own).await;
    let named = "keep-alive, X-SuperOffice-User, X-SuperOffice-Context, Authorization, \
                 X-Request-Id, X-Hop";
    let head = format!(
        "GET /x HTTP/1.1\r\nHost: {own}\r\nCookie: superid-gateway={cookie}\r\n\
         Connection: {named}\r\nX-Hop: 1\r\nProxy-Authorization: Basic eA==\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let asked = app.next().await;
    assert_eq!(asked.header("x-superoffice-user"), Some(ASTRID));
    assert_eq!(asked.header("x-superoffice-context"), Some("Cust12345"));
    assert!(asked.header("authorization").unwrap().starts_with("Bearer 8A:"));
    assert_eq!(asked.header("x-forwarded-for"), Some("127.0.0.1"));
    assert!(asked.header("x-request-id").is_some());
    assert_eq!(asked.head.uri.authority().unwrap().as_str(), own);
    for gone in ["x-hop", "connection", "proxy-authorization"] {
        assert_eq!(asked.header(gone), None, "{gone}");
    }
    drop(asked.ends(204, &[]));
    assert_eq!(read_answer(&mut stream, "GET").await.unwrap().status, 204);
    for named in ["Host", "x-forwarded-for", "close, X-Forwarded-Proto", "a b", "\"x-hop\""] {
        let mut stream = world.net.connect(&own).await;
        let head = format!(
            "GET /x HTTP/1.1\r\nHost: {own}\r\nCookie: superid-gateway={cookie}\r\n\
             Connection: {named}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        assert_eq!(read_answer(&mut stream, "GET").await.unwrap().status, 400, "{named}");
    }
}

#[tokio::test]
async fn a_connection_that_names_a_client_carries_one_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let table = format!(
        "[upstream.h2]\nservers = [\"http://{}\"]\nprotocol = \"http/2\"\nproxy_protocol = \"v1\"\n\
         [route.open]\nupstream = \"h2\"",
        listener.local_addr().unwrap()
    );
    let secure = Secure::with("h2-introduced", &table).await;
    let client = secure.h2_client().await;
    let mut kept = Vec::new();
    for _ in 0..2 {
        let (answer, mut ended) = post(&client, &secure.world.url("/public"), &[]).await;
        ended.send_data(Bytes::new(), true).unwrap();
        let (mut app, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.push(timeout(PATIENCE, app.read_u8()).await.unwrap().unwrap());
        }
        assert!(line.starts_with(b"PROXY TCP4 127.0.0.1 "), "{}", line.escape_ascii());
        let mut app = h2::server::handshake(app).await.unwrap();
        let (_, mut respond) = timeout(PATIENCE, app.accept()).await.unwrap().unwrap().unwrap();
        respond.send_response(http::Response::new(()), true).unwrap();
        kept.push(tokio::spawn(async move { while app.accept().await.is_some() {} }));
        assert_eq!(answered(answer).await.0, 200);
    }
}

#[tokio::test]
async fn a_client_without_tls_begins_with_http_2_only_where_it_may() {
    let app = H2App::start().await;
    for h2c in [true, false] {
        let world =
            World::with(&format!("[listener.web]\nh2c = {h2c}\n{}", app.behind_all())).await;
        let stream = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        let served = tokio::spawn(connection);
        if !h2c {
            let ended = timeout(PATIENCE, served).await.expect("an end in time").unwrap();
            assert!(ended.is_err());
            continue;
        }
        let (answer, mut ended) = post(&client, &world.url("/public"), &[]).await;
        ended.send_data(Bytes::new(), true).unwrap();
        let (status, _, mut body) = answered(answer).await;
        assert_eq!((status, text_of(&mut body).await.as_str()), (200, "the app"));
        assert_eq!(world.api().get(&world.url("/public")).await.body, "the app", "and HTTP/1.1");
    }
}

#[tokio::test]
async fn an_upload_may_wait_for_leave_to_be_sent() {
    let app = H2App::start().await;
    app.hands_over();
    let world = World::with(&app.behind_all()).await;
    let own = world.authority().to_owned();
    let mut stream = world.net.connect(&own).await;
    let head = format!(
        "POST /public HTTP/1.1\r\nHost: {own}\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut asked = app.next().await;
    asked.goes_on();
    sees(&mut stream, "HTTP/1.1 100 Continue\r\n").await;
    stream.write_all(b"body").await.unwrap();
    assert_eq!(asked.whole().await, b"body");
    asked.answers("taken");
    let answer = read_answer(&mut stream, "POST").await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "taken"));
}

/// Bytes that one answer may be ahead of its client, and no more.
const WINDOW: usize = 32 << 10;
