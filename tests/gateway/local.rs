//! Listeners for people on sockets in the file system.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::wire::{Answer, PATIENCE, read_answer, until};
use crate::world::World;

/// A folder that is gone with its test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = format!("superid-gateway-local-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("web.sock")
    }

    /// A listener of this name on the socket, with more keys of its own.
    fn listener(&self, name: &str, keys: &str) -> String {
        let address = format!("unix:{}", self.socket().display());
        format!("[listener.{name}]\naddress = {address:?}\n{keys}\n")
    }

    async fn asks(&self, world: &World, more: &str) -> Option<Answer> {
        let mut stream = UnixStream::connect(self.socket()).await.ok()?;
        let own = world.authority();
        let head =
            format!("GET /public HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n{more}\r\n");
        let _gone = stream.write_all(head.as_bytes()).await;
        timeout(PATIENCE, read_answer(&mut stream, "GET")).await.expect("an answer or an end")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

const SAYS: &str = "X-Forwarded-For: 203.0.113.9\r\nX-Request-Id: named-by-nginx\r\n";

#[tokio::test]
async fn a_program_of_this_machine_is_believed_about_the_client_where_that_is_written() {
    let folder = Folder::new("believed");
    let listener = folder.listener("local", "socket_mode = \"0600\"");
    let mut world = World::with(&listener).await;
    let mode = fs::metadata(folder.socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    assert_eq!(world.gateway.paths(), [("local".to_owned(), folder.socket())]);
    assert_eq!(folder.asks(&world, SAYS).await.unwrap().status, 200);
    let request = world.app.last();
    assert_eq!(request.header("X-Forwarded-For"), None, "it has no address");
    assert_eq!(request.header("X-Real-IP"), None);
    assert_ne!(request.header("X-Request-Id"), Some("named-by-nginx"));
    let believed = "[forwarded]\ntrusted_proxies = [\"unix\"]\n";
    world.reload(&format!("{listener}{believed}")).unwrap();
    assert_eq!(folder.asks(&world, SAYS).await.unwrap().status, 200);
    let request = world.app.last();
    assert_eq!(request.header("X-Forwarded-For"), Some("203.0.113.9"));
    assert_eq!(request.header("X-Request-Id"), Some("named-by-nginx"));
    // Who comes by the network is not on this machine, whatever it says.
    world.api().send("GET", &world.url("/public"), SAYS).await;
    assert_eq!(world.app.last().header("X-Forwarded-For"), Some("127.0.0.1"));
    let admin = world.gateway.admin().unwrap();
    let status = world.api().get(&format!("http://{admin}/status")).await;
    let path = format!("unix:{}", folder.socket().display());
    let listeners = status.json()["listeners"].clone();
    let listeners = listeners.as_array().unwrap().iter();
    assert!(listeners.clone().any(|one| one["address"] == path.as_str()), "{listeners:?}");
}

#[tokio::test]
async fn all_who_come_by_a_program_that_is_believed_are_not_one_crowd() {
    for (more, served) in [("", false), ("[forwarded]\ntrusted_proxies = [\"unix\"]", true)] {
        let folder = Folder::new(if served { "crowd" } else { "alone" });
        let world = World::tuned(&format!("{}{more}", folder.listener("local", "")), |settings| {
            settings.limits.crowd.connections_per_address = 1;
        })
        .await;
        let _first = UnixStream::connect(folder.socket()).await.unwrap();
        until("it is noticed", async || world.metric("connections_open").await >= 1).await;
        let answer = folder.asks(&world, "").await.unwrap();
        assert_eq!(answer.status, if served { 200 } else { 429 });
    }
}

#[tokio::test]
async fn a_balancer_on_this_machine_introduces_clients_by_the_socket() {
    let folder = Folder::new("introduced");
    let listener = folder.listener("local", "proxy_protocol_from = [\"unix\"]");
    let world = World::with(&listener).await;
    let mut stream = UnixStream::connect(folder.socket()).await.unwrap();
    let own = world.authority();
    let head = format!(
        "PROXY TCP4 198.51.100.7 198.51.100.1 4711 443\r\n\
         GET /public HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(read_answer(&mut stream, "GET").await.unwrap().status, 200);
    assert_eq!(world.app.last().header("X-Forwarded-For"), Some("198.51.100.7"));
    assert!(folder.asks(&world, "").await.is_none(), "without a header");
}

#[tokio::test]
async fn a_reload_renames_a_listener_on_its_socket_and_opens_a_path_anew_that_was_taken_away() {
    let folder = Folder::new("renamed");
    let mut world = World::new().await;
    world.reload(&folder.listener("local", "")).unwrap();
    let before = fs::metadata(folder.socket()).unwrap();
    world.reload(&folder.listener("other", "socket_mode = \"0666\"")).unwrap();
    assert_eq!(world.gateway.paths()[0].0, "other");
    let after = fs::metadata(folder.socket()).unwrap();
    assert_eq!(before.ino(), after.ino(), "it is the same socket");
    assert_eq!(after.permissions().mode() & 0o7777, 0o666);
    assert_eq!(folder.asks(&world, "").await.unwrap().status, 200);

    // Somebody puts another socket there, and listens: it is theirs.
    fs::remove_file(folder.socket()).unwrap();
    let theirs = UnixListener::bind(folder.socket()).unwrap();
    let refused = world.reload(&folder.listener("other", "")).unwrap_err();
    assert!(refused.to_string().contains("another program listens there"), "{refused}");
    // They are gone: the path is ours again.
    drop(theirs);
    world.reload(&folder.listener("other", "")).unwrap();
    assert_eq!(folder.asks(&world, "").await.unwrap().status, 200);
}

#[tokio::test]
async fn what_is_handed_over_is_the_socket_that_is_reached() {
    let folder = Folder::new("handed-over");
    let world = World::with(&folder.listener("local", "")).await;
    let named =
        |name: &str| world.gateway.sockets().unwrap().iter().any(|(known, _)| known == name);
    assert!(named("local") && named("web"));
    fs::remove_file(folder.socket()).unwrap();
    drop(UnixListener::bind(folder.socket()).unwrap());
    assert!(!named("local"), "nobody can connect to it");
    assert!(named("web"));
}
