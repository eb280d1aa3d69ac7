//! What operators see: the admin listener, a stop that waits, limits, and a log without secrets.

use superid_gateway::telemetry::AccessLog;
use tokio::io::AsyncWriteExt as _;

use crate::paper::Paper;
use crate::recorder::Reply;
use crate::wire::read_answer;
use crate::world::{ASTRID, World};

#[tokio::test]
async fn the_admin_listener_tells_health_readiness_and_version() {
    let world = World::new().await;
    let admin = format!("http://{}", world.gateway.admin().unwrap());
    for (path, status, word) in [
        ("/health", 200, "alive"),
        ("/ready", 200, "ready"),
        ("/version", 200, env!("CARGO_PKG_VERSION")),
        ("/metrics-not-yet", 404, "not_found"),
        ("/", 404, "not_found"),
        ("/orders", 404, "not_found"),
    ] {
        let answer = world.api().get(&format!("{admin}{path}")).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.body.contains(word), "{path}: {}", answer.body);
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let answer = world.api().send("POST", &format!("{admin}/ready"), "Content-Length: 0\r\n").await;
    assert_eq!(answer.status, 405);
    for path in ["/health", "/ready", "/version"] {
        assert_eq!(world.api().get(&world.url(path)).await.status, 401, "not on the public side");
    }
    world.app.heard_nothing();
}

#[tokio::test]
async fn stopping_lets_a_request_in_flight_end_and_takes_no_new_one() {
    let world = World::new().await;
    let own = world.authority().to_owned();
    let admin = world.gateway.admin().unwrap();
    world.app.says(Reply::Held);
    let mut stream = world.net.connect(&own).await;
    let head = format!("GET /public/slow HTTP/1.1\r\nHost: {own}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    world.app.hears_more_than(0).await;
    let api = world.api();
    let World { gateway, app, .. } = world;
    let stopping = tokio::spawn(gateway.stop());
    let ready = format!("http://{admin}/ready");
    while api.get(&ready).await.status == 200 {}
    let answer = api.get(&ready).await;
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("stopping"), "{}", answer.body);
    assert_eq!(api.get(&format!("http://{admin}/health")).await.status, 200);
    assert!(!stopping.is_finished(), "it waits for the request");
    app.open();
    let answer = read_answer(&mut stream, "GET").await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "the app"));
    drop(stream);
    stopping.await.unwrap();
    assert!(tokio::net::TcpStream::connect(admin).await.is_err(), "and then it is over");
    assert_eq!(app.requests().len(), 1);
}

#[tokio::test]
async fn when_no_more_attempts_can_be_remembered_new_ones_get_503_until_there_is_room() {
    let world = World::tuned("", |settings| settings.limits.spent_attempts = 1).await;
    let mut browser = world.browser();
    let mut begun = 0;
    let full = loop {
        let answer = browser.visit(&world.url("/orders")).await;
        if answer.status != 303 {
            break answer;
        }
        begun += 1;
        assert!(begun <= 64, "the set never fills");
        let state = answer.parameter("state").unwrap();
        let callback = format!("/auth/callback?state={state}&code=unknown");
        browser.visit(&world.url(&callback)).await.is_page(502);
    };
    full.is_page(503);
    assert!(full.body.contains("Too busy for the moment"));
    assert!(!full.header("retry-after").is_empty());
    assert!(full.header("location").is_empty());
    world.turn_clock(700);
    assert_eq!(browser.visit(&world.url("/orders")).await.status, 303, "time makes room");
    world.app.heard_nothing();
}

#[tokio::test]
async fn each_request_has_one_line_and_no_line_has_a_secret() {
    let paper = Paper::default();
    let (access, writer) = AccessLog::to(paper.clone());
    let legacy = r#"
[relying_party.old]
environment = "emulator"
client_id = "client-of-old"
client_secret = { value = "secret of old" }
flow = "legacy"
redirect_path = "/auth/legacy"
[route.app]
relying_parties = ["main"]
[route.old]
path = "/old"
upstream = "$APP"
relying_parties = ["old"]
"#;
    let world = World::built(legacy, |_| {}, Some(access), None).await;
    let mut browser = world.browser();
    let callback = browser.until_callback(&world.url("/orders/7?password=hunter2"), ASTRID).await;
    browser.open(&callback).await;
    browser.visit(&callback).await;
    let bearer = world.app.last().header("Authorization").unwrap().to_owned();
    let mut secrets: Vec<String> = vec![bearer[7..].to_owned(), "hunter2".to_owned()];
    secrets.extend(browser.jar.values("superid-gateway"));
    let query = callback.split_once('?').unwrap().1;
    secrets.extend(form_urlencoded::parse(query.as_bytes()).map(|(_, value)| value.into_owned()));

    let page = browser.open(&world.url("/old")).await;
    let token = page.field("jwt").unwrap();
    browser.post_back(page.clone()).await;
    secrets.extend(browser.jar.values("superid-gateway"));
    secrets.extend(token.split('.').map(str::to_owned));
    browser.open(&world.url("/auth/finish")).await;
    secrets.push(world.app.last().header("SOTicket").unwrap().to_owned());
    browser.post_back(page).await;
    let hostile =
        "Cookie: superid-gateway=1.c2VjcmV0LWZvcmdlZA\r\nAuthorization: Bearer s3cr3t\r\n";
    world.api().send("GET", &world.url("/x\u{1b}[31m"), hostile).await;
    world.api().send("GET", &world.url("/x"), hostile).await;
    secrets.extend(["secret of main", "secret of old", "c2VjcmV0", "s3cr3t"].map(str::to_owned));
    world.gateway.stop().await;
    drop(writer);

    let text = paper.text();
    for secret in &secrets {
        assert!(secret.len() > 4 && !text.contains(secret.as_str()), "{secret} in {text}");
    }
    assert!(!text.contains('\u{1b}') && !text.contains('?'), "{text}");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let line = |path: &str, status: u64| {
        lines.iter().filter(|line| line["path"] == path && line["status"] == status).count()
    };
    assert_eq!(line("/orders/7", 303), 1);
    assert_eq!(line("/orders/7", 200), 1);
    assert_eq!(line("/auth/callback", 303), 1);
    assert_eq!(line("/auth/callback", 400), 1);
    assert_eq!(line("/auth/legacy", 303), 1);
    assert_eq!(line("/auth/legacy", 400), 1, "the replay");
    assert_eq!(line("/auth/finish", 303), 1);
    assert_eq!(line("/x", 401), 1);
    let served = lines.iter().find(|line| line["path"] == "/orders/7" && line["status"] == 200);
    let served = served.unwrap();
    assert_eq!(served["route"], "app");
    assert_eq!(served["tenant"], "Cust12345");
    assert_eq!(served["client"], "127.0.0.1");
    let replayed =
        lines.iter().find(|line| line["path"] == "/auth/callback" && line["status"] == 400);
    assert_eq!(replayed.unwrap()["detail"], "finished before");
}
