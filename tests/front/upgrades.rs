//! When a connection becomes a tunnel, and when it does not.

use std::sync::Arc;

use crate::conversations::get;
use crate::house::House;

#[tokio::test]
async fn a_written_101_makes_a_tunnel() {
    let house = House::open().await;
    let mut client = house.connect().await;
    client.send(upgrade("/tunnel", "websocket")).await;
    assert_eq!(client.answer().await.unwrap().status, 101);
    for piece in ["hello", "\r\nnot HTTP\n\0at all"] {
        client.send(piece).await;
        assert_eq!(client.raw(piece.len()).await, piece.as_bytes());
    }
    house.upstream.heard_nothing_ambiguous();
}

#[tokio::test]
async fn what_is_sent_before_the_101_waits_for_it() {
    let house = House::open().await;
    let mut client = house.connect().await;
    client.send(upgrade("/tunnel", "websocket") + "early bytes").await;
    assert_eq!(client.answer().await.unwrap().status, 101);
    assert_eq!(client.raw(11).await, b"early bytes");
}

#[tokio::test]
async fn an_upgrade_the_app_declines_leaves_a_connection_of_requests() {
    let house = House::open().await;
    for protocol in ["websocket", "h2c", "nonsense"] {
        let mut client = house.connect().await;
        client.send(upgrade("/x", protocol) + &get("/2")).await;
        assert_eq!(client.answer().await.unwrap().body, "GET /x ");
        assert_eq!(client.answer().await.unwrap().body, "GET /2 ");
        client.send(upgrade("/x", protocol) + "rubbish\r\n\r\n").await;
        assert_eq!(client.answer().await.unwrap().body, "GET /x ");
        assert_eq!(client.answer().await.unwrap().status, 400);
        assert!(client.is_closed().await);
    }
    house.upstream.heard_nothing_ambiguous();
}

#[tokio::test]
async fn a_body_beside_an_upgrade_is_a_body() {
    let house = House::open().await;
    let hidden = get("/hidden");
    let whole = format!("Content-Length: {}\r\n\r\n{hidden}", hidden.len());
    let chunked =
        format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len());
    for (protocol, body) in ["websocket", "h2c", "nonsense"]
        .into_iter()
        .flat_map(|protocol| [(protocol, &whole), (protocol, &chunked)])
    {
        let mut client = house.connect().await;
        let post = upgrade("/x", protocol).replace("GET", "POST");
        let head = post.strip_suffix("\r\n").unwrap();
        client.send(format!("{head}{body}{}", get("/2"))).await;
        assert_eq!(client.answer().await.unwrap().body, format!("POST /x {hidden}"), "{protocol}");
        assert_eq!(client.answer().await.unwrap().body, "GET /2 ", "{protocol}");
    }
    let book = house.upstream.book();
    assert!(book.whole.iter().all(|request| request.target != "/hidden"), "{book:#?}");
    house.upstream.heard_nothing_ambiguous();
}

#[tokio::test]
async fn a_101_nobody_asked_for_makes_no_tunnel() {
    let house = House::open().await;
    for raw in [get("/101"), upgrade("/101", "h2c")] {
        let mut client = house.connect().await;
        client.send(&raw).await;
        let status = client.answer().await.map_or(0, |answer| answer.status);
        client.send("into the tunnel").await;
        assert!(client.is_closed().await, "after {status}");
    }
}

#[tokio::test]
async fn upgrades_are_not_torn_down() {
    let house = Arc::new(House::open().await);
    let crowds = (0..20).map(|_| {
        let house = house.clone();
        tokio::spawn(async move {
            let mut torn = 0;
            for _ in 0..100 {
                torn += usize::from(!is_tunnel(&house).await);
            }
            torn
        })
    });
    let mut torn = 0;
    for crowd in crowds.collect::<Vec<_>>() {
        torn += crowd.await.unwrap();
    }
    println!("{torn} of 2,000 upgrades were torn down");
    assert_eq!(torn, 0);
}

/// pingora closes a tunnel whose 101 it reads before it has noticed that the request has no body
/// (its issue 946). Here the 101 is always there first.
#[tokio::test]
async fn an_app_that_answers_before_it_is_asked_has_its_tunnel_all_the_same() {
    let house = House::open().await;
    house.upstream.is_eager();
    let mut torn = 0;
    for _ in 0..50 {
        torn += usize::from(!is_tunnel(&house).await);
    }
    assert_eq!(torn, 0, "of 50");
}

async fn is_tunnel(house: &House) -> bool {
    let mut client = house.connect().await;
    client.send(upgrade("/tunnel", "websocket")).await;
    let status = client.answer().await.map_or(0, |answer| answer.status);
    client.send("ping").await;
    status == 101 && client.raw(4).await == b"ping"
}

fn upgrade(target: &str, protocol: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}
