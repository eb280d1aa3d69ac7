//! What a connection does over several messages, and when one of them breaks.

use std::io::Write;
use std::sync::{Arc, Mutex};

use superid_gateway::telemetry::AccessLog;

use crate::house::House;

#[tokio::test]
async fn requests_sent_ahead_wait_for_their_turn_and_are_answered_in_order() {
    let house = House::open().await;
    let mut client = house.connect().await;
    client.send(get("/held")).await;
    house.upstream.until(|book| book.whole.len() == 1).await;
    client.send(get("/2")).await;
    client.send(get("/3")).await;
    let mut other = house.connect().await;
    other.send(get("/other")).await;
    assert_eq!(other.answer().await.unwrap().body, "GET /other ");
    assert_eq!(house.upstream.book().whole.len(), 2, "nothing overtakes the first");
    house.upstream.release();
    for target in ["/held", "/2", "/3"] {
        assert_eq!(client.answer().await.unwrap().body, format!("GET {target} "));
    }
}

#[tokio::test]
async fn a_connection_serves_request_after_request() {
    let house = House::open().await;
    let mut client = house.connect().await;
    for number in 0..50 {
        client.send(get(&format!("/{number}"))).await;
        let answer = client.answer().await.unwrap();
        assert_eq!((answer.status, answer.body), (200, format!("GET /{number} ")));
    }
}

#[tokio::test]
async fn a_client_of_1_0_that_did_not_ask_for_more_is_closed_after_its_answer() {
    let house = House::open().await;
    let mut client = house.connect().await;
    client.send("GET /x HTTP/1.0\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(client.answer().await.unwrap().status, 200);
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn after_an_early_answer_the_rest_of_the_body_is_never_a_request() {
    let house = House::open().await;
    // The app answers the first before its body; the others are the site's own no.
    for target in ["/early", "/a//b", "/%"] {
        let mut client = house.connect().await;
        let hidden = get("/hidden");
        let length = hidden.len() + 10;
        let head = format!("POST {target} HTTP/1.1\r\nHost: localhost\r\n");
        client.send(format!("{head}Content-Length: {length}\r\n\r\n")).await;
        assert!(client.answer().await.is_some(), "{target}");
        client.send(&hidden).await;
        client.send(get("/behind")).await;
        assert!(client.is_closed().await, "{target}");
    }
    let book = house.upstream.book();
    let asked = |wanted: &str| book.whole.iter().any(|request| request.target == wanted);
    assert!(!asked("/hidden") && !asked("/behind"), "{book:#?}");
    house.upstream.heard_nothing_ambiguous();
}

#[tokio::test]
async fn an_app_that_answers_early_still_gets_the_whole_body() {
    let house = House::open().await;
    let body = "x".repeat(100_000);
    for length in [format!("Content-Length: {}", body.len()), "Transfer-Encoding: chunked".into()] {
        let mut client = house.connect().await;
        client.send(format!("POST /early HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n")).await;
        assert_eq!(client.answer().await.unwrap().body, "early");
        match length.starts_with('C') {
            true => client.send(&body).await,
            false => client.send(format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())).await,
        }
        house.upstream.until(|book| !book.whole.is_empty()).await;
        let heard = house.upstream.take_whole();
        assert_eq!(heard[0].body, body.as_bytes(), "{length}");
        // What the app says once more, unasked, is nobody's answer.
        let mut other = house.connect().await;
        other.send(get("/next")).await;
        assert_eq!(other.answer().await.unwrap().body, "GET /next ", "{length}");
        assert_eq!(house.upstream.take_whole().len(), 1);
    }
    house.upstream.heard_nothing_ambiguous();
}

#[tokio::test]
async fn who_waits_to_be_asked_for_a_body_is_let_go_with_an_early_answer() {
    let house = House::open().await;
    let mut client = house.connect().await;
    let head = "POST /early HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n";
    client.send(format!("{head}Expect: 100-continue\r\n\r\n")).await;
    assert_eq!(client.answer().await.unwrap().body, "early");
    house.upstream.until(|book| book.cut == 1).await;
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_body_that_breaks_midway_aborts_the_apps_request_and_is_answered() {
    let house = House::open().await;
    let endings = ["XX\r\n0\r\n\r\n", "\r\n5\n", "\r\n0\r\nX: y\r\n\r\n", "\r\n-1\r\n"];
    for (number, ending) in endings.into_iter().enumerate() {
        let mut client = house.connect().await;
        let head = "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
        client.send(format!("{head}5\r\nhello")).await;
        house.upstream.until(|book| book.begun == number + 1).await;
        client.send(ending).await;
        assert_eq!(client.answer().await.unwrap().status, 400, "{ending:?}");
        assert!(client.is_closed().await);
        house.upstream.until(|book| book.cut == number + 1).await;
    }
    assert!(house.upstream.book().whole.is_empty());
    house.upstream.heard_nothing_ambiguous();
}

#[tokio::test]
async fn a_body_cut_short_is_no_body() {
    let house = House::open().await;
    let framings =
        ["Content-Length: 9\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello"];
    for (number, framing) in framings.into_iter().enumerate() {
        let mut client = house.connect().await;
        client.send(format!("POST /x HTTP/1.1\r\nHost: localhost\r\n{framing}")).await;
        house.upstream.until(|book| book.begun == number + 1).await;
        drop(client);
        house.upstream.until(|book| book.cut == number + 1).await;
    }
    assert!(house.upstream.book().whole.is_empty());
    house.upstream.heard_nothing_ambiguous();
}

#[tokio::test]
async fn a_body_that_stops_coming_is_answered_408_and_the_app_is_let_go() {
    let house = House::open().await;
    let mut client = house.connect().await;
    client.send("POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhello").await;
    assert_eq!(client.answer().await.unwrap().status, 408);
    assert!(client.is_closed().await);
    house.upstream.until(|book| book.cut == 1).await;
}

#[tokio::test]
async fn a_client_that_goes_on_sending_can_still_read_why_it_was_refused() {
    let house = House::open().await;
    let mut client = house.connect().await;
    client.send("GET / HTTP/1.1\nHost: localhost\r\n\r\n").await;
    client.send(vec![b'x'; 1 << 20]).await;
    let answer = client.answer().await.unwrap();
    assert_eq!(answer.status, 400);
    assert_eq!(answer.body, "a line ends in CR LF; neither byte stands alone\n");
    assert!(answer.head.contains("Connection: close\r\n"));
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn large_bodies_pass_byte_for_byte() {
    let house = House::open().await;
    let body: String = (0..300_000).map(|number| char::from(b'a' + (number % 23) as u8)).collect();
    let mut client = house.connect().await;
    client
        .send(format!(
            "POST /l HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
            body.len()
        ))
        .await;
    client.send(&body).await;
    assert_eq!(client.answer().await.unwrap().body, format!("POST /l {body}"));
    client.send("POST /c HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    for piece in body.as_bytes().chunks(7_001) {
        client.send(format!("{:x};n=1\r\n", piece.len())).await;
        client.send(piece).await;
        client.send("\r\n").await;
    }
    client.send("0\r\n\r\n").await;
    assert_eq!(client.answer().await.unwrap().body, format!("POST /c {body}"));
    house.upstream.heard_nothing_ambiguous();
}

#[tokio::test]
async fn a_tls_hello_that_does_not_come_is_not_awaited_for_ever() {
    let house = House::with_tls().await;
    // Nothing; the beginning of a hello.
    for hello in [&b""[..], &b"\x16\x03\x01\x02\x00\x01\x00"[..]] {
        let mut client = house.connect().await;
        client.send(hello).await;
        assert!(client.is_closed().await);
    }
}

#[tokio::test]
async fn a_refused_message_has_its_line_in_the_log() {
    let output = Output::default();
    let (log, writer) = AccessLog::to(output.clone());
    let house = House::with(Some(log)).await;
    let mut client = house.connect().await;
    client.send("GET / HTTP/1.1\r\nHost : localhost\r\n\r\n").await;
    assert_eq!(client.answer().await.unwrap().status, 400);
    assert!(client.is_closed().await);
    drop(writer);
    let line = &output.lines()[0];
    assert_eq!(line["message"], "refused");
    assert_eq!(line["client"], "127.0.0.1");
    assert_eq!(line["status"], 400);
    assert!(line["detail"].as_str().unwrap().starts_with("a header name is a token"));
}

pub fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// What was written of a log.
#[derive(Clone, Default)]
pub struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    /// Its lines so far.
    pub fn lines(&self) -> Vec<serde_json::Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
