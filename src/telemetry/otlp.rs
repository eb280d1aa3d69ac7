//! Spans as OTLP has them: the protobuf messages of `opentelemetry/proto/trace/v1/trace.proto` and
//! `collector/trace/v1/trace_service.proto`, written by hand, because they are few.

/// A span that is over.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) trace: [u8; 16],
    pub(super) id: [u8; 8],
    pub(super) parent: Option<[u8; 8]>,
    pub(super) state: Option<String>,
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Nanoseconds since 1970.
    pub(super) began: u64,
    pub(super) ended: u64,
    pub(super) attributes: Vec<(&'static str, Attribute)>,
    pub(super) failed: bool,
}

/// `Span.SpanKind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Internal = 1,
    Server = 2,
    Client = 3,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    Number(u64),
    Text(String),
}

/// An `ExportTraceServiceRequest` with these spans, of a service.
pub(super) fn request(service: &str, spans: &[Span]) -> Vec<u8> {
    let text = |value: &str| Attribute::Text(value.to_owned());
    let resource = message(|out| {
        attribute(out, 1, "service.name", &text(service));
        attribute(out, 1, "service.version", &text(env!("CARGO_PKG_VERSION")));
        let process = Attribute::Number(u64::from(std::process::id()));
        attribute(out, 1, "process.pid", &process);
    });
    let scope = message(|out| {
        bytes(out, 1, env!("CARGO_PKG_NAME").as_bytes());
        bytes(out, 2, env!("CARGO_PKG_VERSION").as_bytes());
    });
    let scoped = message(|out| {
        bytes(out, 1, &scope);
        spans.iter().for_each(|one| bytes(out, 2, &span(one)));
    });
    let resourced = message(|out| {
        bytes(out, 1, &resource);
        bytes(out, 2, &scoped);
    });
    message(|out| bytes(out, 1, &resourced))
}

fn span(span: &Span) -> Vec<u8> {
    message(|out| {
        bytes(out, 1, &span.trace);
        bytes(out, 2, &span.id);
        if let Some(state) = &span.state {
            bytes(out, 3, state.as_bytes());
        }
        if let Some(parent) = &span.parent {
            bytes(out, 4, parent);
        }
        bytes(out, 5, span.name.as_bytes());
        number(out, 6, span.kind as u64);
        fixed(out, 7, span.began);
        fixed(out, 8, span.ended);
        for (name, value) in &span.attributes {
            attribute(out, 9, name, value);
        }
        if span.failed {
            bytes(out, 15, &message(|out| number(out, 3, STATUS_ERROR)));
        }
    })
}

/// A `KeyValue` with its `AnyValue`.
fn attribute(out: &mut Vec<u8>, field: u64, name: &str, value: &Attribute) {
    let value = message(|out| match value {
        Attribute::Number(value) => number(out, 3, *value),
        Attribute::Text(text) => bytes(out, 1, text.as_bytes()),
    });
    let pair = message(|out| {
        bytes(out, 1, name.as_bytes());
        bytes(out, 2, &value);
    });
    bytes(out, field, &pair);
}

fn message(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

/// Wire types of protobuf: 0 a varint, 1 eight bytes, 2 a length and as many bytes.
fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3);
    varint(out, value);
}

fn fixed(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3 | 1);
    out.extend_from_slice(&value.to_le_bytes());
}

fn bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// `Status.StatusCode`.
const STATUS_ERROR: u64 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_are_written_as_protobuf_s_guide_has_them() {
        assert_eq!(message(|out| number(out, 1, 150)), [0x08, 0x96, 0x01]);
        assert_eq!(message(|out| bytes(out, 2, b"testing")), b"\x12\x07testing");
        assert_eq!(message(|out| fixed(out, 7, 1)), [0x39, 1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(message(|out| number(out, 16, 1)), [0x80, 0x01, 0x01]);
    }
}
