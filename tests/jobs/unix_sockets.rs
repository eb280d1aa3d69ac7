//! A job listener in the file system: who may call through it, and whose file it is.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::time::Duration;

use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::client::Answer;
use crate::world::{NORDLYS, World, basic, nightly};

const PATH: &str = "/Cust12345/api/v1/Contact/1";
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder that is gone with its test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let name = format!("superid-gateway-unix-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn socket(&self) -> PathBuf {
        self.path("jobs.sock")
    }

    /// The job listener on the socket, with more keys of its own.
    fn listener(&self, keys: &str) -> String {
        let address = format!("unix:{}", self.socket().display());
        format!("[job_listener.jobs]\naddress = {address:?}\nhosts = []\n{keys}\n")
    }

    /// The same, with a caller that proves itself so.
    fn calls(&self, proof: &str) -> String {
        let caller = format!("[job_caller.here]\n{proof}\ntenants = [\"Cust12345\"]\n");
        self.listener("") + &caller
    }

    fn mode(&self) -> u32 {
        fs::metadata(self.socket()).unwrap().permissions().mode() & 0o7777
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let stream = UnixStream::connect(self.socket()).await.unwrap();
        asked(stream, path, headers).await
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone_already = fs::remove_dir_all(&self.0);
    }
}

/// One call on a connection of its own.
pub async fn asked(stream: UnixStream, path: &str, headers: &[(&str, &str)]) -> Answer {
    let (mut client, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let running = tokio::spawn(connection);
    let mut request = Request::get(path);
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", "localhost");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = client.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
    let (head, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    running.abort();
    Answer { status: head.status, headers: head.headers, body }
}

fn me() -> (u32, u32) {
    (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw())
}

#[tokio::test]
async fn a_user_of_this_machine_is_proven_by_the_system_and_by_nothing_it_says() {
    let folder = Folder::new("user");
    let (user, group) = me();
    let world = World::with(&folder.calls(&format!("unix_user = {user}"))).await;
    assert!(world.gateway.addresses().is_empty(), "on no network");
    assert_eq!(world.gateway.paths(), [("job:jobs".to_owned(), folder.socket())]);
    assert_eq!(folder.get(PATH, &[]).await.told(), (200, ""));
    assert_eq!(folder.get("/Cust67890/api/v1/Contact/1", &[]).await.error(), "tenant_not_allowed");
    assert_eq!(folder.get(PATH, &[("host", "anything.example")]).await.told(), (200, ""));
    world.assert_nothing_astray();

    let both = Folder::new("group");
    let proof = format!("unix_user = [{}, {user}]\nunix_group = {group}", user + 1);
    let world = World::with(&both.calls(&proof)).await;
    assert_eq!(both.get(PATH, &[]).await.told(), (200, ""));
    assert_eq!(world.superid.tenants().calls(NORDLYS), 1);
}

#[tokio::test]
async fn another_user_is_nobody() {
    let (user, group) = me();
    for (name, proof) in [
        ("other-user", format!("unix_user = {}", user + 1)),
        ("other-group", format!("unix_user = {user}\nunix_group = {}", group + 1)),
        ("others", format!("unix_group = [{}, {}]", group + 1, group + 2)),
    ] {
        let folder = Folder::new(name);
        let world = World::with(&folder.calls(&proof)).await;
        assert_eq!(folder.get(PATH, &[]).await.told(), (401, "caller_unknown"), "{proof}");
        assert_eq!(world.superid.tenants().calls(NORDLYS), 0);
    }
}

#[tokio::test]
async fn no_page_calls_through_a_program_that_leads_it_here() {
    let folder = Folder::new("page");
    let _world = World::with(&folder.calls(&format!("unix_user = {}", me().0))).await;
    for page in [
        ("origin", "https://evil.example"),
        ("referer", "https://evil.example/"),
        ("cookie", "a=b"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "no-cors"),
    ] {
        assert_eq!(folder.get(PATH, &[page]).await.told(), (403, "call_from_page"), "{page:?}");
    }
    for relayed in ["x-forwarded-for", "forwarded", "x-real-ip", "via"] {
        let answer = folder.get(PATH, &[(relayed, "192.0.2.1")]).await;
        assert_eq!(answer.told(), (401, "caller_unknown"), "passed on by {relayed}");
    }
}

#[tokio::test]
async fn hosts_hold_here_too_where_they_are_written() {
    let folder = Folder::new("hosts");
    let changes = folder.calls(&format!("unix_user = {}", me().0));
    let _world = World::with(&changes.replace("hosts = []", "hosts = [\"jobs.test\"]")).await;
    assert_eq!(folder.get(PATH, &[("host", "jobs.test")]).await.told(), (200, ""));
    assert_eq!(folder.get(PATH, &[]).await.told(), (403, "call_from_page"));
}

#[tokio::test]
async fn secrets_prove_callers_here_too_and_a_wrong_one_is_not_made_good_by_the_user() {
    let folder = Folder::new("secrets");
    let _world = World::with(&folder.calls(&format!("unix_user = {}", me().0))).await;
    let other = "/Cust67890/api/v1/Contact/1";
    assert_eq!(folder.get(other, &[("authorization", &nightly())]).await.told(), (200, ""));
    let wrong = basic("nightly", "wrong");
    let answer = folder.get(PATH, &[("authorization", &wrong)]).await;
    assert_eq!(answer.told(), (401, "caller_unknown"));
}

#[tokio::test]
async fn the_socket_has_the_mode_that_is_written_and_a_reload_changes_it() {
    let folder = Folder::new("mode");
    let mut world = World::with(&folder.listener("")).await;
    assert_eq!(folder.mode(), 0o660);
    let group = me().1;
    world.reload(&folder.listener(&format!("socket_mode = \"0600\"\nsocket_group = {group}")));
    assert_eq!(folder.mode(), 0o600);
    assert_eq!(folder.get(PATH, &[("authorization", &nightly())]).await.told(), (200, ""));
    world.reload("");
    // Each worker closes its handle when it has a turn.
    let closed = async { while UnixStream::connect(folder.socket()).await.is_ok() {} };
    timeout(PATIENCE, closed).await.expect("closed by a reload");
    world.reload(&folder.listener(""));
    assert_eq!(folder.get(PATH, &[("authorization", &nightly())]).await.told(), (200, ""));
}

#[tokio::test]
async fn a_socket_that_a_killed_process_left_is_replaced() {
    let folder = Folder::new("stale");
    drop(UnixListener::bind(folder.socket()).unwrap());
    let _world = World::with(&folder.listener("")).await;
    assert_eq!(folder.get(PATH, &[("authorization", &nightly())]).await.told(), (200, ""));
    assert_eq!(fs::read_dir(folder.path("")).unwrap().count(), 1, "nothing is left beside it");
}

#[tokio::test]
async fn a_socket_that_somebody_listens_on_stays() {
    let folder = Folder::new("living");
    let living = UnixListener::bind(folder.socket()).unwrap();
    let refused = World::tried(&folder.listener("")).await.err().unwrap().to_string();
    assert_eq!(refused, format!("{}: another program listens there", folder.socket().display()));
    living.set_nonblocking(true).unwrap();
    while living.accept().is_ok() {}
    std::os::unix::net::UnixStream::connect(folder.socket()).unwrap();
    assert!(living.accept().is_ok(), "it is still the one that is reached");
}

#[tokio::test]
async fn what_is_no_socket_is_left_alone() {
    let folder = Folder::new("file");
    fs::write(folder.socket(), "precious").unwrap();
    let refused = World::tried(&folder.listener("")).await.err().unwrap().to_string();
    let told = format!("{}: it is no socket, and is left alone", folder.socket().display());
    assert_eq!(refused, told);
    assert_eq!(fs::read_to_string(folder.socket()).unwrap(), "precious");
    fs::rename(folder.socket(), folder.path("target")).unwrap();
    std::os::unix::fs::symlink(folder.path("target"), folder.socket()).unwrap();
    let refused = World::tried(&folder.listener("")).await.err().unwrap().to_string();
    assert_eq!(refused, told, "a link is not followed");
    assert_eq!(fs::read_to_string(folder.path("target")).unwrap(), "precious");
}

#[tokio::test]
async fn a_user_has_as_many_connections_as_calls_are_taken() {
    let folder = Folder::new("many");
    let world = World::with(&folder.listener("max_requests = 2")).await;
    let first = UnixStream::connect(folder.socket()).await.unwrap();
    let _second = UnixStream::connect(folder.socket()).await.unwrap();
    let nightly = nightly();
    let credentials = [("authorization", &*nightly)];
    let mut third = UnixStream::connect(folder.socket()).await.unwrap();
    let mut told = String::new();
    timeout(PATIENCE, third.read_to_string(&mut told)).await.unwrap().unwrap();
    assert!(told.starts_with("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\n"), "{told}");
    assert_eq!(asked(first, PATH, &credentials).await.told(), (200, ""));
    assert_eq!(world.superid.tenants().calls(NORDLYS), 1);
}

#[tokio::test]
async fn who_takes_over_has_the_socket() {
    let folder = Folder::new("taken-over");
    let changes = folder.listener("");
    let world = World::with(&changes).await;
    let kept = UnixStream::connect(folder.socket()).await.unwrap();
    let nightly = nightly();
    let credentials = [("authorization", &*nightly)];
    let (told, world) = tokio::join!(asked(kept, PATH, &credentials), world.taken_over(&changes));
    assert_eq!(told.told(), (200, ""), "begun with the one before");
    assert_eq!(folder.get(PATH, &credentials).await.told(), (200, ""));
    assert_eq!(world.gateway.stop().await.cut, 0);
}
