//! What the emulator says of itself when it starts.

use std::process::Stdio;

use http::StatusCode;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::browser::Browser;

#[tokio::test]
async fn each_place_it_names_when_it_starts_is_there() {
    let mut emulator = Command::new(env!("CARGO_BIN_EXE_superid-gateway"))
        .args(["emulator", "--port", "0", "--client-id", "my-app"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(emulator.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    while !said.last().is_some_and(|line: &String| line.contains("Ctrl-C")) {
        said.push(lines.next_line().await.unwrap().expect("it says how it ends"));
    }
    assert!(said[0].contains("my-app"), "{said:?}");
    let places: Vec<&str> = said
        .iter()
        .filter(|line| line.starts_with("  "))
        .map(|line| line.split_whitespace().last().unwrap())
        .collect();
    let mut wrong = Vec::new();
    for place in &places {
        let status = Browser::new().get(place).await.status;
        if status == StatusCode::NOT_FOUND || status.is_server_error() {
            wrong.push((place, status));
        }
    }
    assert!(places.len() > 15 && wrong.is_empty(), "{wrong:?} of {said:?}");
}
