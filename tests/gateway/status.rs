//! `superid-gateway status`: the page, the document, and what is not in them.

use std::process::{Output, Stdio};

use superid_gateway::telemetry::overview::Overview;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::world::{ASTRID, World};

const PROGRAM: &str = env!("CARGO_BIN_EXE_superid-gateway");

#[tokio::test]
async fn status_shows_routes_and_what_was_refused_and_names_nobody() {
    let world = visited().await;
    let admin = world.gateway.admin().unwrap().to_string();
    let Output { status, stdout, .. } = Command::new(PROGRAM)
        .args(["status", "--admin", &admin])
        .env("TERM", "xterm")
        .output()
        .await
        .unwrap();
    assert_eq!(status.code(), Some(0));
    let page = String::from_utf8(stdout).unwrap();
    for words in [
        "  ready  up ",
        "ROUTES ",
        "\n  app                         2",
        "SIGN-INS    1 begun, 1 signed in\n",
        "SESSIONS    1 made, 0 renewed, 0 signed out\n",
        "  404 not_found ",
        "  421 unknown_host ",
    ] {
        assert!(page.contains(words), "{words} in\n{page}");
    }
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
    assert!(!page.contains('\u{1b}'), "colours where nobody sees them:\n{page}");
    for secret in ["astrid", "Astrid", "Nordlys", "strangers"] {
        assert!(!page.contains(secret), "{secret} in\n{page}");
    }
}

#[tokio::test]
async fn the_document_is_one_line_of_json_and_bounded() {
    let world = visited().await;
    for number in 0..150 {
        world.api().get(&world.url(&format!("/auth/nothing/{number}"))).await;
    }
    let admin = world.gateway.admin().unwrap().to_string();
    let asked = Command::new(PROGRAM).args(["status", "--json", "--admin", &admin]).output();
    let text = String::from_utf8(asked.await.unwrap().stdout).unwrap();
    assert_eq!(text.matches('\n').count(), 1);
    let told: Overview = serde_json::from_str(&text).unwrap();
    let refused = &told.refusals[0];
    assert_eq!((told.refusals.len(), refused.status), (100, 404));
    assert_eq!(told.refused["not_found"], 151);
    assert!(refused.request_id.is_some() && refused.tenant.is_none(), "{refused:?}");
    let app = told.routes.iter().find(|route| route.name == "app").unwrap();
    assert_eq!((app.requests, app.statuses["2xx"], app.upstream["answered"]), (2, 2, 2));
    assert!(app.took.p99_ms >= app.took.p50_ms && app.took.p50_ms > Some(0.0), "{app:?}");
    assert_eq!(app.to, format!("http://{}", world.app.address));
    assert!(text.len() < 64 << 10, "{} bytes", text.len());
    for secret in ["astrid", "Astrid", "strangers", "127.0.0.1\"", "secret"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn watched_it_is_shown_again_and_outlives_the_gateway() {
    let world = World::new().await;
    let admin = world.gateway.admin().unwrap().to_string();
    let mut watching = Command::new(PROGRAM)
        .args(["status", "--watch", "--admin", &admin])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut until = async |word: &str| {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains(word) {
                return;
            }
        }
        panic!("it ended without {word}");
    };
    until("  ready  ").await;
    // The second page compares with the first.
    until(" /s ").await;
    world.gateway.stop().await;
    until("no gateway answers").await;
}

#[tokio::test]
async fn where_nobody_answers_status_says_so_and_ends_in_three() {
    let asked = Command::new(PROGRAM).args(["status", "--admin", "127.0.0.1:1"]).output().await;
    let Output { status, stderr, .. } = asked.unwrap();
    let text = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(3), "{text}");
    assert!(text.contains("no gateway answers at http://127.0.0.1:1/status"), "{text}");
}

/// Somebody signed in, and strangers came.
async fn visited() -> World {
    let world = World::new().await;
    let mut browser = world.signed_in(ASTRID).await;
    browser.visit(&world.url("/orders")).await;
    world.api().get(&world.url("/auth/strangers-page")).await;
    world.api().raw(world.authority(), "GET / HTTP/1.1\r\nHost: strangers.example\r\n").await;
    world
}
