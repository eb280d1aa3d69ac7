//! `[traces]`: where traces are sent, how, and how many.

use url::Url;

use crate::crypto::Secret;

use super::reading::quoted;
use super::secret_source::secret;
use super::section::Section;
use super::value::Value;
use super::{Key, Table};

pub(super) const TABLE: Table = Table {
    header: "traces",
    keys: &[
        Key::optional("endpoint", "\"http://127.0.0.1:4318\""),
        Key::defaulted("protocol", "\"http\""),
        Key::defaulted("sample_rate", "1.0"),
        Key::defaulted("service_name", "\"superid-gateway\""),
        Key::defaulted("headers", "{}").such_as("{ api-key = { file = \"traces-key.txt\" } }"),
    ],
};

/// Traces by OTLP.
#[derive(Clone, Debug)]
pub struct Traces {
    /// The collector's base address.
    pub endpoint: Url,
    pub protocol: TraceProtocol,
    /// The part of traces that begin here and are sent: 0 to 1.
    pub sample_rate: f64,
    pub service_name: String,
    /// What is sent along, by name.
    pub headers: Vec<(String, Secret)>,
}

/// How OTLP is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceProtocol {
    Grpc,
    /// Protobuf over HTTP/1.1.
    Http,
}

/// Reads the table: `Some(None)` where there is no endpoint, and so no traces.
pub(super) fn traces(root: &Section) -> Option<Option<Traces>> {
    let section = root.section("traces", TABLE.keys);
    let endpoint = match section.has("endpoint") {
        true => Some(section.optional("endpoint", endpoint)),
        false => None,
    };
    let protocol = section.read("protocol", |value| {
        value.choice(&[("http", TraceProtocol::Http), ("grpc", TraceProtocol::Grpc)])
    });
    let sample_rate = section.read("sample_rate", part);
    let service_name = section.read("service_name", |value| value.line(128));
    let headers = section.read("headers", |value| {
        value.entries(|name, value| {
            let known = http::HeaderName::try_from(name).is_ok();
            if !known {
                let wrong = format!("{} is not a header's name", quoted(name));
                return value.refuse(wrong, "use letters, digits and -");
            }
            Some((name.to_owned(), secret(value, "put what the collector asks for there")?))
        })
    });
    let Some(endpoint) = endpoint else { return Some(None) };
    Some(Some(Traces {
        endpoint: endpoint?,
        protocol: protocol?,
        sample_rate: sample_rate?,
        service_name: service_name?,
        headers: headers?,
    }))
}

fn endpoint(value: &Value) -> Option<Url> {
    let text = value.text()?;
    let fits = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.host().is_some()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    };
    match Url::parse(text).ok().filter(fits) {
        Some(url) => Some(url),
        None => value.refuse(
            "is not a collector's address",
            "write such as \"http://127.0.0.1:4318\", for gRPC \"http://127.0.0.1:4317\"",
        ),
    }
}

fn part(value: &Value) -> Option<f64> {
    let written = value.number()?;
    match (0.0..=1.0).contains(&written) {
        true => Some(written),
        false => value.refuse("is not a part of a whole", "write a number from 0.0 to 1.0"),
    }
}
