//! The limits somebody can meet, by the names operators know them by.

/// A limit; the names are those of the keys, with `route.` for those of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    BodyBytes,
    BodyRate,
    Connections,
    ConnectionsPerAddress,
    CookieBytes,
    /// File descriptors and memory: the machine's limit, not a key.
    Descriptors,
    FormBytes,
    H2ControlFrames,
    H2HeaderBytes,
    H2Streams,
    HandshakeTimeout,
    HeaderBytes,
    HeaderCount,
    HeaderTimeout,
    IdleTimeout,
    KeepPost,
    KeptPosts,
    Notices,
    RatePerAddress,
    RatePerSession,
    Requests,
    SignIns,
    SpentAttempts,
    TargetBytes,
    UpstreamRequests,
    WebsocketIdle,
    WriteTimeout,
}

impl Limit {
    pub const EVERY: [Self; 27] = [
        Self::BodyBytes,
        Self::BodyRate,
        Self::Connections,
        Self::ConnectionsPerAddress,
        Self::CookieBytes,
        Self::Descriptors,
        Self::FormBytes,
        Self::H2ControlFrames,
        Self::H2HeaderBytes,
        Self::H2Streams,
        Self::HandshakeTimeout,
        Self::HeaderBytes,
        Self::HeaderCount,
        Self::HeaderTimeout,
        Self::IdleTimeout,
        Self::KeepPost,
        Self::KeptPosts,
        Self::Notices,
        Self::RatePerAddress,
        Self::RatePerSession,
        Self::Requests,
        Self::SignIns,
        Self::SpentAttempts,
        Self::TargetBytes,
        Self::UpstreamRequests,
        Self::WebsocketIdle,
        Self::WriteTimeout,
    ];

    /// What metrics call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::BodyBytes => "route.body_bytes",
            Self::BodyRate => "body_rate",
            Self::Connections => "max_connections",
            Self::ConnectionsPerAddress => "max_connections_per_address",
            Self::CookieBytes => "cookie_bytes",
            Self::Descriptors => "descriptors",
            Self::FormBytes => "form_bytes",
            Self::H2ControlFrames => "h2_control_frames",
            Self::H2HeaderBytes => "h2_header_bytes",
            Self::H2Streams => "h2_streams",
            Self::HandshakeTimeout => "handshake_timeout",
            Self::HeaderBytes => "header_bytes",
            Self::HeaderCount => "header_count",
            Self::HeaderTimeout => "header_timeout",
            Self::IdleTimeout => "idle_timeout",
            Self::KeepPost => "route.keep_post",
            Self::KeptPosts => "kept_posts",
            Self::Notices => "notices_per_minute",
            Self::RatePerAddress => "route.rate.per_address",
            Self::RatePerSession => "route.rate.per_session",
            Self::Requests => "max_requests",
            Self::SignIns => "sign_ins_per_minute",
            Self::SpentAttempts => "spent_attempts",
            Self::TargetBytes => "target_bytes",
            Self::UpstreamRequests => "route.max_requests",
            Self::WebsocketIdle => "route.websocket_idle_timeout",
            Self::WriteTimeout => "write_timeout",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_stands_at_its_own_number() {
        for (number, limit) in Limit::EVERY.into_iter().enumerate() {
            assert_eq!(limit as usize, number, "{limit:?}");
        }
    }
}
