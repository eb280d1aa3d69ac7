//! SuperOffice's signing certificates: X.509 v1, so their keys are dug out by hand.

use std::path::Path;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::published::{folder, key_set, text};

/// A certificate's RSA key as a JWK, named by its thumbprint the way SuperID names it.
pub fn jwk(path: &Path) -> Value {
    let der = der(path);
    let thumbprint = thumbprint(&der);
    let [modulus, exponent] = rsa_key(&der);
    let kid: String = thumbprint.iter().map(|byte| format!("{byte:02X}")).collect();
    json!({
        "kty": "RSA", "use": "sig", "kid": kid, "x5t": URL_SAFE_NO_PAD.encode(&thumbprint),
        "n": URL_SAFE_NO_PAD.encode(modulus), "e": URL_SAFE_NO_PAD.encode(exponent),
    })
}

fn der(path: &Path) -> Vec<u8> {
    let pem = text(path);
    let body: String = pem
        .lines()
        .skip_while(|line| !line.starts_with("-----BEGIN"))
        .skip(1)
        .take_while(|line| !line.starts_with("-----END"))
        .map(str::trim)
        .collect();
    STANDARD.decode(body).expect("PEM holds base64")
}

fn thumbprint(der: &[u8]) -> Vec<u8> {
    digest(&SHA1_FOR_LEGACY_USE_ONLY, der).as_ref().to_vec()
}

/// Certificate → to-be-signed → past the optional version, serial, algorithm, issuer, validity
/// and subject → key info → bit string → modulus and exponent (RFC 5280 §4.1, RFC 8017 A.1.1).
fn rsa_key(der: &[u8]) -> [Vec<u8>; 2] {
    let (_, certificate, _) = element(der);
    let (_, mut fields, _) = element(certificate);
    if fields[0] == 0xa0 {
        fields = element(fields).2;
    }
    for _field in 0..5 {
        fields = element(fields).2;
    }
    let (_, key_info, _) = element(fields);
    let (_, bits, _) = element(element(key_info).2);
    let (_, numbers, _) = element(&bits[1..]);
    let (_, modulus, rest) = element(numbers);
    let (_, exponent, _) = element(rest);
    [modulus.to_vec(), exponent.to_vec()]
}

/// One DER element: its tag, its content, and what follows it.
fn element(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let (head, length) = match der[1] {
        short if short < 0x80 => (2, usize::from(short)),
        long => {
            let bytes = usize::from(long & 0x7f);
            let fold = |sum: usize, byte: &u8| sum << 8 | usize::from(*byte);
            (2 + bytes, der[2..2 + bytes].iter().fold(0, fold))
        }
    };
    (der[0], &der[head..head + length], &der[head + length..])
}

#[test]
fn thumbprints_of_superoffices_certificates_are_their_key_names() {
    let Some(folder) = folder() else { return };
    for (file, kid, x5t) in [
        (
            "certs/Development-SuperOfficeFederatedLogin.crt",
            "16B7FB8C3F9AB06885A800C64E64C97C4AB5E98C",
            "Frf7jD-asGiFqADGTmTJfEq16Yw",
        ),
        (
            "certs/Stage-SuperOfficeFederatedLogin.crt",
            "484903A7732B928C7980A39D38E947EA119F1089",
            "SEkDp3Mrkox5gKOdOOlH6hGfEIk",
        ),
        (
            "certs/Production-SuperOfficeFederatedLogin.crt",
            "60B61583DBB2B7EEC46FD01EC0056E62451D61F3",
            "YLYVg9uyt-7Eb9AewAVuYkUdYfM",
        ),
        (
            "mirroring-jwt/DevNet.crt",
            "B0AD4C0BFD8913B8040F3E8AD16A91F585222C33",
            "sK1MC_2JE7gEDz6K0WqR9YUiLDM",
        ),
    ] {
        let key = jwk(&folder.join(file));
        assert_eq!((key["kid"].as_str(), key["x5t"].as_str()), (Some(kid), Some(x5t)), "{file}");
        assert_eq!(key_set(&[key]).map(|keys| keys.len()), Ok(1), "{file}");
    }
}
