//! What a client of HTTP/2 is refused below its requests, where there is no page to say so.

use crate::telemetry::Limit;

/// What a client brought upon itself below its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    Met(Limit),
    Refused(Refusal),
}

/// Who hears of it.
pub type Heard = Box<dyn Fn(Notice) + Send + Sync>;

/// `Display` says what was expected; it repeats nothing of what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the header is too large")]
    HeaderTooLarge,
    #[error("the header must arrive whole; this one came too slowly")]
    HeaderTooSlow,
    #[error("a request or a frame that the rules of HTTP/2 forbid")]
    Malformed,
    #[error("too many frames that bring nothing on")]
    TooMuch,
}

impl Refusal {
    /// The status its sender gets, or would have got where there is none (RFC 9113 §8.1.1).
    pub fn status(self) -> u16 {
        match self {
            Self::HeaderTooLarge => 431,
            Self::HeaderTooSlow => 408,
            Self::Malformed => 400,
            Self::TooMuch => 429,
        }
    }

    /// The word metrics know it by.
    pub fn reason(self) -> &'static str {
        match self {
            Self::HeaderTooLarge => "header_too_large",
            Self::HeaderTooSlow => "too_slow",
            Self::Malformed => "malformed",
            Self::TooMuch => "too_many_frames",
        }
    }
}
