//! One request as the demo app got it.

use bytes::Bytes;
use http::HeaderMap;

/// One request as it reached the app.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub method: String,
    /// Path and query, byte for byte.
    pub target: String,
    pub headers: HeaderMap,
    /// At most 64 kB; a larger body is answered with 413 and not recorded.
    pub body: Bytes,
}
