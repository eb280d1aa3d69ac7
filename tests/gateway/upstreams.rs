//! Apps of several servers: spread, spared when they fail, and used again when they return.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use superid_gateway::config::{Destination, Settings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

use crate::recorder::{Recorder, Reply};
use crate::tls::{Secure, asked};
use crate::wire::{Nobodys, read_answer, until};
use crate::world::{ASTRID, World};

/// A gateway before these servers, with more keys for their table.
fn before(servers: &[SocketAddr], more: &str) -> String {
    let urls: Vec<String> = servers.iter().map(|server| format!("http://{server}")).collect();
    format!(
        "[upstream.both]\nservers = {urls:?}\n{more}\n\
         [route.app]\nupstream = \"both\"\n[route.open]\nupstream = \"both\""
    )
}

/// The answers are not waited for long.
fn impatient(settings: &mut Settings) {
    for route in &mut settings.routes {
        if let Destination::App(upstream) = &mut route.upstream {
            upstream.read_timeout = Duration::from_millis(100);
        }
    }
}

/// Looks that do not keep a test waiting.
fn watchful(settings: &mut Settings) {
    for servers in &mut settings.upstreams {
        if let Some(health) = &mut Arc::make_mut(servers).health {
            health.interval = Duration::from_millis(10);
        }
    }
}

/// The requests a server had that were no looks at its health.
fn asked_of(server: &Recorder) -> usize {
    server.requests().iter().filter(|request| request.target != "/health").count()
}

async fn status(world: &World, method: &str) -> u16 {
    world.api().send(method, &world.url("/public"), "Content-Length: 0\r\n").await.status
}

#[tokio::test]
async fn servers_share_requests_by_weight() {
    let (one, other) = (Recorder::start().await, Recorder::start().await);
    let servers = format!(
        "[upstream.both]\nbalance = \"round_robin\"\n\
         servers = [\"{}\", {{ url = \"{}\", weight = 3 }}]\n\
         [route.open]\nupstream = \"both\"",
        one.url(),
        other.url()
    );
    let world = World::with(&servers).await;
    for _ in 0..8 {
        assert_eq!(status(&world, "GET").await, 200);
    }
    assert_eq!((asked_of(&one), asked_of(&other)), (2, 6));
}

#[tokio::test]
async fn who_is_busy_is_given_less() {
    let (slow, quick) = (Recorder::start().await, Recorder::start().await);
    slow.says(Reply::Held);
    let world = World::with(&before(&[slow.address, quick.address], "")).await;
    let mut held = Vec::new();
    for _ in 0..6 {
        let (net, own) = (world.net.clone(), world.authority().to_owned());
        let seen = asked_of(&slow) + asked_of(&quick);
        held.push(tokio::spawn(async move {
            let head = format!("GET /public HTTP/1.1\r\nHost: {own}\r\n\r\n");
            net.ask(&own, head.as_bytes()).await.map(|answer| answer.status)
        }));
        until("it has arrived", async || asked_of(&slow) + asked_of(&quick) > seen).await;
        if asked_of(&quick) > 0 {
            until("the quick one is idle again", async || {
                let quick = format!(
                    "upstream_server_requests_in_flight{{upstream=\"both\",server=\"{}\"}}",
                    quick.url()
                );
                world.metric(&quick).await == 0
            })
            .await;
        }
    }
    assert_eq!((asked_of(&slow), asked_of(&quick)), (1, 5));
    slow.open();
    for one in held {
        assert_eq!(one.await.unwrap(), Some(200));
    }
}

#[tokio::test]
async fn while_one_server_is_gone_no_request_fails_and_it_is_used_again_when_it_returns() {
    let (gone, alive) = (Nobodys::new(), Recorder::start().await);
    let dead = gone.address();
    let more = "balance = \"round_robin\"\neject_after = 3\neject_time = \"30s\"";
    let world = World::with(&before(&[dead, alive.address], more)).await;
    for _ in 0..12 {
        // Nothing was sent to the dead one, so even what must not be repeated goes on.
        assert_eq!(status(&world, "GET").await, 200);
        assert_eq!(status(&world, "POST").await, 200);
    }
    assert_eq!(asked_of(&alive), 24);
    let of = |name: &str, kind: &str| {
        format!("upstream_server_{name}{{upstream=\"both\",server=\"http://{dead}\"{kind}}}")
    };
    assert_eq!(world.metric(&of("failures_total", ",kind=\"connect\"")).await, 3);
    assert_eq!(world.metric(&of("ejections_total", "")).await, 1);
    assert_eq!(world.metric(&of("up", "")).await, 0);

    let returned = Recorder::on(gone.listening(), None);
    assert_eq!(status(&world, "GET").await, 200);
    assert_eq!(asked_of(&returned), 0, "its time is not over");
    world.turn_clock(30);
    for _ in 0..4 {
        assert_eq!(status(&world, "GET").await, 200);
    }
    assert_eq!(asked_of(&returned), 2);
    assert_eq!(world.metric(&of("up", "")).await, 1);
}

#[tokio::test]
async fn what_a_hanging_server_does_not_answer_another_does_if_it_may_be_done_twice() {
    let (hanging, alive) = (Recorder::start().await, Recorder::start().await);
    hanging.says(Reply::Held);
    let more = "balance = \"round_robin\"\neject_after = 0";
    let world = World::tuned(&before(&[hanging.address, alive.address], more), impatient).await;
    for _ in 0..4 {
        assert_eq!(status(&world, "GET").await, 200);
    }
    assert_eq!(asked_of(&alive), 4);
    let mut posted = [status(&world, "POST").await, status(&world, "POST").await];
    posted.sort_unstable();
    assert_eq!(posted, [200, 504], "what may have been done is not done again");
    hanging.open();
}

#[tokio::test]
async fn what_a_dying_server_drops_another_answers_if_it_may_be_done_twice() {
    let (dying, alive) = (Recorder::start().await, Recorder::start().await);
    dying.says(Reply::HangUp);
    let more = "balance = \"round_robin\"\neject_after = 0";
    let table = before(&[dying.address, alive.address], more);
    let world = World::with(&table).await;
    for _ in 0..4 {
        assert_eq!(status(&world, "GET").await, 200);
    }
    let mut posted = [status(&world, "POST").await, status(&world, "POST").await];
    posted.sort_unstable();
    assert_eq!(posted, [200, 502]);
    let own = world.authority().to_owned();
    let brings = format!("PUT /public HTTP/1.1\r\nHost: {own}\r\nContent-Length: 4\r\n\r\nbody");
    let mut put = Vec::new();
    for _ in 0..2 {
        put.push(world.net.ask(&own, brings.as_bytes()).await.unwrap().status);
    }
    put.sort_unstable();
    assert_eq!(put, [200, 502], "a body is not sent twice");

    let secure = Secure::with("servers", &table).await;
    let client = secure.h2_client().await;
    for _ in 0..4 {
        assert_eq!(asked(&client, &secure.world.url("/public")).await, 200);
    }
}

#[tokio::test]
async fn where_every_server_is_gone_the_last_failure_is_told() {
    let gone = [Nobodys::new(), Nobodys::new()];
    let world = World::with(&before(&gone.each_ref().map(Nobodys::address), "")).await;
    for _ in 0..12 {
        assert_eq!(status(&world, "GET").await, 502);
    }
}

#[tokio::test]
async fn a_server_that_is_found_ill_is_sent_nothing_until_it_is_well() {
    let (ill, well) = (Recorder::start().await, Recorder::start().await);
    let more = "health_path = \"/health\"\nhealth_host = \"app.example\"\neject_after = 0";
    let table = before(&[ill.address, well.address], more);
    let world = World::tuned(&table, watchful).await;
    let up = format!("upstream_server_up{{upstream=\"both\",server=\"{}\"}}", ill.url());
    ill.says_json(503, "{}");
    until("it is found ill", async || world.metric(&up).await == 0).await;
    let before = asked_of(&ill);
    for _ in 0..6 {
        assert_eq!(status(&world, "GET").await, 200);
    }
    assert_eq!(asked_of(&ill), before);
    let look = ill.requests().into_iter().find(|request| request.target == "/health").unwrap();
    assert_eq!((look.method.as_str(), look.header("Host")), ("GET", Some("app.example")));
    ill.says_with("");
    until("it is found well", async || world.metric(&up).await == 1).await;
    for _ in 0..2 {
        assert_eq!(status(&world, "GET").await, 200);
    }
    assert!(asked_of(&ill) > before);
}

#[tokio::test]
async fn a_server_that_a_new_configuration_leaves_out_is_not_looked_at_any_more() {
    let (leaves, stays) = (Recorder::start().await, Recorder::start().await);
    let more = "health_path = \"/health\"";
    let table = before(&[leaves.address, stays.address], more);
    let mut world = World::tuned(&table, watchful).await;
    leaves.hears_more_than(1).await;
    let servers = format!("[upstream.both]\nservers = [{:?}]", stays.url());
    world.reload(&servers).unwrap();
    leaves.clear();
    stays.clear();
    stays.hears_more_than(0).await;
    for _ in 0..4 {
        assert_eq!(status(&world, "GET").await, 200);
    }
    leaves.heard_nothing();
}

#[tokio::test]
async fn people_of_one_tenant_meet_the_same_server() {
    let (one, other) = (Recorder::start().await, Recorder::start().await);
    let more = "balance = \"hash\"\nhash_by = \"tenant\"";
    let world = World::with(&before(&[one.address, other.address], more)).await;
    let mut browser = world.browser();
    assert_eq!(browser.sign_in(&world.url("/"), ASTRID).await.status, 200);
    one.clear();
    other.clear();
    for _ in 0..5 {
        assert_eq!(browser.visit(&world.url("/x")).await.status, 200);
    }
    let mut counts = [asked_of(&one), asked_of(&other)];
    counts.sort_unstable();
    assert_eq!(counts, [0, 5]);
}

#[tokio::test]
async fn an_app_on_a_unix_socket_is_reached_by_every_kind_of_client() {
    let path = std::env::temp_dir().join(format!("superid-gateway-app-{}", std::process::id()));
    let app = Recorder::at(&path);
    let table = format!("[route.open]\nupstream = \"unix://{}\"", path.display());
    let secure = Secure::with("socket", &table).await;
    let client = secure.h2_client().await;
    for _ in 0..3 {
        assert_eq!(asked(&client, &secure.world.url("/public")).await, 200);
        assert_eq!(status(&secure.world, "POST").await, 200);
    }
    assert_eq!((app.requests().len(), app.connections()), (6, 1));
    app.says(Reply::Echo(SWITCHED.to_owned()));
    let own = secure.world.authority().to_owned();
    let mut stream = secure.world.net.connect(&own).await;
    let head = format!("GET /public HTTP/1.1\r\nHost: {own}\r\n{UPGRADE}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(read_answer(&mut stream, "GET").await.unwrap().status, 101);
    stream.write_all(b"!").await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'!');
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_is_shown_ours_and_called_by_the_name_it_has() {
    superid_gateway::crypto::install_provider();
    let (app, ours) = (made("app.internal"), made("gateway"));
    let mut roots = RootCertStore::empty();
    roots.add(ours.cert.der().clone()).unwrap();
    let key = PrivatePkcs8KeyDer::from(app.signing_key.serialize_der());
    let config = ServerConfig::builder()
        .with_client_cert_verifier(WebPkiClientVerifier::builder(roots.into()).build().unwrap())
        .with_single_cert(vec![app.cert.der().clone()], PrivateKeyDer::from(key))
        .unwrap();
    let recorder = Recorder::behind(Some(TlsAcceptor::from(Arc::new(config)))).await;
    let folder = std::env::temp_dir().join(format!("superid-gateway-mtls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, text: String| {
        std::fs::write(folder.join(name), text).unwrap();
        folder.join(name).display().to_string()
    };
    let table = format!(
        "[upstream.app]\nservers = [\"https://{}\"]\nca = {:?}\ncertificate = {:?}\nkey = {:?}\n\
         server_name = \"app.internal\"\n[route.open]\nupstream = \"app\"",
        recorder.address,
        file("ca.pem", app.cert.pem()),
        file("ours.pem", ours.cert.pem()),
        file("key.pem", ours.signing_key.serialize_pem()),
    );
    let world = World::with(&table).await;
    assert_eq!(status(&world, "GET").await, 200);
    let handshake = recorder.handshakes().pop().unwrap();
    assert_eq!((handshake.name.as_deref(), handshake.shown), (Some("app.internal"), true));
    std::fs::remove_dir_all(folder).unwrap();
}

fn made(name: &str) -> rcgen::CertifiedKey<rcgen::KeyPair> {
    rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap()
}

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
