//! What commands do to a vault, for the audit log: who, what, and never a token.

use std::io;
use std::path::Path;

use crate::config::{self, LineDestination, LineForm};
use crate::telemetry::{AUDIT_LOG, AuditLog, Event, Outlet, Writer};

/// Whether a command does anything that has to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looks {
    /// It changes the vault, or shows what is sealed there.
    Beyond,
    /// At what anybody may see who may open it.
    Only,
}

/// Takes what a command did; it is written when this is dropped at the latest.
pub(super) struct Audited {
    log: AuditLog,
    _writer: Option<Writer>,
}

impl Audited {
    /// Opens the audit log of a configuration, for a command that has something to tell. What it would write to the standard output, which is
    /// the command's own, goes to the standard error.
    ///
    /// # Errors
    /// `[audit]` does not hold, or its file cannot be opened.
    pub(super) fn open(config: &Path, looks: Looks) -> io::Result<Self> {
        let nothing = Self { log: AuditLog::default(), _writer: None };
        if looks == Looks::Only {
            return Ok(nothing);
        }
        let named = |error: io::Error| io::Error::other(format!("[audit]: {error}"));
        let problems = |problems: config::Problems| io::Error::other(problems.to_string());
        let settings = config::load_audit(config).map_err(problems)?;
        if !settings.enabled {
            return Ok(nothing);
        }
        let (outlet, writer) = match &settings.to {
            LineDestination::Stdout => Outlet::to(AUDIT_LOG, LineForm::Json, io::stderr()),
            to => Outlet::open(AUDIT_LOG, LineForm::Json, to).map_err(named)?,
        };
        Ok(Self { log: AuditLog::through(outlet), _writer: Some(writer) })
    }

    /// Records that the user who called has done this.
    pub(super) fn did(&self, action: &str, detail: &str) {
        let user = format!("unix:{}", rustix::process::getuid().as_raw());
        let (user, detail) = (Some(&*user), Some(detail));
        self.log.record(Event::AdminAction { action, user, detail });
    }
}
