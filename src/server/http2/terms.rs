//! What a client of HTTP/2 must keep to: what the protocol's settings tell it, and what they
//! cannot.

use std::time::Duration;

use pingora::protocols::http::v2::server::{H2Options, default_h2_options};

use crate::config::{Crowd, Limits};

/// Counts and sizes, and the longest a client may take over each part.
#[derive(Clone, Copy, Debug)]
pub struct Http2Terms {
    /// Points a connection may spend on frames that bring nothing on.
    pub control_frames: u32,
    /// The largest header, in bytes.
    pub header_bytes: usize,
    /// From the end of TLS to the end of the client's first SETTINGS.
    pub handshake_timeout: Duration,
    /// From the first byte of a header, or of any frame but DATA, to its last.
    pub header_timeout: Duration,
    /// Without taking a byte of what is to be sent.
    pub write_timeout: Duration,
}

impl Http2Terms {
    /// As the configuration has them.
    pub fn of(limits: &Limits) -> Self {
        Self {
            control_frames: limits.crowd.h2_control_frames,
            header_bytes: limits.crowd.h2_header_bytes as usize,
            handshake_timeout: limits.handshake_timeout,
            header_timeout: limits.header_timeout,
            write_timeout: limits.write_timeout,
        }
    }
}

/// What the library keeps to by itself.
pub(in crate::server) fn options(most: &Crowd) -> H2Options {
    let mut options = default_h2_options();
    options
        .max_concurrent_streams(most.h2_streams)
        .max_header_list_size(most.h2_header_bytes)
        .max_send_buffer_size(SEND_BUFFER)
        .max_local_error_reset_streams(Some(MOST_ERRORS));
    options
}

/// What the library holds of one answer while the client's connection is full. Half of it costs a
/// large answer 2 % more, and twice as much saves half of one.
const SEND_BUFFER: usize = 24 << 10;
/// Streams of a connection that end by an error of the client's; one more ends the connection.
const MOST_ERRORS: usize = 64;
