//! Clients that dawdle, one by one, with a clock that is turned: nobody waits for ever.

use std::time::Duration;

use superid_gateway::server::{Fault, Guard, Opening, Terms, WayBack};
use superid_gateway::telemetry::Limit;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::{Instant, sleep, timeout};

#[tokio::test(start_paused = true)]
async fn a_header_that_drips_is_refused_after_ten_seconds_in_all() {
    let (mut client, mut guard, way_back) = connected(64);
    let dripping = async {
        for byte in HEAD.as_bytes() {
            client.write_all(&[*byte]).await.unwrap();
            sleep(seconds(1)).await;
        }
    };
    let began = Instant::now();
    tokio::select! {
        opening = guard.next_message() => {
            assert_eq!(opening, Opening::Refused(Fault::HeaderTooSlow));
        }
        () = dripping => panic!("the whole header was awaited"),
    }
    assert_eq!(began.elapsed(), seconds(10));
    drop(guard);
    let (told, ()) = tokio::join!(rest(client), way_back.take().unwrap().end());
    assert!(told.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_header_begins_with_its_first_byte() {
    let (mut client, mut guard, _way_back) = connected(4096);
    client.write_all(HEAD.as_bytes()).await.unwrap();
    assert_eq!(guard.next_message().await, Opening::Message);
    read(&mut guard, HEAD.len()).await;
    let late = async {
        sleep(seconds(55)).await;
        client.write_all(&HEAD.as_bytes()[..20]).await.unwrap();
        sleep(seconds(9)).await;
        client.write_all(&HEAD.as_bytes()[20..]).await.unwrap();
    };
    let (opening, ()) = tokio::join!(guard.next_message(), late);
    assert_eq!(opening, Opening::Message);
}

#[tokio::test(start_paused = true)]
async fn the_time_of_the_first_header_begins_with_its_connection() {
    let (mut client, mut guard, _way_back) = connected(4096);
    let late = async {
        sleep(seconds(9)).await;
        client.write_all(&HEAD.as_bytes()[..20]).await.unwrap();
    };
    let began = Instant::now();
    let (opening, ()) = tokio::join!(guard.next_message(), late);
    assert_eq!(opening, Opening::Refused(Fault::HeaderTooSlow));
    assert_eq!(began.elapsed(), seconds(10));
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_closed_without_a_word() {
    for sent in ["", "\r\n", "\r"] {
        let (mut client, mut guard, way_back) = connected(64);
        client.write_all(sent.as_bytes()).await.unwrap();
        let began = Instant::now();
        assert_eq!(guard.next_message().await, Opening::Closed);
        assert_eq!(began.elapsed(), seconds(10), "{sent:?}");
        drop(guard);
        let parted = way_back.take().unwrap();
        assert_eq!(parted.limit(), Some(Limit::HeaderTimeout));
        let (told, ()) = tokio::join!(rest(client), parted.end());
        assert_eq!(told, "");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_idle_after_its_answer_is_closed() {
    let (mut client, mut guard, way_back) = connected(4096);
    for _ in 0..3 {
        client.write_all(HEAD.as_bytes()).await.unwrap();
        assert_eq!(guard.next_message().await, Opening::Message);
        read(&mut guard, HEAD.len()).await;
        sleep(seconds(40)).await;
    }
    let began = Instant::now();
    assert_eq!(guard.next_message().await, Opening::Closed);
    assert_eq!(began.elapsed(), seconds(60));
    drop(guard);
    assert_eq!(way_back.take().unwrap().limit(), Some(Limit::IdleTimeout));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stops_is_given_up_after_the_grace() {
    for framing in ["Content-Length: 100\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc"]
    {
        let (mut client, mut guard, way_back) = connected(4096);
        let whole = post(framing);
        client.write_all(whole.as_bytes()).await.unwrap();
        assert_eq!(guard.next_message().await, Opening::Message);
        read(&mut guard, whole.len()).await;
        let began = Instant::now();
        let error = guard.read(&mut [0; 10]).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed(), seconds(10));
        drop(guard);
        assert_eq!(way_back.take().unwrap().fault(), Some(Fault::BodyTooSlow));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_drips_is_given_up_soon_after_the_grace() {
    let (client, mut guard, way_back) = connected(4096);
    let began = Instant::now();
    let received = drip(client, &mut guard, 1, seconds(1)).await;
    assert!((9..=11).contains(&received), "{received}");
    assert!(began.elapsed() <= seconds(11), "{:?}", began.elapsed());
    drop(guard);
    assert_eq!(way_back.take().unwrap().fault(), Some(Fault::BodyTooSlow));
}

#[tokio::test(start_paused = true)]
async fn a_body_under_the_rate_ends_later_and_one_above_it_passes() {
    let (client, mut guard, _way_back) = connected(4096);
    let received = drip(client, &mut guard, 250, seconds(1)).await;
    // Half the rate uses the ten seconds up in twenty.
    assert!((18 * 250..=22 * 250).contains(&received), "{received}");
    let (client, mut guard, _way_back) = connected(4096);
    let received = drip(client, &mut guard, 600, seconds(1)).await;
    assert_eq!(received, 100_000);
}

#[tokio::test(start_paused = true)]
async fn speed_before_earns_no_long_pause_after() {
    let (mut client, mut guard, _way_back) = connected(1 << 20);
    client.write_all(post("Content-Length: 900000\r\n\r\n").as_bytes()).await.unwrap();
    client.write_all(&vec![b'x'; 800_000]).await.unwrap();
    assert_eq!(guard.next_message().await, Opening::Message);
    let began = Instant::now();
    while guard.read(&mut [0; 4096]).await.is_ok() {}
    assert_eq!(began.elapsed(), seconds(10));
}

#[tokio::test(start_paused = true)]
async fn an_app_that_takes_its_time_costs_the_client_nothing() {
    let (mut client, mut guard, _way_back) = connected(4096);
    client.write_all(post("Content-Length: 6\r\n\r\nabc").as_bytes()).await.unwrap();
    assert_eq!(guard.next_message().await, Opening::Message);
    read(&mut guard, post("Content-Length: 6\r\n\r\nabc").len()).await;
    sleep(seconds(300)).await;
    client.write_all(b"def").await.unwrap();
    read(&mut guard, 3).await;
    // The message is whole: from here on only the app is waited for.
    assert!(timeout(seconds(3_600), guard.read(&mut [0; 10])).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_was_not_told_to_continue_is_not_too_slow() {
    let (mut client, mut guard, _way_back) = connected(4096);
    let head = post("Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(guard.next_message().await, Opening::Message);
    read(&mut guard, head.len()).await;
    assert!(timeout(seconds(50), guard.read(&mut [0; 10])).await.is_err());
    guard.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
    let began = Instant::now();
    assert!(guard.read(&mut [0; 10]).await.is_err());
    assert_eq!(began.elapsed(), seconds(10));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_is_given_up() {
    let (mut client, mut guard, way_back) = connected(1024);
    client.write_all(HEAD.as_bytes()).await.unwrap();
    assert_eq!(guard.next_message().await, Opening::Message);
    read(&mut guard, HEAD.len()).await;
    let began = Instant::now();
    let error = guard.write_all(&vec![b'x'; 100_000]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    assert_eq!(began.elapsed(), seconds(30));
    drop(guard);
    let parted = way_back.take().unwrap();
    assert_eq!(parted.limit(), Some(Limit::WriteTimeout));
    parted.end().await;
    assert_eq!(began.elapsed(), seconds(30), "who reads nothing has nothing to wait for");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_slowly_but_surely_gets_it_all() {
    let (mut client, mut guard, _way_back) = connected(1024);
    client.write_all(HEAD.as_bytes()).await.unwrap();
    assert_eq!(guard.next_message().await, Opening::Message);
    read(&mut guard, HEAD.len()).await;
    let answer = vec![b'x'; 20_000];
    let writing = async {
        guard.write_all(&answer).await.unwrap();
        guard.flush().await.unwrap();
    };
    let reading = async {
        let mut taken = 0;
        while taken < answer.len() {
            sleep(seconds(20)).await;
            taken += client.read(&mut [0; 1024]).await.unwrap();
        }
    };
    tokio::join!(writing, reading);
}

#[tokio::test(start_paused = true)]
async fn who_was_refused_and_neither_reads_nor_leaves_is_dropped() {
    for room in [16, 4096] {
        let (mut client, mut guard, way_back) = connected(room);
        let sending = client.write_all(b"GET / HTTP/1.1\nHost: localhost\r\n\r\n");
        let _blocked = tokio::join!(timeout(seconds(1), sending), async {
            assert_eq!(guard.next_message().await, Opening::Refused(Fault::LineEnd));
        });
        drop(guard);
        let began = Instant::now();
        way_back.take().unwrap().end().await;
        assert!(began.elapsed() <= seconds(5), "{:?}", began.elapsed());
        drop(client);
    }
}

/// Sends a body in equal pieces, a pause after each; says how much of it was handed out.
async fn drip(
    mut client: DuplexStream,
    guard: &mut Guard<DuplexStream>,
    piece: usize,
    pause: Duration,
) -> usize {
    let head = post("Content-Length: 100000\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(guard.next_message().await, Opening::Message);
    read(guard, head.len()).await;
    let dripping = async {
        let mut left = 100_000;
        while left > 0 {
            sleep(pause).await;
            let now = piece.min(left);
            client.write_all(&vec![b'x'; now]).await.unwrap();
            left -= now;
        }
        std::future::pending::<()>().await;
    };
    let reading = async {
        let (mut received, mut buffer) = (0, [0; 4096]);
        while received < 100_000 {
            match guard.read(&mut buffer).await {
                Ok(count) => received += count,
                Err(_) => break,
            }
        }
        received
    };
    tokio::select! { received = reading => received, () = dripping => unreachable!() }
}

fn connected(room: usize) -> (DuplexStream, Guard<DuplexStream>, WayBack<DuplexStream>) {
    let (client, server) = tokio::io::duplex(room);
    let (guard, way_back) = Guard::new(Box::new(server), terms());
    (client, guard, way_back)
}

async fn read(guard: &mut Guard<DuplexStream>, count: usize) {
    guard.read_exact(&mut vec![0; count]).await.unwrap();
}

/// What the gateway says until it closes.
async fn rest(mut client: DuplexStream) -> String {
    let mut told = String::new();
    client.read_to_string(&mut told).await.unwrap();
    told
}

fn post(rest: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: localhost\r\n{rest}")
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// The defaults.
pub fn terms() -> Terms {
    Terms {
        target_bytes: 8 << 10,
        header_bytes: 32 << 10,
        header_count: 100,
        header_timeout: seconds(10),
        idle_timeout: seconds(60),
        body_grace: seconds(10),
        body_rate: 500,
        write_timeout: seconds(30),
    }
}

const HEAD: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a slow one\r\n\r\n";
