//! Why a message is refused before anything of it leaves, and what its sender reads.

use crate::telemetry::Limit;

/// What is wrong with a message. `Display` says what was expected; it repeats nothing of what was
/// sent, so it goes to the sender and into the log alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the body must keep coming; this one came too slowly")]
    BodyTooSlow,
    #[error("chunk data ends where its size says, followed by CR LF")]
    ChunkEnd,
    #[error("a chunk extension is ;token or ;token=token, in 256 bytes at most")]
    ChunkExtension,
    #[error("a chunk size is 1 to 16 hexadecimal digits and CR LF, nothing else")]
    ChunkSize,
    #[error("CONNECT is not served here")]
    Connect,
    #[error("Content-Length is one number of at most 18 digits, once")]
    ContentLength,
    #[error("a message is sent whole; this one was cut short")]
    CutShort,
    #[error("Content-Length and Transfer-Encoding are spelt with hyphens, not with other marks")]
    Disguised,
    #[error("at most one empty line may stand before a request")]
    EmptyLines,
    #[error("Expect is 100-continue or absent")]
    Expectation,
    #[error("a header name is a token right at the start of its line, followed by a colon")]
    FieldName,
    #[error("a header value holds no control bytes")]
    FieldValue,
    #[error("a header takes one line; continued lines are obsolete")]
    Folded,
    #[error("the header is too large")]
    HeaderTooLarge,
    #[error("the header must arrive whole; this one came too slowly")]
    HeaderTooSlow,
    #[error("exactly one Host is needed")]
    Host,
    #[error("Content-Length and Transfer-Encoding exclude each other")]
    LengthAndEncoding,
    #[error("a line ends in CR LF; neither byte stands alone")]
    LineEnd,
    #[error("a method is at most 32 capital letters or hyphens, and not PRI")]
    Method,
    #[error("what says who is asking, and for what, stands in the header once")]
    Repeated,
    #[error("a request line is method, target and HTTP/1.1, with one space between them")]
    RequestLine,
    #[error("a target is visible ASCII without #")]
    Target,
    #[error("the target is too long")]
    TargetTooLong,
    #[error("the header has too many lines")]
    TooManyFields,
    #[error("a trailer section is empty; nothing in one would reach the app")]
    Trailers,
    #[error("Transfer-Encoding is chunked, once, and only in HTTP/1.1")]
    TransferEncoding,
    #[error("the version is HTTP/1.1 or HTTP/1.0")]
    Version,
}

impl Fault {
    /// The status its sender gets.
    pub fn status(self) -> u16 {
        match self {
            Self::BodyTooSlow | Self::HeaderTooSlow => 408,
            Self::Connect => 405,
            Self::Expectation => 417,
            Self::HeaderTooLarge | Self::TooManyFields => 431,
            Self::TargetTooLong => 414,
            _ => 400,
        }
    }

    /// The word metrics know it by.
    pub fn reason(self) -> &'static str {
        match self.status() {
            405 => "method",
            408 => "too_slow",
            414 => "target_too_long",
            417 => "expectation",
            431 => "header_too_large",
            _ => "malformed",
        }
    }

    /// The limit its sender met, if it was one.
    pub fn limit(self) -> Option<Limit> {
        match self {
            Self::BodyTooSlow => Some(Limit::BodyRate),
            Self::HeaderTooLarge => Some(Limit::HeaderBytes),
            Self::HeaderTooSlow => Some(Limit::HeaderTimeout),
            Self::TargetTooLong => Some(Limit::TargetBytes),
            Self::TooManyFields => Some(Limit::HeaderCount),
            _ => None,
        }
    }

    /// The whole answer: a line of text, after which the connection closes.
    pub(super) fn answer(self) -> Vec<u8> {
        let reason = match self.status() {
            405 => "Method Not Allowed",
            408 => "Request Timeout",
            414 => "URI Too Long",
            417 => "Expectation Failed",
            431 => "Request Header Fields Too Large",
            _ => "Bad Request",
        };
        // RFC 9110 §15.5.6 wants the methods named with a 405.
        let allow = if self == Self::Connect { ALLOW } else { "" };
        let text = format!("{self}\n");
        format!(
            "HTTP/1.1 {} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {}\r\nCache-Control: no-store\r\n{allow}Connection: close\r\n\r\n{text}",
            self.status(),
            text.len(),
        )
        .into_bytes()
    }
}

const ALLOW: &str = "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n";
