//! An event as an app receives it: JSON, signed as Standard Webhooks has it
//! (<https://github.com/standard-webhooks/standard-webhooks>, specification 1.0).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::clock::Timestamp;
use crate::config::{RelyingParty, Webhook};
use crate::vault::Event;

/// What is posted.
#[derive(Clone, Debug)]
pub struct Message {
    pub body: String,
    /// `webhook-id`, `webhook-timestamp` and `webhook-signature`.
    pub headers: HeaderMap,
}

impl Message {
    /// Signs a body at the time of this attempt. The same event has the same id each time.
    pub fn signed(webhook: &Webhook, id: &str, body: String, now: Timestamp) -> Self {
        let time = now.0.to_string();
        let parts: [&[u8]; 5] = [id.as_bytes(), b".", time.as_bytes(), b".", body.as_bytes()];
        let sign = |key: &crate::crypto::MacKey| {
            format!("v1,{}", BASE64_STANDARD.encode(key.sign(&parts)))
        };
        let signatures: Vec<String> = webhook.keys.iter().map(sign).collect();
        let value = |text: &str| HeaderValue::from_str(text).ok();
        let pairs = [
            (HeaderName::from_static("webhook-id"), value(id)),
            (HeaderName::from_static("webhook-timestamp"), value(&time)),
            (HeaderName::from_static("webhook-signature"), value(&signatures.join(" "))),
        ];
        let headers = pairs.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        Self { body, headers }
    }
}

/// The JSON of an event: the same bytes each time. It holds no credential.
pub fn body(party: &RelyingParty, event: &Event) -> String {
    let told = Told {
        kind: event.kind.name(),
        timestamp: date(event.at),
        data: Data {
            environment: &event.key.environment,
            relying_party: &party.name,
            client_id: &event.key.client_id,
            tenant: event.key.tenant.as_str(),
            serial: event.serial.as_deref(),
            web_api_url: event.web_api_url.as_deref(),
            by: event.by.as_deref(),
        },
    };
    serde_json::to_string(&told).expect("strings are JSON")
}

#[derive(Serialize)]
struct Told<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    environment: &'a str,
    relying_party: &'a str,
    client_id: &'a str,
    tenant: &'a str,
    serial: Option<&'a str>,
    web_api_url: Option<&'a str>,
    by: Option<&'a str>,
}

fn date(at: Timestamp) -> String {
    let seconds = i64::try_from(at.0).unwrap_or(i64::MAX);
    let date = OffsetDateTime::from_unix_timestamp(seconds).ok();
    date.and_then(|date| date.format(&Rfc3339).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::crypto::MacKey;

    #[test]
    fn it_signs_as_the_published_example_of_standard_webhooks() {
        let key = BASE64_STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let webhook = Webhook {
            url: "https://app.example/".parse().unwrap(),
            keys: vec![MacKey::new(&key)],
            authorities: None,
            timeout: Duration::from_secs(1),
        };
        let body = r#"{"test": 2432232314}"#.to_owned();
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let message = Message::signed(&webhook, id, body, Timestamp(1_614_265_330));
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(message.headers["webhook-signature"], signature);
        assert_eq!(message.headers["webhook-timestamp"], "1614265330");
        assert_eq!(message.headers["webhook-id"], id);
    }
}
