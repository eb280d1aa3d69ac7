//! `[limits]`: bounds on what strangers can make us hold or wait for.

use std::time::Duration;

use super::crowd::crowd;
use super::section::Section;
use super::{Crowd, Key, Table};

pub(super) const TABLE: Table = Table {
    header: "limits",
    keys: &[
        Key::defaulted("form_bytes", "\"64KiB\""),
        Key::defaulted("cookie_bytes", "\"24KiB\""),
        Key::defaulted("target_bytes", "\"8KiB\""),
        Key::defaulted("header_bytes", "\"32KiB\""),
        Key::defaulted("header_count", "100"),
        Key::defaulted("spent_attempts", "65536"),
        Key::defaulted("kept_posts", "\"16MiB\""),
        Key::defaulted("sessions", "100000"),
        Key::defaulted("ended_sessions", "65536"),
        Key::defaulted("superid_timeout", "\"10s\""),
        Key::defaulted("handshake_timeout", "\"10s\""),
        Key::defaulted("header_timeout", "\"10s\""),
        Key::defaulted("body_grace", "\"10s\""),
        Key::defaulted("body_rate", "500"),
        Key::defaulted("form_timeout", "\"30s\""),
        Key::defaulted("unread_body_timeout", "\"5s\""),
        Key::defaulted("write_timeout", "\"30s\""),
        Key::defaulted("idle_timeout", "\"60s\""),
        Key::defaulted("drain_delay", "\"0s\""),
        Key::defaulted("drain_idle", "\"5s\""),
        Key::defaulted("drain_timeout", "\"30s\""),
        Key::defaulted("max_connections", "20000"),
        Key::defaulted("max_connections_per_address", "256"),
        Key::defaulted("max_requests", "10000"),
        Key::defaulted("sign_ins_per_minute", "120"),
        Key::defaulted("notices_per_minute", "600"),
        Key::defaulted("h2_streams", "100"),
        Key::defaulted("h2_header_bytes", "\"32KiB\""),
        Key::defaulted("h2_control_frames", "1000"),
    ],
};

/// Sizes in bytes, counts, and times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest form taken at a callback. Default 64 KiB.
    pub form_bytes: usize,
    /// The largest `Cookie` header taken, all of them joined. Default 24 KiB.
    pub cookie_bytes: usize,
    /// The longest request target taken. Default 8 KiB.
    pub target_bytes: usize,
    /// The largest HTTP/1 header taken, request line and line ends included. Default 32 KiB.
    pub header_bytes: usize,
    /// The most lines an HTTP/1 header may have. Default 100.
    pub header_count: usize,
    /// Attempts remembered as spent; beyond it new attempts get 503. Default 65,536.
    pub spent_attempts: usize,
    /// Bytes of posts kept while their senders sign in, all of them together. Default 16 MiB.
    pub kept_posts: usize,
    /// Sessions kept in memory; beyond it the one out of use for longest ends. Default 100,000.
    pub sessions: usize,
    /// Sessions remembered as ended. Default 65,536.
    pub ended_sessions: usize,
    /// The longest a call to SuperID may take. Default 10 s.
    pub superid_timeout: Duration,
    /// The longest a TLS handshake may take. Default 10 s.
    pub handshake_timeout: Duration,
    /// The longest an HTTP/1 header may take from its first byte to its last, and the first of a
    /// connection from the connection's begin. Default 10 s.
    pub header_timeout: Duration,
    /// How long an HTTP/1 body may make us wait before its rate counts, and at once at any time
    /// after. Default 10 s.
    pub body_grace: Duration,
    /// The least an HTTP/1 body must bring, in bytes for each second we wait for it. Default 500.
    pub body_rate: usize,
    /// The longest a posted form may take from its first byte to its last. Default 30 s.
    pub form_timeout: Duration,
    /// How long the rest of a body is read that nobody wants, so that its connection can go on.
    /// Default 5 s.
    pub unread_body_timeout: Duration,
    /// How long a client may take nothing of its answer. Default 30 s.
    pub write_timeout: Duration,
    /// The longest a connection may be without a further request, and a tunnel without a byte. Default
    /// 60 s.
    pub idle_timeout: Duration,
    /// How long a gateway that was told to stop goes on accepting, while every answer says that its
    /// connection closes. Default 0 s.
    pub drain_delay: Duration,
    /// How long a connection without a request is kept then, for one last request. Default 5 s.
    pub drain_idle: Duration,
    /// How long requests in flight have to end then. Default 30 s.
    pub drain_timeout: Duration,
    /// How many may come at once.
    pub crowd: Crowd,
}

/// Reads the table. Sizes are bounded below by what SuperID's answers need, and above by what a
/// stranger may make us hold for each connection.
pub(super) fn limits(root: &Section) -> Option<Limits> {
    let section = root.section("limits", TABLE.keys);
    let bytes = |name, least, most| section.read(name, |value| value.bytes(least, most));
    let count = |name, least, most| section.read(name, |value| value.count(least, most));
    let time = |name, least, most| section.read(name, |value| value.duration(least, most));
    let form_bytes = bytes("form_bytes", 8 * KIB, 1024 * KIB);
    let cookie_bytes = bytes("cookie_bytes", 8 * KIB, 64 * KIB);
    let target_bytes = bytes("target_bytes", KIB, 32 * KIB);
    let header_bytes = bytes("header_bytes", 8 * KIB, 128 * KIB);
    let header_count = count("header_count", 16, 250);
    let spent_attempts = count("spent_attempts", 1_000, 10_000_000);
    let kept_posts = bytes("kept_posts", 64 * KIB, 1024 * 1024 * KIB);
    let sessions = count("sessions", 1_000, 10_000_000);
    let ended_sessions = count("ended_sessions", 1_000, 10_000_000);
    let superid_timeout = time("superid_timeout", 1, 60);
    let handshake_timeout = time("handshake_timeout", 1, 60);
    let header_timeout = time("header_timeout", 1, 60);
    let body_grace = time("body_grace", 1, 600);
    let body_rate = count("body_rate", 1, 1_000_000);
    let form_timeout = time("form_timeout", 1, 600);
    let unread_body_timeout = time("unread_body_timeout", 1, 60);
    let write_timeout = time("write_timeout", 1, 600);
    let idle_timeout = time("idle_timeout", 5, 600);
    let drain_delay = time("drain_delay", 0, 600);
    let drain_idle = time("drain_idle", 0, 600);
    let drain_timeout = time("drain_timeout", 0, 3_600);
    let crowd = crowd(&section);
    Some(Limits {
        form_bytes: form_bytes?,
        cookie_bytes: cookie_bytes?,
        target_bytes: target_bytes?,
        header_bytes: header_bytes?,
        header_count: header_count?,
        spent_attempts: spent_attempts?,
        kept_posts: kept_posts?,
        sessions: sessions?,
        ended_sessions: ended_sessions?,
        superid_timeout: superid_timeout?,
        handshake_timeout: handshake_timeout?,
        header_timeout: header_timeout?,
        body_grace: body_grace?,
        body_rate: body_rate?,
        form_timeout: form_timeout?,
        unread_body_timeout: unread_body_timeout?,
        write_timeout: write_timeout?,
        idle_timeout: idle_timeout?,
        drain_delay: drain_delay?,
        drain_idle: drain_idle?,
        drain_timeout: drain_timeout?,
        crowd: crowd?,
    })
}

const KIB: usize = 1024;
