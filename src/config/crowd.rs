//! The keys of `[limits]` that say how many may come at once, and how often.

use super::section::Section;

/// Counts and sizes that hold for all routes together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crowd {
    /// Connections open at once on all listeners; one more waits for a place. Default
    /// 20,000.
    pub connections: usize,
    /// Connections from one address, or one IPv6 /64, that is no trusted proxy. Default 256.
    pub connections_per_address: usize,
    /// Requests in flight at once; one more gets 503. Default 10,000.
    pub requests: usize,
    /// Steps of sign-ins for one address, or one IPv6 /64: twice as many at once. 0 counts none.
    /// Default 120.
    pub sign_ins_per_minute: usize,
    /// State-change notices from one address, or one IPv6 /64: twice as many at once. 0 counts none.
    /// Default 600.
    pub notices_per_minute: usize,
    /// Requests in flight on one HTTP/2 connection (`SETTINGS_MAX_CONCURRENT_STREAMS`, RFC 9113
    /// §6.5.2). Default 100.
    pub h2_streams: u32,
    /// The largest header on HTTP/2, as its RFC counts: each name, each value, and 32 bytes a line
    /// (`SETTINGS_MAX_HEADER_LIST_SIZE`, RFC 9113 §6.5.2). Default 32 KiB.
    pub h2_header_bytes: u32,
    /// Frames that bring nothing on, which an HTTP/2 connection may send at once; the gateway's
    /// own key, as the protocol has no word for it. Default 1,000.
    pub h2_control_frames: u32,
}

/// Reads them.
pub(super) fn crowd(section: &Section) -> Option<Crowd> {
    let count = |name, least, most| section.read(name, |value| value.count(least, most));
    let connections = count("max_connections", 1, MILLION);
    let connections_per_address = count("max_connections_per_address", 1, MILLION);
    let requests = count("max_requests", 1, MILLION);
    let sign_ins_per_minute = count("sign_ins_per_minute", 0, 100_000);
    let notices_per_minute = count("notices_per_minute", 0, 100_000);
    let h2_streams = count("h2_streams", 1, 1_000);
    let h2_header_bytes = section.read("h2_header_bytes", |value| value.bytes(8 << 10, 256 << 10));
    let h2_control_frames = count("h2_control_frames", 100, MILLION);
    Some(Crowd {
        connections: connections?,
        connections_per_address: connections_per_address?,
        requests: requests?,
        sign_ins_per_minute: sign_ins_per_minute?,
        notices_per_minute: notices_per_minute?,
        h2_streams: u32::try_from(h2_streams?).ok()?,
        h2_header_bytes: u32::try_from(h2_header_bytes?).ok()?,
        h2_control_frames: u32::try_from(h2_control_frames?).ok()?,
    })
}

const MILLION: usize = 1_000_000;
