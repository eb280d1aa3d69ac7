//! Why a request is not taken, before anything is asked of SuperID or the app.

use http::StatusCode;

use super::PathProblem;

/// A request refused at the door. Its words hold nothing of the request, so that the caller and
/// the operator read the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the body came too slowly")]
    BodyTooSlow,
    #[error("the Cookie header is too large")]
    CookiesTooLarge,
    #[error("an Expect that is not 100-continue")]
    Expectation,
    #[error("a header that only the gateway may set, or one that apps take for another address")]
    Forged,
    #[error("a body whose length could be read two ways")]
    Framing,
    #[error("no valid Host")]
    Host,
    #[error("a Max-Forwards that is not one number")]
    MaxForwards,
    #[error("the method is not one we pass on")]
    Method,
    #[error("the request is for another host than its TLS connection")]
    Misdirected,
    #[error("a field twice that may come once")]
    Repeated,
    #[error("asked by somebody who is no proxy of ours")]
    Stranger,
    #[error("the target has {0}")]
    Path(#[from] PathProblem),
    #[error("the query has a control byte, space, # or raw non-ASCII byte")]
    Query,
    #[error("the target is not a path")]
    Target,
    #[error("the target is too long")]
    TargetTooLong,
    #[error("too many header fields")]
    TooManyHeaders,
    #[error("the proxy does not say, each thing once, what was asked of it")]
    Undescribed,
    #[error("no host of that name is served here")]
    UnknownHost,
}

impl Refusal {
    /// The status the caller gets.
    pub fn status(self) -> StatusCode {
        match self {
            Self::CookiesTooLarge | Self::TooManyHeaders => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Expectation => StatusCode::EXPECTATION_FAILED,
            Self::Forged
            | Self::Framing
            | Self::Host
            | Self::MaxForwards
            | Self::Path(_)
            | Self::Query
            | Self::Repeated
            | Self::Target
            | Self::Undescribed => StatusCode::BAD_REQUEST,
            Self::Stranger => StatusCode::FORBIDDEN,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::Misdirected | Self::UnknownHost => StatusCode::MISDIRECTED_REQUEST,
        }
    }
}
