//! Every metric there is.
//!
//! One more is an entry here, a row in `docs/operations.md`, and whoever counts.
//! Counters and histograms are had from [`Registry`](super::Registry), once, where a configuration is
//! assembled; what stands is added to [`Levels`](super::Levels) when somebody reads. Labels are from
//! the configuration or from a fixed set of words; tenants alone are names from outside, and capped.

use super::family::{Family, Kind};

/// Declares each and lists all.
macro_rules! families {
    ($($constant:ident = $kind:ident $name:literal $labels:tt $help:literal;)*) => {
        $(#[doc = $help]
        pub const $constant: Family = Family {
            name: $name,
            kind: kind!($kind),
            labels: &$labels,
            help: $help,
        };)*

        /// In the order they are told.
        pub const EVERY: &[&Family] = &[$(&$constant),*];
    };
}

macro_rules! kind {
    (counter) => {
        Kind::Counter
    };
    (gauge) => {
        Kind::Gauge
    };
    (info) => {
        Kind::Info
    };
    (times) => {
        Kind::Histogram(BOUNDS)
    };
    (short_times) => {
        Kind::Histogram(SHORT_BOUNDS)
    };
}

families! {
    BUILD = info "superid_gateway_build" ["version"]
        "The version that runs; the value is 1.";

    REQUESTS = counter "superid_gateway_requests" ["route", "status", "outcome"]
        "Requests that ended, by route, class of status and whose answer it was.";
    REQUEST_DURATION = times "superid_gateway_request_duration_seconds" ["route"]
        "Time from a request's head to the end of its answer, WebSockets left out.";
    REQUESTS_IN_FLIGHT = gauge "superid_gateway_requests_in_flight" []
        "Requests in flight, open WebSockets among them.";
    ROUTE_REQUESTS_IN_FLIGHT = gauge "superid_gateway_route_requests_in_flight" ["route"]
        "Requests in flight that are for a route.";
    REFUSALS = counter "superid_gateway_refusals" ["reason"]
        "Requests refused, by reason.";
    LIMIT_HITS = counter "superid_gateway_limit_hits" ["limit"]
        "Times a limit or deadline was met, by its name.";
    DRAINED_REQUESTS = counter "superid_gateway_drained_requests" ["outcome"]
        "Requests that ended after the process was told to stop, by their end.";

    UPSTREAM_REQUESTS = counter "superid_gateway_upstream_requests" ["route", "outcome"]
        "Times an app or tenant was asked, by how that went.";
    UPSTREAM_RESPONSE = times "superid_gateway_upstream_response_seconds" ["route"]
        "Time from asking an app or tenant to the head of its answer, connecting included.";
    UPSTREAM_REQUESTS_IN_FLIGHT = gauge "superid_gateway_upstream_requests_in_flight" ["route"]
        "Requests in flight to the upstream of a route, from all routes that lead there.";
    UPSTREAM_SERVER_UP = gauge "superid_gateway_upstream_server_up" ["upstream", "server"]
        "Whether a server of an upstream is sent requests: 1 or 0.";
    UPSTREAM_SERVER_REQUESTS_IN_FLIGHT = gauge
        "superid_gateway_upstream_server_requests_in_flight" ["upstream", "server"]
        "Requests that a server of an upstream has.";
    UPSTREAM_SERVER_FAILURES = counter
        "superid_gateway_upstream_server_failures" ["upstream", "server", "kind"]
        "Requests a server failed: connect had no connection, answer no answer.";
    UPSTREAM_SERVER_EJECTIONS = counter
        "superid_gateway_upstream_server_ejections" ["upstream", "server"]
        "Times a server was left out for its failures.";
    TENANT_CALLS = counter "superid_gateway_tenant_calls" ["tenant", "status"]
        "Calls to tenants, by tenant and class of status.";

    SUPERID_CALLS = counter "superid_gateway_superid_calls" ["endpoint", "outcome"]
        "Calls to SuperID, by endpoint and how they went.";
    SUPERID_CALL_DURATION = times "superid_gateway_superid_call_duration_seconds" ["endpoint"]
        "Time calls to SuperID took, waiting for a place included.";

    SIGN_INS_BEGUN = counter "superid_gateway_sign_ins_begun" []
        "Times somebody was sent to SuperID to sign in.";
    SIGN_INS = counter "superid_gateway_sign_ins" ["outcome", "reason"]
        "Sign-ins that ended, by outcome, and failed ones by reason.";
    SESSIONS_MADE = counter "superid_gateway_sessions_made" []
        "Sessions that began.";
    SESSIONS_IN_MEMORY = gauge "superid_gateway_sessions_in_memory" []
        "Sessions kept in memory, those included that are over and were not taken out yet.";
    SESSIONS_RENEWED = counter "superid_gateway_sessions_renewed" []
        "Times a session cookie was written anew because its session is in use.";
    SESSIONS_ENDED = counter "superid_gateway_sessions_ended" ["reason"]
        "Sessions that ended, by what ended them.";
    SESSIONS_BY_LAST_WORD = counter "superid_gateway_sessions_by_last_word" []
        "Requests served by what the session store said before it stopped answering.";
    SESSIONS_OF_OLDER_KEYS = counter "superid_gateway_sessions_of_older_keys" []
        "Requests of sessions that were sealed with an older key, and are sealed with the first since.";
    SESSION_KEYS = gauge "superid_gateway_session_keys" ["key", "state"]
        "Keys of sessions by their names, and how each stands: seals, opens or revoked. The value is 1.";
    SESSION_REFRESHES = counter "superid_gateway_session_refreshes" ["outcome"]
        "Times the tokens of a session were to be had anew, by outcome.";
    SESSION_REVOCATIONS = counter "superid_gateway_session_revocations" ["what"]
        "Words that ended whatever sessions there were of something, by what they named.";
    REFRESH_TOKENS_REVOKED = counter "superid_gateway_refresh_tokens_revoked" ["outcome"]
        "Refresh tokens of ended sessions that were to be revoked at their provider, by outcome.";
    SESSION_COOKIES_REFUSED = counter "superid_gateway_session_cookies_refused" ["reason"]
        "Requests with a session cookie that counts for nothing, by why.";

    SESSION_CONNECTIONS_CLOSED = counter
        "superid_gateway_session_connections_closed" ["reason"]
        "Requests under way and WebSockets that were closed because their session is over, by why.";

    TENANTS = gauge "superid_gateway_tenants" ["state"]
        "Tenants whose state was asked for, by what is known of them.";
    TENANT_NOTICES = counter "superid_gateway_tenant_notices" ["outcome"]
        "State-change notices that came, by what became of them.";
    TICKETS = gauge "superid_gateway_tickets" ["state"]
        "Tenants whose system user ticket is looked after, by how it stands.";
    TICKET_LOOKUPS = counter "superid_gateway_ticket_lookups" ["answer"]
        "Times a system user ticket was wanted, by whether it was at hand.";
    TICKET_EXCHANGES = counter "superid_gateway_ticket_exchanges" ["outcome"]
        "Times SuperID was to be asked for a ticket, by outcome.";
    TICKET_RENEWALS = counter "superid_gateway_ticket_renewals" []
        "Times a younger ticket was looked for ahead of need.";
    TICKET_SHARES = counter "superid_gateway_ticket_shares" ["outcome"]
        "What the store that replicas share did for tickets, by outcome.";

    REDIS_UP = gauge "superid_gateway_redis_up" ["link"]
        "Whether a link to the store that replicas share is up: 1 or 0.";
    REDIS_COMMANDS = counter "superid_gateway_redis_commands" ["link", "outcome"]
        "Commands to the store that replicas share, by link and by how they ended.";
    REDIS_COMMAND_DURATION = short_times "superid_gateway_redis_command_seconds" ["link"]
        "How long commands to the store that replicas share took.";

    WEBHOOK_DELIVERIES = counter "superid_gateway_webhook_deliveries" ["outcome"]
        "Times an event was posted to the webhook of an app, by outcome.";
    WEBHOOK_EVENTS_SET_ASIDE = gauge "superid_gateway_webhook_events_set_aside" []
        "Events that are damaged and kept apart, told to nobody.";
    WEBHOOK_EVENTS_WAITING = gauge "superid_gateway_webhook_events_waiting" []
        "Events that wait until their app takes them.";
    WEBHOOK_OLDEST_EVENT = gauge "superid_gateway_webhook_oldest_event_seconds" []
        "How long the oldest event has waited for its app to take it.";

    CONNECTIONS_OPEN = gauge "superid_gateway_connections_open" []
        "Connections that are open.";
    CONNECTIONS_ACCEPTED = counter "superid_gateway_connections_accepted" []
        "Connections that were taken.";
    CONNECTIONS_REFUSED = counter "superid_gateway_connections_refused" ["limit"]
        "Connections that were closed at once, by the limit they met.";
    CONNECTIONS_YIELDED = counter "superid_gateway_connections_yielded" []
        "Connections that were closed because others waited for their place.";
    PROXY_HEADERS_REFUSED = counter "superid_gateway_proxy_headers_refused" ["reason"]
        "Connections that were closed for want of a PROXY header that is believed, by why.";
    TLS_HANDSHAKES = counter "superid_gateway_tls_handshakes" ["version"]
        "TLS handshakes that were done, by version.";
    TLS_HANDSHAKE_FAILURES = counter "superid_gateway_tls_handshake_failures" ["reason"]
        "TLS handshakes that came to nothing, by why.";

    TLS_CERTIFICATE_EXPIRY = gauge
        "superid_gateway_tls_certificate_expiry_timestamp_seconds" ["listener"]
        "When the certificate of a listener stops being valid, in seconds since 1970.";

    ACME_ORDERS = counter "superid_gateway_acme_orders" ["certificate", "outcome"]
        "Certificates that were ordered, by how that ended.";
    ACME_FAILURES = gauge "superid_gateway_acme_failures" ["certificate"]
        "Orders for a certificate that failed since one did not.";
    ACME_NEXT_ORDER = gauge "superid_gateway_acme_next_order_timestamp_seconds" ["certificate"]
        "When a certificate is ordered or renewed next, in seconds since 1970.";
    ACME_CERTIFICATE_EXPIRY = gauge
        "superid_gateway_acme_certificate_expiry_timestamp_seconds" ["certificate"]
        "When an ordered certificate stops being valid, in seconds since 1970; 0 while there is none.";

    CONFIG_RELOADS = counter "superid_gateway_config_reloads" ["outcome"]
        "New configurations that were offered, by whether they were taken.";
    CONFIG_LAST_RELOAD_SUCCESSFUL = gauge "superid_gateway_config_last_reload_successful" []
        "Whether the latest configuration that was offered is in force: 1 or 0.";
    CONFIG_LAST_RELOAD_SUCCESS_TIMESTAMP = gauge
        "superid_gateway_config_last_reload_success_timestamp_seconds" []
        "When the configuration in force was taken, in seconds since 1970.";

    LOG_LINES_LOST = counter "superid_gateway_log_lines_lost" ["log", "cause"]
        "Lines of the log and of the audit log that were not written, by why.";
    TRACE_SPANS = counter "superid_gateway_trace_spans" ["outcome"]
        "Spans of traces, by what became of them.";

    PROCESS_START_TIME = gauge "process_start_time_seconds" []
        "When the process began, in seconds since 1970.";
    PROCESS_CPU = counter "process_cpu_seconds" []
        "Time the process has spent on processors, of its own and of the system for it.";
    PROCESS_RESIDENT_MEMORY = gauge "process_resident_memory_bytes" []
        "Memory of the process that is real.";
    PROCESS_VIRTUAL_MEMORY = gauge "process_virtual_memory_bytes" []
        "Addresses the process has.";
    PROCESS_OPEN_FDS = gauge "process_open_fds" []
        "File descriptors that are open.";
    PROCESS_MAX_FDS = gauge "process_max_fds" []
        "File descriptors the process may have.";
    PROCESS_THREADS = gauge "process_threads" []
        "Threads of the process.";
}

/// In microseconds: 1 ms to 30 s.
const BOUNDS: &[u64] = &[
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000, 30_000_000,
];
/// In microseconds: from a socket on this machine to the longest timeout.
const SHORT_BOUNDS: &[u64] =
    &[500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000, 10_000_000];
