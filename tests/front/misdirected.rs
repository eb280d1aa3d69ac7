//! The host that TLS was asked for, against the host a request is for (RFC 9110 §7.4, §15.5.20).

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::h2::frames::{END_STREAM, HEADERS, WHOLE, block, frame};
use crate::h2::secured;
use crate::house::House;

/// TLS is asked for `localhost`; its certificate is for `localhost` and `twin.localhost`.
const HOSTS: [(&str, u16); 7] = [
    ("localhost", 200),
    ("LOCALHOST", 200),
    ("localhost:80", 200),
    // A client may share a connection between hosts of one certificate (RFC 9113 §9.1.1).
    ("twin.localhost", 200),
    ("foreign.example", 421),
    ("FOREIGN.example:443", 421),
    ("nobody.example", 421),
];

#[tokio::test]
async fn a_request_for_another_host_than_tls_named_is_told_421_over_http_2() {
    let house = House::with_tls().await;
    for (host, wanted) in HOSTS {
        assert_eq!(over_h2(&house, host).await, wanted, "{host}");
    }
    let targets = house.upstream.book().whole.len();
    assert_eq!(targets, HOSTS.iter().filter(|(_, status)| *status == 200).count());
}

#[tokio::test]
async fn a_request_for_another_host_than_tls_named_is_told_421_over_http_1() {
    let house = House::with_tls().await;
    for (host, wanted) in HOSTS {
        assert_eq!(over_http1(&house, host).await, wanted, "{host}");
    }
}

#[tokio::test]
async fn a_trusted_proxy_may_name_what_it_likes() {
    let house = House::limited("[forwarded]\ntrusted_proxies = [\"127.0.0.1\"]\n").await;
    assert_eq!(over_h2(&house, "foreign.example").await, 200);
    assert_eq!(over_http1(&house, "foreign.example").await, 200);
    assert_eq!(over_http1(&house, "nobody.example").await, 421, "no host of ours all the same");
}

#[tokio::test]
async fn where_there_is_no_tls_there_is_nothing_to_differ_from() {
    let house = House::open().await;
    let mut client = house.connect().await;
    client.send("GET /x HTTP/1.1\r\nHost: foreign.example\r\n\r\n").await;
    assert_eq!(client.answer().await.unwrap().status, 200);
}

async fn over_h2(house: &House, host: &str) -> u16 {
    let mut talker = house.talk().await;
    talker.greet(&[]).await;
    let fields = [(":method", "GET"), (":scheme", "https"), (":authority", host), (":path", "/x")];
    talker.say(frame(HEADERS, WHOLE, 1, block(&fields))).await;
    loop {
        let heard = talker.hear().await.expect("an answer");
        if heard.kind == HEADERS {
            assert_eq!(heard.flags & END_STREAM, 0, "an answer of ours has a body");
            return heard.status();
        }
    }
}

async fn over_http1(house: &House, host: &str) -> u16 {
    let mut stream = secured(house.address, house.certificate(), b"http/1.1").await;
    let request = format!("GET /x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _cut = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap().parse().unwrap()
}
