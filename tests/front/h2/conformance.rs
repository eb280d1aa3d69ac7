//! The table, row by row, before an app that keeps every byte.

use std::time::Duration;

use superid_gateway::telemetry::AccessLog;
use tokio::time::timeout;

use crate::conversations::Output;
use crate::house::House;

use super::frames::*;
use super::verdict::{Case, PROTOCOL};
use super::{framing, hpack, messages, states};

#[tokio::test]
async fn http_2_is_spoken_by_its_rules_and_nothing_wrong_reaches_the_app() {
    let house = House::with_tls().await;
    let cases: Vec<Case> = [framing::cases(), states::cases(), messages::cases(), hpack::cases()]
        .into_iter()
        .flatten()
        .collect();
    let mut broken = Vec::new();
    for case in &cases {
        let mut talker = house.talk().await;
        talker.greet(&[]).await;
        let played = timeout(PATIENCE, case.play(&mut talker)).await;
        if let Err(came) = played.unwrap_or_else(|_| Err("nothing came".to_owned())) {
            broken
                .push(format!("{} {}: {came}, wanted {:?}", case.section, case.what, case.wanted));
        }
    }
    println!("{} of {} hold", cases.len() - broken.len(), cases.len());
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(cases.len() >= 130, "only {} rows", cases.len());
    house.upstream.heard_nothing_ambiguous();
    let book = house.upstream.book();
    let bad: Vec<_> = book.whole.iter().filter(|request| request.target.contains("bad")).collect();
    assert!(bad.is_empty(), "{bad:#?}");
}

#[tokio::test]
async fn what_is_not_a_preface_is_no_connection() {
    let house = House::with_tls().await;
    let first = [
        b"INVALID CONNECTION PREFACE\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        [PREFACE, &ping([0; 8])].concat(),
        [PREFACE, &get(1, "/bad")].concat(),
    ];
    for bytes in first {
        let mut talker = house.talk().await;
        talker.say(&bytes).await;
        let code = talker.ending().await;
        assert!(matches!(code, None | Some(PROTOCOL)), "{code:?} for {}", bytes.escape_ascii());
    }
    assert_eq!(house.upstream.book().begun, 0);
}

#[tokio::test]
async fn pings_come_back_with_what_they_brought() {
    let house = House::with_tls().await;
    let mut talker = house.talk().await;
    talker.greet(&[]).await;
    talker.say(ping(*b"12345678")).await;
    let heard = talker.hear().await.unwrap();
    assert_eq!((heard.kind, heard.flags, &heard.payload[..]), (PING, ACK, &b"12345678"[..]));
}

#[tokio::test]
async fn an_error_of_the_connection_names_the_last_stream_and_closes() {
    let house = House::with_tls().await;
    let mut talker = house.talk().await;
    talker.greet(&[]).await;
    talker.say(all(&[get(1, "/held"), get(3, "/held"), frame(PING, 0, 1, [0; 8])])).await;
    let heard = loop {
        let heard = talker.hear().await.expect("GOAWAY before the end");
        if heard.kind == GOAWAY {
            break heard;
        }
    };
    assert_eq!((heard.code(), &heard.payload[..4]), (PROTOCOL, &[0, 0, 0, 3][..]));
    while talker.hear().await.is_some() {}
}

#[tokio::test]
async fn windows_are_kept_to_the_byte() {
    let house = House::with_tls().await;
    let mut talker = house.talk().await;
    talker.greet(&[(4, 1)]).await;
    talker.say(get(1, "/windows")).await;
    let wanted = "GET /windows ".as_bytes();
    let mut body: Vec<u8> = Vec::new();
    while body.len() < wanted.len() {
        let heard = talker.hear().await.unwrap();
        if heard.kind == DATA {
            assert!(heard.payload.len() <= 1, "{heard:?}");
            body.extend(&heard.payload);
            talker.say(window(1, 1)).await;
        }
    }
    assert_eq!(body, wanted);
}

#[tokio::test]
async fn crumbs_of_a_cookie_are_joined_before_the_app_hears_them() {
    let house = House::with_tls().await;
    let mut talker = house.talk().await;
    talker.greet(&[]).await;
    let crumbs = [("cookie", "a=1"), ("x", "y"), ("cookie", "b=2; c=3"), ("cookie", "d=4")];
    talker.say(frame(HEADERS, WHOLE, 1, request("GET", "/crumbs", &crumbs))).await;
    house.upstream.until(|book| book.whole.len() == 1).await;
    let request = &house.upstream.book().whole[0];
    let cookies: Vec<_> = request
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("cookie"))
        .map(|(_, value)| String::from_utf8_lossy(value))
        .collect();
    assert_eq!(cookies, ["a=1; b=2; c=3; d=4"]);
}

/// Below requests there is no page to say so; metrics and log do.
#[tokio::test]
async fn what_is_refused_below_a_request_is_counted_and_logged_each_time() {
    let output = Output::default();
    let (log, writer) = AccessLog::to(output.clone());
    let house = House::secured("h2_control_frames = 100", Some(log)).await;
    let named = [(":method", "GET"), (":scheme", "https"), (":path", "/bad")];
    let unreadable = block(&[&named[..], &[(":authority", "me@localhost")]].concat());
    let upper = request("GET", "/bad", &[("X-Upper", "a")]);
    let long = "x".repeat(7_000);
    let large = request("GET", "/bad", &["a", "b", "c", "d", "e"].map(|name| (name, &*long)));
    let (first, rest) = large.split_at(16_000);
    let (second, third) = rest.split_at(16_000);
    let large = all(&[
        frame(HEADERS, END_STREAM, 1, first),
        frame(CONTINUATION, 0, 1, second),
        frame(CONTINUATION, END_HEADERS, 1, third),
    ]);
    let connect = block(&[(":method", "CONNECT"), (":authority", "localhost:443")]);
    for (what, said, reason) in [
        ("an authority that is none", frame(HEADERS, WHOLE, 1, unreadable), "malformed"),
        ("a stream that is reset", frame(HEADERS, WHOLE, 1, upper), "malformed"),
        ("a connection that ends", frame(PING, 0, 1, [0; 8]), "malformed"),
        ("a header that is too large", large, "header_too_large"),
        ("too many frames", ping([0; 8]).repeat(101), "too_many_frames"),
        ("half a header", frame(HEADERS, END_STREAM, 1, b""), "too_slow"),
        ("CONNECT", frame(HEADERS, WHOLE, 1, connect), "method"),
    ] {
        let name = format!("refusals_total{{reason=\"{reason}\"}}");
        let before = house.told(&name).await;
        let mut talker = house.talk().await;
        talker.greet(&[]).await;
        talker.say(said).await;
        house.tells(&name, before + 1).await;
        drop(talker);
        assert_eq!(house.told(&name).await, before + 1, "{what}");
    }
    assert_eq!(house.upstream.book().begun, 0);
    drop((house, writer));
    let lines = output.lines();
    let refused: Vec<_> = lines.iter().filter(|line| line["message"] == "refused").collect();
    let statuses: Vec<_> = refused.iter().map(|line| line["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [400, 400, 400, 431, 429, 408], "{lines:#?}");
    assert!(refused.iter().all(|line| line["client"] == "127.0.0.1"));
}

/// The library cuts a fragment and drops what it does not know in trailers, before anybody looks:
/// not what RFC 9113 §8.3 asks for, but there is one reading for everybody.
#[tokio::test]
async fn what_the_library_lets_through_does_not_reach_the_app() {
    let house = House::with_tls().await;
    let mut talker = house.talk().await;
    talker.greet(&[]).await;
    talker.say(get(1, "/x#/public")).await;
    house.upstream.until(|book| book.whole.len() == 1).await;
    let trailers = block(&[(":path", "/other"), ("x-late", "1")]);
    let body = frame(DATA, 0, 3, b"x");
    talker.say(all(&[post(3, "/y"), body, frame(HEADERS, WHOLE, 3, trailers)])).await;
    house.upstream.until(|book| book.whole.len() == 2).await;
    let book = house.upstream.book();
    let targets: Vec<_> = book.whole.iter().map(|request| request.target.as_str()).collect();
    assert_eq!(targets, ["/x", "/y"]);
    assert!(!format!("{book:?}").contains("x-late"), "{book:#?}");
    house.upstream.heard_nothing_ambiguous();
}

/// pingora sends a last chunk for an empty last piece, and the last chunk after it.
#[tokio::test]
async fn a_body_that_ends_in_an_empty_frame_ends_once_and_the_next_request_is_whole() {
    let house = House::with_tls().await;
    for ending in [frame(DATA, END_STREAM, 1, b""), frame(DATA, PADDED | END_STREAM, 1, [2, 0, 0])]
    {
        for beginning in [vec![], frame(DATA, 0, 1, b"body")] {
            let mut talker = house.talk().await;
            talker.greet(&[]).await;
            talker.say(all(&[post(1, "/x"), beginning, ending.clone(), get(3, "/next")])).await;
            let mut answers = 0;
            while answers < 2 {
                let heard = talker.hear().await.unwrap();
                answers += usize::from(heard.kind == DATA && heard.flags & END_STREAM != 0);
            }
        }
    }
    house.upstream.heard_nothing_ambiguous();
    assert_eq!(house.upstream.book().whole.len(), 8);
}

/// How long a row may take that should take none.
const PATIENCE: Duration = Duration::from_secs(3);
