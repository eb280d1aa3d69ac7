//! Who may call, and what does not prove it.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::world::{NIGHTLY_PASSWORD, NORDLYS, World, basic, nightly};

const PATH: &str = "/Cust12345/api/v1/Contact/1";

const MORE: &str = r#"
[job_caller.report]
token = { value = "report-token-0123456789" }
tenants = ["Cust12345"]
paths = ["/api/v1/Contact"]

[job_caller.here]
loopback = true
tenants = ["Cust12345"]
"#;

#[tokio::test]
async fn nobody_else_gets_through() {
    let world = World::new().await;
    let program = world.program();
    for wrong in [
        basic("nightly", "nightly-password-012345678"),
        basic("Nightly", NIGHTLY_PASSWORD),
        basic("", NIGHTLY_PASSWORD),
        format!("Bearer {NIGHTLY_PASSWORD}"),
        format!("Basic {NIGHTLY_PASSWORD}"),
        "Basic".to_owned(),
        "SOTicket 7T:abc".to_owned(),
    ] {
        let answer = program.get(PATH, &[("authorization", &wrong)]).await;
        assert_eq!(answer.told(), (401, "caller_unknown"), "{wrong}");
        assert!(answer.headers.contains_key("www-authenticate"));
    }
    let answer = program.get(PATH, &[]).await;
    assert_eq!(answer.told(), (401, "caller_unknown"));
    let twice = [("authorization", &*nightly()), ("authorization", &*nightly())];
    assert_eq!(program.get(PATH, &twice).await.status, 400);
    assert_eq!(world.superid.tenants().calls(NORDLYS), 0);
    assert_eq!(world.superid.exchanges().all().len(), 0);
}

#[tokio::test]
async fn a_caller_has_its_own_tenants_and_paths_alone() {
    let world = World::with(MORE).await;
    let program = world.program();
    let report = [("authorization", "Bearer report-token-0123456789")];
    for (path, told) in [
        (PATH, (200, "")),
        ("/Cust12345/API/V1/contact/1", (200, "")),
        ("/Cust12345/api/v1/Contacts", (403, "path_not_allowed")),
        ("/Cust12345/api/v1/Person/1", (403, "path_not_allowed")),
        ("/Cust12345/Remote/Services88/Contact.svc", (403, "path_not_allowed")),
        ("/Cust67890/api/v1/Contact/1", (403, "tenant_not_allowed")),
    ] {
        assert_eq!(program.get(path, &report).await.told(), told, "{path}");
    }
    world.assert_nothing_astray();
}

#[tokio::test]
async fn calling_from_this_machine_is_enough_for_programs_and_not_for_pages() {
    let world = World::with(MORE).await;
    let program = world.program();
    let here = ("host", "jobs.test");
    assert_eq!(program.get(PATH, &[here]).await.told(), (200, ""));
    for page in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("referer", "https://evil.example/"),
        ("cookie", "a=b"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "no-cors"),
    ] {
        let answer = program.get(PATH, &[here, page]).await;
        assert_eq!(answer.told(), (403, "call_from_page"), "{page:?}");
    }
    for host in ["evil.example", "jobs.test:81", "localhost"] {
        let answer = program.get(PATH, &[("host", host)]).await;
        assert_eq!(answer.told(), (403, "call_from_page"), "a name rebound to us: {host}");
    }
}

#[tokio::test]
async fn no_page_calls_with_what_a_browser_remembers() {
    let world = World::with(MORE).await;
    let program = world.program();
    for page in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let answer = program.get(PATH, &[("authorization", &nightly()), page]).await;
        assert_eq!(answer.told(), (403, "call_from_page"), "{page:?}");
    }
    let node = ("sec-fetch-mode", "cors");
    let answer = program.get(PATH, &[("authorization", &nightly()), node]).await;
    assert_eq!(answer.told(), (200, ""), "Node's fetch says so of itself");
}

#[tokio::test]
async fn what_somebody_passes_on_is_not_from_this_machine() {
    let world = World::with(MORE).await;
    for relayed in ["x-forwarded-for", "forwarded", "x-real-ip", "via"] {
        let headers = [("host", "jobs.test"), (relayed, "192.0.2.1")];
        let answer = world.program().get(PATH, &headers).await;
        assert_eq!(answer.told(), (401, "caller_unknown"), "{relayed}");
    }
}

#[tokio::test]
async fn a_wrong_secret_is_not_made_good_by_the_place_it_comes_from() {
    let world = World::with(MORE).await;
    let wrong = basic("nightly", "wrong");
    let headers = [("host", "jobs.test"), ("authorization", &*wrong)];
    let answer = world.program().get(PATH, &headers).await;
    assert_eq!(answer.told(), (401, "caller_unknown"));
}

#[tokio::test]
async fn what_a_caller_says_of_credentials_and_of_itself_does_not_reach_the_tenant() {
    let world = World::new().await;
    let headers = [
        ("authorization", &*nightly()),
        ("so-apptoken", "forged"),
        ("so_apptoken", "forged"),
        ("soticket", "7T:forged"),
        ("cookie", "a=b"),
    ];
    let answer = world.program().get(PATH, &headers).await;
    assert_eq!(answer.told(), (200, ""));
    world.assert_nothing_astray();
}

#[tokio::test]
async fn a_balancer_before_a_job_listener_introduces_callers_or_they_are_closed() {
    let world =
        World::with("[job_listener.jobs]\nproxy_protocol_from = [\"127.0.0.1\"]\nhosts = []").await;
    let head = format!(
        "GET {PATH} HTTP/1.1\r\nHost: jobs\r\nAuthorization: {}\r\nConnection: close\r\n\r\n",
        nightly()
    );
    let header = "PROXY TCP4 198.51.100.7 198.51.100.1 4711 8090\r\n";
    for (begins, served) in [(header, true), ("", false)] {
        let mut stream = TcpStream::connect(world.address()).await.unwrap();
        stream.write_all(format!("{begins}{head}").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an end");
        assert_eq!(answer.starts_with(b"HTTP/1.1 200 "), served, "{}", answer.escape_ascii());
        assert!(served || (answer.is_empty() && read.unwrap_or(0) == 0));
    }
    assert_eq!(world.superid.tenants().calls(NORDLYS), 1);
}

const PATIENCE: Duration = Duration::from_secs(30);
