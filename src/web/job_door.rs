//! What is known of a connection to a job listener before its first request.

use std::fmt;
use std::sync::OnceLock;

/// The job listener a connection came to, and the client certificate it showed.
pub struct JobDoor {
    listener: String,
    certificate: OnceLock<Shown>,
}

/// A client certificate that the listener's authorities vouched for when it was shown.
pub struct Shown {
    /// Whether it stands for a DNS name.
    pub stands_for: Box<dyn Fn(&str) -> bool + Send + Sync>,
    /// Whether all of those authorities are the listener's still. Who vouched for it is not known
    /// apart.
    pub is_believed: Box<dyn Fn() -> bool + Send + Sync>,
}

impl JobDoor {
    /// A connection to the listener of this name.
    pub fn new(listener: &str) -> Self {
        Self { listener: listener.to_owned(), certificate: OnceLock::new() }
    }

    /// The name of the listener.
    pub fn listener(&self) -> &str {
        &self.listener
    }

    /// It has shown a certificate.
    pub fn showed(&self, shown: Shown) {
        let _once = self.certificate.set(shown);
    }

    /// Whether the certificate it showed, if any, is believed now and stands for this DNS name.
    pub fn is_certified_as(&self, name: &str) -> bool {
        let shown = self.certificate.get();
        shown.is_some_and(|shown| (shown.is_believed)() && (shown.stands_for)(name))
    }

    /// Whether it showed a certificate that is not believed any more: its client has to come anew.
    pub fn has_lapsed(&self) -> bool {
        self.certificate.get().is_some_and(|shown| !(shown.is_believed)())
    }
}

impl fmt::Debug for JobDoor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "JobDoor({})", self.listener)
    }
}
