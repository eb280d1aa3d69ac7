//! The strict request set of llhttp, published by the nodejs project: none of its bytes reaches the
//! app with two readings, and what is invalid is refused before the app hears of it.

use std::path::PathBuf;

use serde_json::Value;

use crate::house::House;

#[tokio::test]
async fn the_strict_set_of_llhttp() {
    let Some(cases) = cases() else { return };
    let house = House::open().await;
    let (mut refused, mut invalid, mut passed, mut valid) = (0, 0, 0, 0);
    let mut through = Vec::new();
    for case in &cases {
        let text = |name: &str| case[name].as_str().unwrap_or_default();
        for raw in variants(text("raw")) {
            let before = house.upstream.book();
            let mut client = house.connect().await;
            client.send(&raw).await;
            let first = client.answer().await;
            let status = first.map_or(0, |answer| answer.status);
            let begun = house.upstream.book().begun - before.begun;
            if is_invalid(text("want"), text("errline")) {
                invalid += 1;
                if (400..500).contains(&status) && begun == 0 {
                    refused += 1;
                } else {
                    through.push(format!("{} {status}: {}", text("id"), raw.escape_ascii()));
                }
            } else {
                valid += 1;
                passed += usize::from(status == 200);
            }
        }
    }
    house.upstream.heard_nothing_ambiguous();
    println!(
        "llhttp: {refused} of {invalid} invalid messages refused before the app heard of them"
    );
    println!("llhttp: {passed} of {valid} others passed on (we ask for more than llhttp does)");
    println!("{through:#?}");
    assert!(refused * 100 >= invalid * 95, "{refused} of {invalid}: {through:#?}");
}

/// "Pause" marks and data behind the last message of a connection are no faults of a message.
fn is_invalid(want: &str, line: &str) -> bool {
    want == "error" && !line.contains("Pause on") && !line.contains("code=5 ")
}

/// As published, and once more with our host, so that the missing Host is not why it is refused.
/// The set leaves out the last line ends; they are put back.
fn variants(raw: &str) -> Vec<Vec<u8>> {
    let mut whole = raw.to_owned();
    if !whole.contains("\r\n\r\n") {
        whole += if whole.ends_with("\r\n") { "\r\n" } else { "\r\n\r\n" };
    } else if whole.ends_with("0\r\n") {
        whole += "\r\n";
    }
    let mut hosted: Vec<String> = whole
        .split("\r\n")
        .filter(|line| !line.to_ascii_lowercase().starts_with("host:"))
        .map(str::to_owned)
        .collect();
    if hosted.len() < 2 {
        return vec![whole.into_bytes()];
    }
    let after_request_line = if hosted[0].is_empty() { 2 } else { 1 };
    hosted.insert(after_request_line, "Host: localhost".to_owned());
    vec![whole.into_bytes(), hosted.join("\r\n").into_bytes()]
}

fn cases() -> Option<Vec<Value>> {
    let folder = std::env::var_os("SUPERID_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors"),
        PathBuf::from,
    );
    let path = folder.join("attacks/http1/llhttp-requests-strict.json");
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(error) => {
            let missing = format!("SKIPPED: no llhttp set at {}: {error}", path.display());
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{missing}");
            println!("{missing}");
            None
        }
    }
}
