//! What is known of a connection to a job listener before its first request.

use std::fmt;
use std::sync::OnceLock;

/// The job listener a connection came to, and the client certificate it showed.
pub struct JobDoor {
    listener: String,
    certificate: OnceLock<Certificate>,
}

/// Says whether a certificate stands for a DNS name.
type Certificate = Box<dyn Fn(&str) -> bool + Send + Sync>;

impl JobDoor {
    /// A connection to the listener of this name.
    pub fn new(listener: &str) -> Self {
        Self { listener: listener.to_owned(), certificate: OnceLock::new() }
    }

    /// The name of the listener.
    pub fn listener(&self) -> &str {
        &self.listener
    }

    /// It has shown a certificate that its listener's authorities vouch for; `stands_for` says
    /// whether a DNS name is in it.
    pub fn showed(&self, stands_for: impl Fn(&str) -> bool + Send + Sync + 'static) {
        let _once = self.certificate.set(Box::new(stands_for));
    }

    /// Whether the certificate it showed, if any, stands for this DNS name.
    pub fn is_certified_as(&self, name: &str) -> bool {
        self.certificate.get().is_some_and(|stands_for| stands_for(name))
    }
}

impl fmt::Debug for JobDoor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "JobDoor({})", self.listener)
    }
}
