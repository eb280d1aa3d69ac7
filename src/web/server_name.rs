//! The host that a client named in TLS, and the hosts it may speak to on that connection.

use std::fmt;
use std::sync::{Arc, OnceLock};

/// What a client asked for in its TLS hello (RFC 6066 §3), and which other hosts the certificate
/// it was shown stands for.
pub struct ServerName {
    asked: String,
    covers: Box<dyn Fn(&str) -> bool + Send + Sync>,
}

/// Where a connection keeps it: set once, when TLS is done and the client named a host.
pub type NamedInTls = Arc<OnceLock<ServerName>>;

impl ServerName {
    /// `covers` says whether a host stands in the certificate.
    pub fn new(asked: &str, covers: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self { asked: asked.to_ascii_lowercase(), covers: Box::new(covers) }
    }

    /// Whether a request for `authority`, lower case, may come on this connection: for the host that
    /// was named, or for one of the same certificate, as clients that share connections do (RFC
    /// 9110 §7.4, RFC 9113 §9.1.1).
    pub fn leads_to(&self, authority: &str) -> bool {
        let host = host_of(authority);
        host == host_of(&self.asked) || (self.covers)(host)
    }
}

impl fmt::Debug for ServerName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ServerName({})", self.asked)
    }
}

/// Without port, brackets and the dot at its end.
fn host_of(authority: &str) -> &str {
    let host = match authority.strip_prefix('[') {
        Some(literal) => literal.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.strip_suffix('.').unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_leads_to_the_host_it_named_and_to_those_of_its_certificate() {
        let name = ServerName::new("App.Example", |host| host == "other.example" || host == "::1");
        for authority in
            ["app.example", "app.example:8443", "app.example.", "other.example", "[::1]:443"]
        {
            assert!(name.leads_to(authority), "{authority}");
        }
        for authority in ["x.app.example", "example", "evil.example", "app.example.evil", "", ":1"]
        {
            assert!(!name.leads_to(authority), "{authority}");
        }
    }
}
