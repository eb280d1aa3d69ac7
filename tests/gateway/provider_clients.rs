//! How we prove to a provider that it is us who ask.

use std::sync::Arc;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::{Value, json};
use tokio_rustls::TlsAcceptor;

use crate::dishonest::{Dishonest, KEYS};
use crate::provider::{NO_SECRET, file, visit};

#[tokio::test]
async fn every_way_of_proving_who_asks_reaches_the_token_endpoint() {
    let party = |way: &str| format!("[relying_party.main]\nclient_authentication = \"{way}\"\n");
    let last = |provider: &Dishonest| provider.asked("/token").pop().unwrap();

    let provider = Dishonest::start().await;
    let (_, answer) = visit(&provider, &party("client_secret_basic")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let asked = last(&provider);
    // `client:secret+of+main` in base64.
    assert_eq!(asked.authorization, "Basic Y2xpZW50OnNlY3JldCtvZittYWlu");
    assert!(!asked.fields.contains_key("client_secret"));

    let none = format!("{}{NO_SECRET}", party("none"));
    let (_, answer) = visit(&provider, &none).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let asked = last(&provider);
    assert_eq!(asked.authorization, "");
    assert!(!asked.fields.contains_key("client_secret") && asked.fields["client_id"] == "client");
}

#[tokio::test]
async fn an_assertion_is_for_the_issuer_for_a_minute_and_never_the_same() {
    for (algorithm, verifier) in [
        (
            "RS256",
            &aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256
                as &'static dyn aws_lc_rs::signature::VerificationAlgorithm,
        ),
        ("ES256", &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED),
        ("EdDSA", &aws_lc_rs::signature::ED25519),
    ] {
        let provider = Dishonest::start().await;
        let more = format!(
            "[relying_party.main]\nclient_authentication = \"private_key_jwt\"\n\
             {NO_SECRET}client_key_id = \"2026\"\n\
             client_key = {{ value = {:?} }}\n",
            KEYS.pem(algorithm)
        );
        let (world, answer) = visit(&provider, &more).await;
        assert_eq!(answer.status, 200, "{algorithm} {}", answer.body);
        assert_eq!(world.browser().open(&world.url("/")).await.status, 200);
        let mut names = Vec::new();
        for asked in provider.asked("/token") {
            let assertion = &asked.fields["client_assertion"];
            let (message, signature) = assertion.rsplit_once('.').unwrap();
            let public = KEYS.public(algorithm);
            let key = aws_lc_rs::signature::UnparsedPublicKey::new(verifier, public);
            key.verify(message.as_bytes(), &decoded(signature)).unwrap();
            let (header, claims) = message.split_once('.').unwrap();
            let header: Value = serde_json::from_slice(&decoded(header)).unwrap();
            assert_eq!(header, json!({"alg": algorithm, "typ": "JWT", "kid": "2026"}));
            let claims: Value = serde_json::from_slice(&decoded(claims)).unwrap();
            assert_eq!((&claims["iss"], &claims["sub"]), (&json!("client"), &json!("client")));
            assert_eq!(claims["aud"], json!(provider.url), "not what the document names");
            assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 60);
            names.push(claims["jti"].clone());
        }
        assert!(names.len() == 2 && names[0] != names[1], "{names:?}");
    }
}

#[tokio::test]
async fn a_certificate_is_shown_on_the_back_channel_where_the_provider_says() {
    superid_gateway::crypto::install_provider();
    let made = |name: &str| rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let (theirs, ours) = (made("localhost"), made("client"));
    let mut clients = RootCertStore::empty();
    clients.add(ours.cert.der().clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder(Arc::new(clients)).build().unwrap();
    let key = PrivatePkcs8KeyDer::from(theirs.signing_key.serialize_der());
    let config = ServerConfig::builder()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![theirs.cert.der().clone()], PrivateKeyDer::from(key))
        .unwrap();
    let provider = Dishonest::start().await;
    let secure = provider.behind(TlsAcceptor::from(Arc::new(config))).await;
    let alias = json!({"token_endpoint": format!("{secure}/token")});
    provider.turn(|it| it.discovery = json!({"mtls_endpoint_aliases": alias}));
    let (authority, shown) =
        (file("ca.pem", &theirs.cert.pem()), file("client.pem", &ours.cert.pem()));
    let more = format!(
        "[provider.them]\nca = {:?}\n[relying_party.main]\n\
         client_authentication = \"tls_client_auth\"\n{NO_SECRET}\
         client_certificate = {:?}\nclient_key = {{ value = {:?} }}\n",
        authority.0,
        shown.0,
        ours.signing_key.serialize_pem()
    );
    let (_, answer) = visit(&provider, &more).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(provider.asked("/token").pop().unwrap().certificate);
}

fn decoded(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap()
}
