//! Every raw case of the table, each on a connection of its own.

use crate::house::House;
use crate::table::{
    CHUNKED, FIELDS, FRAMING, Fate, HOSTS, REQUEST_LINES, SEVERAL, TARGETS, UNFINISHED, bytes,
};

#[tokio::test]
async fn request_lines() {
    all_go_as_the_table_says(REQUEST_LINES, "").await;
}

#[tokio::test]
async fn targets() {
    all_go_as_the_table_says(TARGETS, "").await;
}

#[tokio::test]
async fn hosts() {
    all_go_as_the_table_says(HOSTS, "").await;
}

#[tokio::test]
async fn fields() {
    all_go_as_the_table_says(FIELDS, "").await;
}

#[tokio::test]
async fn framing() {
    all_go_as_the_table_says(FRAMING, "").await;
}

#[tokio::test]
async fn chunked_bodies() {
    let head = "POST / HTTP/1.1↵Host: localhost↵Transfer-Encoding: chunked↵↵";
    all_go_as_the_table_says(CHUNKED, head).await;
}

#[tokio::test]
async fn several_messages_in_one_packet() {
    all_go_as_the_table_says(SEVERAL, "").await;
}

#[tokio::test]
async fn messages_that_are_never_finished() {
    all_go_as_the_table_says(UNFINISHED, "").await;
}

#[tokio::test]
async fn sizes_have_bounds() {
    let house = House::open().await;
    let long = |count: usize| "x".repeat(count);
    let lines = |count: usize| "X: y\r\n".repeat(count);
    let host = "Host: localhost\r\n";
    let cases = [
        (format!("GET /{} HTTP/1.1\r\n{host}\r\n", long(8_000)), Fate::Yes(1)),
        (format!("GET /{} HTTP/1.1\r\n{host}\r\n", long(8_192)), Fate::No(414)),
        (format!("GET /{}", long(20_000)), Fate::No(414)),
        (format!("{} / HTTP/1.1\r\n{host}\r\n", "A".repeat(300)), Fate::No(400)),
        (format!("GET / HTTP/1.1\r\n{host}X: {}\r\n\r\n", long(30_000)), Fate::Yes(1)),
        (format!("GET / HTTP/1.1\r\n{host}X: {}\r\n\r\n", long(33_000)), Fate::No(431)),
        (format!("GET / HTTP/1.1\r\n{host}X: {}", long(70_000)), Fate::No(431)),
        (format!("GET / HTTP/1.1\r\n{host}Cookie: {}\r\n\r\n", long(25_000)), Fate::No(431)),
        (format!("GET / HTTP/1.1\r\n{host}{}\r\n", lines(99)), Fate::Yes(1)),
        (format!("GET / HTTP/1.1\r\n{host}{}\r\n", lines(100)), Fate::No(431)),
        (format!("GET / HTTP/1.1\r\n{host}{}\r\n", lines(2_000)), Fate::No(431)),
    ];
    let mut wrong = Vec::new();
    for (text, fate) in cases {
        wrong.extend(judged(&house, text.as_bytes(), fate, &text[..40]).await);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// All cases are printed that go otherwise, not only the first.
async fn all_go_as_the_table_says(cases: &[(&str, Fate)], before: &str) {
    let house = House::open().await;
    let mut wrong = Vec::new();
    for (text, fate) in cases {
        let raw = bytes(&format!("{before}{text}"));
        wrong.extend(judged(&house, &raw, *fate, text).await);
    }
    house.upstream.heard_nothing_ambiguous();
    println!("{} raw cases", cases.len());
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), cases.len());
}

async fn judged(house: &House, raw: &[u8], fate: Fate, name: &str) -> Option<String> {
    let before = house.upstream.book();
    let mut client = house.connect().await;
    client.send(raw).await;
    let mut statuses = Vec::new();
    let wanted = match fate {
        Fate::No(_) => 1,
        Fate::Yes(count) => count,
    };
    let mut good = 0;
    while good < wanted {
        let Some(answer) = client.answer().await else { break };
        statuses.push(answer.status);
        good += usize::from(answer.status == 200 || matches!(fate, Fate::No(_)));
    }
    let after = house.upstream.book();
    let (begun, whole) = (after.begun - before.begun, after.whole.len() - before.whole.len());
    let went_well = match fate {
        Fate::No(status) => statuses == [status] && begun == 0,
        Fate::Yes(count) => good == count && whole == count,
    };
    let found = format!("{name:?}: {statuses:?}, {begun} begun and {whole} whole, not {fate:?}");
    (!went_well).then_some(found)
}
