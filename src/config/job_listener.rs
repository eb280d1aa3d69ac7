//! `[job_listener.NAME]`: an address background jobs call tenants through.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::web::Proxies;

use super::{JobCaller, Key, ListenAddress, Patience, Rate, RelyingParty, Table, Tls};

pub(super) const TABLE: Table = Table {
    header: "job_listener.NAME",
    keys: &[
        Key::defaulted("address", "\"127.0.0.1:8090\""),
        Key::defaulted("socket_mode", "\"0660\""),
        Key::optional("socket_owner", "\"superid-gateway\""),
        Key::optional("socket_group", "\"jobs\""),
        Key::optional("certificate", "\"certificate.pem\""),
        Key::optional("key", "\"certificate-key.pem\""),
        Key::optional("ocsp", "\"certificate.ocsp\""),
        Key::optional("named_certificate", "\"shop\""),
        Key::defaulted("tls_policy", "\"intermediate\""),
        Key::optional("client_ca", "\"callers-ca.pem\""),
        Key::optional("proxy_protocol_from", "[\"10.0.0.0/8\"]"),
        Key::optional("relying_party", "\"main\""),
        Key::optional("callers", "[\"nightly\"]"),
        Key::defaulted("hosts", "[]").such_as("[\"localhost:8090\"]"),
        Key::defaulted("connect_timeout", "\"5s\""),
        Key::defaulted("read_timeout", "\"5m\""),
        Key::defaulted("body_bytes", "\"100MiB\""),
        Key::defaulted("max_requests", "1024"),
        Key::defaulted("tenant_requests", "64"),
        Key::optional("tenant_rate", "\"10/s\""),
        Key::defaulted("tenant_queue", "1024"),
        Key::defaulted("queue_timeout", "\"30s\""),
        Key::defaulted("soap_credentials", "\"header\""),
    ],
};

/// Where background jobs call, and how much they may.
#[derive(Clone, Debug)]
pub struct JobListener {
    pub name: String,
    pub address: ListenAddress,
    pub tls: Option<Tls>,
    /// PEM file with the authorities whose client certificates are asked for.
    pub client_ca: Option<PathBuf>,
    /// Who says, in a PROXY header, whose each connection is; nobody else may connect then.
    pub introduced_by: Option<Proxies>,
    /// Whose system users make the calls.
    pub relying_party: Arc<RelyingParty>,
    /// Who may call.
    pub callers: Vec<Arc<JobCaller>>,
    /// What `Host` may be, lower case, where callers are trusted for where they are.
    pub hosts: Vec<String>,
    pub bounds: JobBounds,
    pub soap_credentials: SoapCredentials,
}

/// How much passes, in all and for each tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobBounds {
    /// How long a tenant may take.
    pub patience: Patience,
    /// The largest body of a request.
    pub body_bytes: usize,
    /// Calls in flight at once.
    pub max_requests: usize,
    /// Calls in flight at once to one tenant.
    pub tenant_requests: usize,
    /// Calls to one tenant in a time; SuperOffice allows custom apps ten a second
    /// (`superid.md` §6).
    pub tenant_rate: Option<Rate>,
    /// Calls to one tenant that wait for their turn.
    pub tenant_queue: usize,
    /// The longest a call waits for its turn.
    pub queue_timeout: Duration,
}

/// Where SOAP calls carry the credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SoapCredentials {
    /// In the SOAP header too: `ApplicationToken` and `Credentials/Ticket` (`superid.md` §6).
    Envelope,
    /// In HTTP headers alone, as REST calls do.
    Header,
}
