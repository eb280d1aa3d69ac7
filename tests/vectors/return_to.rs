//! Open-redirect payloads and the URL standard's data, through the way back after signing in.

use percent_encoding::percent_decode_str;
use superid_gateway::web::{PublicOrigin, ReturnTo};
use url::Url;

use super::published;

/// Resolves what `ReturnTo` let through as a browser would; counts what it let through.
fn stays_home(payloads: &[String]) -> usize {
    let origin = PublicOrigin::parse("https://gateway.example").unwrap();
    let home = Url::parse("https://gateway.example/orders/7").unwrap();
    let mut taken = 0;
    for payload in payloads {
        let decoded = percent_decode_str(payload).decode_utf8_lossy().into_owned();
        for text in [payload.clone(), decoded] {
            let Some(target) = ReturnTo::parse(&text, &origin, "/auth") else { continue };
            taken += 1;
            for location in [target.on(&origin), target.as_str().to_owned()] {
                let landed = home.join(&location).unwrap();
                assert_eq!(landed.origin(), home.origin(), "{text:?} leads to {landed}");
                assert!(landed.username().is_empty(), "{text:?}");
                assert!(!landed.path().starts_with("//"), "{text:?}");
            }
            assert!(target.as_str().bytes().all(|byte| byte.is_ascii_graphic()), "{text:?}");
        }
    }
    taken
}

#[test]
fn no_open_redirect_payload_leaves_our_hosts() {
    let Some(folder) = published::folder().map(|folder| folder.join("attacks/open-redirect"))
    else {
        return;
    };
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        lines.extend(text.split('\n').map(str::to_owned).filter(|line| !line.is_empty()));
    }
    assert_eq!(lines.len(), 883, "not all payloads were found");
    let taken = stays_home(&lines);
    assert!(taken > 0, "refusing everything proves nothing");
    println!("{} payloads, {taken} spellings are paths of our own, none leaves", lines.len());
}

#[test]
fn no_address_of_the_url_standard_leaves_our_hosts() {
    let Some(folder) = published::folder().map(|folder| folder.join("attacks/url")) else { return };
    let mut inputs = Vec::new();
    let text = std::fs::read_to_string(folder.join("urltestdata.json")).unwrap();
    let cases: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    for case in &cases {
        inputs.extend(["input", "base", "href"].iter().filter_map(|name| {
            case.get(name).and_then(serde_json::Value::as_str).map(str::to_owned)
        }));
    }
    assert!(inputs.len() > 1000, "only {} addresses were found", inputs.len());
    let taken = stays_home(&inputs);
    assert!(taken > 0, "refusing everything proves nothing");
    println!("{} addresses, {taken} spellings are paths of our own, none leaves", inputs.len());
}
