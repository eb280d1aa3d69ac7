//! Clients of HTTP/2 that dawdle, with a clock that is turned.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use superid_gateway::server::{Http2Terms, Notice, Watched};
use superid_gateway::telemetry::Limit;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::{Instant, sleep};

use super::frames::*;
use super::talker::goaway_in;
use super::verdict::{CALM, PROTOCOL};

#[tokio::test(start_paused = true)]
async fn a_preface_that_does_not_come_is_awaited_for_ten_seconds() {
    for said in [&b""[..], &PREFACE[..9], PREFACE, &[PREFACE, &[0, 0, 0, SETTINGS]].concat()] {
        let mut scene = Scene::open(1 << 20);
        scene.client.write_all(said).await.unwrap();
        scene.ends_after(seconds(10), Limit::HandshakeTimeout).await;
        assert_eq!(scene.goodbye().await, Some(CALM));
    }
}

#[tokio::test(start_paused = true)]
async fn a_header_that_drips_has_ten_seconds_in_all() {
    let mut scene = Scene::greeted(1 << 20).await;
    let header = get(1, "/a-path-of-some-length");
    let dripping = async {
        for byte in header {
            scene.client.write_all(&[byte]).await.unwrap();
            sleep(seconds(1)).await;
        }
        std::future::pending::<()>().await;
    };
    let began = Instant::now();
    tokio::select! {
        _ = to_the_end(&mut scene.watched) => {}
        () = dripping => {}
    }
    assert_eq!(began.elapsed().as_secs(), 10 + 5, "and five to take its last words");
    assert_eq!(scene.met(), [Limit::HeaderTimeout]);
}

#[tokio::test(start_paused = true)]
async fn a_header_whose_continuation_does_not_come_has_ten_seconds() {
    let mut scene = Scene::greeted(1 << 20).await;
    let begun = frame(HEADERS, END_STREAM, 1, request("GET", "/x", &[]));
    scene.client.write_all(&begun).await.unwrap();
    scene.ends_after(seconds(10), Limit::HeaderTimeout).await;
    assert_eq!(scene.goodbye().await, Some(CALM));
}

#[tokio::test(start_paused = true)]
async fn between_frames_and_inside_a_body_nothing_is_awaited() {
    let mut scene = Scene::greeted(1 << 20).await;
    for said in [post(1, "/x"), frame(DATA, 0, 1, [0; 64])[..20].to_vec()] {
        scene.client.write_all(&said).await.unwrap();
        let mut buffer = [0; 4_096];
        assert!(scene.watched.read(&mut buffer).await.unwrap() > 0);
        let silent = tokio::time::timeout(seconds(3_600), scene.watched.read(&mut buffer));
        assert!(silent.await.is_err(), "the idle time is pingora's to keep");
    }
    assert_eq!(scene.met(), []);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_given_up_after_thirty_seconds() {
    let mut scene = Scene::greeted(64).await;
    let began = Instant::now();
    let answer = frame(DATA, 0, 1, [0; 16_384]);
    let failed = loop {
        if let Err(failed) = scene.watched.write_all(&answer).await {
            break failed;
        }
    };
    assert_eq!(failed.kind(), std::io::ErrorKind::TimedOut);
    assert_eq!(began.elapsed(), seconds(30));
    assert_eq!(scene.met(), [Limit::WriteTimeout]);
}

#[tokio::test(start_paused = true)]
async fn what_is_said_last_never_stands_inside_another_frame() {
    let mut scene = Scene::greeted(1 << 20).await;
    let half = &frame(DATA, 0, 1, [7; 100])[..50];
    scene.watched.write_all(half).await.unwrap();
    scene.watched.flush().await.unwrap();
    scene.client.write_all(&ping([0; 8]).repeat(1_001)).await.unwrap();
    to_the_end(&mut scene.watched).await;
    assert_eq!(scene.met(), [Limit::H2ControlFrames]);
    let mut told = Vec::new();
    drop(scene.watched);
    scene.client.read_to_end(&mut told).await.unwrap();
    assert_eq!(told, half);
}

#[tokio::test(start_paused = true)]
async fn a_first_frame_that_is_not_settings_is_a_protocol_error() {
    let mut scene = Scene::open(1 << 20);
    scene.client.write_all(&[PREFACE, &ping([0; 8])].concat()).await.unwrap();
    to_the_end(&mut scene.watched).await;
    assert_eq!(scene.met(), []);
    assert_eq!(scene.goodbye().await, Some(PROTOCOL));
}

struct Scene {
    client: DuplexStream,
    watched: Watched<DuplexStream>,
    met: Arc<Mutex<Vec<Limit>>>,
}

impl Scene {
    fn open(room: usize) -> Self {
        let (client, server) = tokio::io::duplex(room);
        let met = Arc::new(Mutex::new(Vec::new()));
        let noted = met.clone();
        let heard = move |notice| {
            if let Notice::Met(limit) = notice {
                noted.lock().unwrap().push(limit);
            }
        };
        Self { client, watched: Watched::new(server, terms(), Box::new(heard)), met }
    }

    async fn greeted(room: usize) -> Self {
        let mut scene = Self::open(room);
        let said = [PREFACE, &settings(&[])].concat();
        scene.client.write_all(&said).await.unwrap();
        scene.watched.read_exact(&mut vec![0; said.len()]).await.unwrap();
        scene
    }

    /// The client closes as soon as it hears of the end.
    async fn ends_after(&mut self, time: Duration, limit: Limit) {
        let began = Instant::now();
        let mut buffer = [0; 4_096];
        let watching = async { while matches!(self.watched.read(&mut buffer).await, Ok(1..)) {} };
        let met = self.met.clone();
        let noticing = async {
            while met.lock().unwrap().is_empty() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! { () = watching => {}, () = noticing => {} }
        assert_eq!(began.elapsed().as_secs(), time.as_secs());
        assert_eq!(self.met(), [limit]);
    }

    /// The code of the GOAWAY that the client got.
    async fn goodbye(mut self) -> Option<u32> {
        let mut told = Vec::new();
        let reading = self.client.read_buf(&mut told);
        tokio::select! {
            biased;
            _ = reading => {}
            () = to_the_end(&mut self.watched) => {}
        }
        goaway_in(&told)
    }

    fn met(&self) -> Vec<Limit> {
        self.met.lock().unwrap().clone()
    }
}

async fn to_the_end(watched: &mut Watched<DuplexStream>) {
    let mut buffer = [0; 4_096];
    while matches!(watched.read(&mut buffer).await, Ok(1..)) {}
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// The defaults.
pub fn terms() -> Http2Terms {
    Http2Terms {
        control_frames: 1_000,
        header_bytes: 32 << 10,
        handshake_timeout: seconds(10),
        header_timeout: seconds(10),
        write_timeout: seconds(30),
    }
}
