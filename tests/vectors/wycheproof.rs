//! Project Wycheproof's JSON Web Signatures: RS256 as they flag it, anything else never.

use serde_json::Value;
use superid_gateway::superid::verify_signature;

use crate::published::{folder, json, key_set};

#[derive(Debug, Default)]
struct Tally {
    accepted: usize,
    refused: usize,
    other_algorithms: usize,
}

#[test]
fn rs256_is_judged_as_flagged_and_every_other_algorithm_is_refused() {
    let Some(folder) = folder() else { return };
    let mut tally = Tally::default();
    for file in [
        "json_web_signature_test.json",
        "json_web_key_test.json",
        "json_web_crypto_test.json",
        "json_web_encryption_test.json",
    ] {
        let set = json(&folder.join("attacks/wycheproof").join(file));
        for group in set["testGroups"].as_array().expect("test groups") {
            judge(file, group, &mut tally);
        }
    }
    println!("{tally:?}");
    assert!(tally.accepted >= 9, "{tally:?}");
    assert!(tally.refused >= 240, "{tally:?}");
    assert!(tally.other_algorithms >= 390, "{tally:?}");
}

fn judge(file: &str, group: &Value, tally: &mut Tally) {
    let key = group.get("public").or(group.get("private")).expect("a key");
    let listed = key.get("keys").and_then(Value::as_array);
    let listed = listed.map_or(std::slice::from_ref(key), Vec::as_slice);
    let for_us = listed.iter().any(|key| key["kty"] == "RSA" && key["alg"] == "RS256");
    let keys = key_set(listed);
    for test in group["tests"].as_array().expect("tests") {
        let token = test.get("jws").or(test.get("jwe")).expect("a token");
        // Some are the JSON serialisation, as an object: never a compact token.
        let token = token.as_str().map_or_else(|| token.to_string(), str::to_owned);
        let accepted = keys.as_ref().is_ok_and(|keys| verify_signature(&token, keys).is_ok());
        // A JWS may sign nothing at all; a token of ours holds claims.
        let empty = token.contains("..");
        let expected = for_us && test["result"] == "valid" && !empty;
        assert_eq!(accepted, expected, "{file} {}: {}", test["tcId"], test["comment"]);
        match (for_us, accepted) {
            (true, true) => tally.accepted += 1,
            (true, false) => tally.refused += 1,
            (false, _) => tally.other_algorithms += 1,
        }
    }
}
