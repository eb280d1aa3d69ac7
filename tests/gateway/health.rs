//! `health`, as a container's health check calls it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::Output;
use std::thread;
use std::time::Instant;

use tokio::process::Command;

use crate::upgrade::Service;
use crate::wire::Nobodys;

async fn health(arguments: &[&str]) -> (i32, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_superid-gateway"))
        .arg("health")
        .args(arguments)
        .output()
        .await
        .unwrap();
    (status.code().unwrap(), String::from_utf8([stdout, stderr].concat()).unwrap())
}

/// What answers every question in the same way; once it has heard the question, if it is to.
fn answering(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _asked = stream.read(&mut [0; 1024]);
            let _gone = stream.write_all(answer.as_bytes());
            // Where the answer has no end, the connection has none either.
            if answer.is_empty() {
                kept.push(stream);
            }
        }
    });
    address
}

#[tokio::test]
async fn a_gateway_that_serves_is_healthy_by_its_configuration_without_its_secrets() {
    let service = Service::start("health").await;
    let file = service.folder.join("gateway.toml");
    let (code, text) = service.told(&["health"]).await;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("/ready: ready"), "{text}");
    let secret = std::fs::read_to_string(&file).unwrap().replace(
        "client_secret = { value = \"secret\" }",
        "client_secret = { file = \"only-the-gateway-reads-it\" }",
    );
    std::fs::write(&file, secret).unwrap();
    let (code, text) = service.told(&["health", "--alive"]).await;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("/health: alive"), "{text}");
}

#[tokio::test]
async fn whatever_is_wrong_ends_in_one_and_says_what_to_do() {
    let gone = Nobodys::new();
    let nobody = gone.address().to_string();
    let stopping = answering(
        "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\n{\"status\":\"stopping\"}\n",
    );
    let page = answering("HTTP/1.1 200 OK\r\n\r\n<h1>It works!</h1>").to_string();
    let other = answering("220 mail.example ESMTP\r\n").to_string();
    let cases = [
        (nobody, "nobody listens there"),
        (stopping.to_string(), "told to stop"),
        (page, "no superid-gateway"),
        (other, "does not speak HTTP"),
        ("127.0.0.1:0".to_owned(), "leaves the port open"),
    ];
    for (address, words) in cases {
        let (code, text) = health(&["--address", &address]).await;
        assert_eq!(code, 1, "{text}");
        assert!(text.contains("not healthy") && text.contains(words), "{text}");
    }
    let (code, text) = health(&["--config", "nowhere.toml"]).await;
    assert!(code == 1 && text.contains("cannot be read"), "{code} {text}");
    assert_eq!(health(&[]).await.0, 64);
}

#[tokio::test]
async fn what_never_answers_is_unhealthy_after_the_deadline() {
    let silent = answering("").to_string();
    let began = Instant::now();
    let (code, text) = health(&["--address", &silent, "--deadline", "1"]).await;
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("no answer within 1 s"), "{text}");
    assert!(began.elapsed().as_secs() >= 1);
}
