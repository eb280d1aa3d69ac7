//! The logs and traces of a serving process: where they go, and in which form.

use std::io::{self, IsTerminal as _};

use crate::config::{LineDestination, LineForm, LogFormat, Settings};
use crate::telemetry::{
    AUDIT_LOG, AccessLog, AuditLog, Event, Exporter, Outlet, Tracer, Writer, log_through,
};

/// All of them, open until this is dropped: what was said before is written then.
pub(super) struct Logs {
    pub(super) access: Option<AccessLog>,
    pub(super) audit: AuditLog,
    pub(super) tracer: Option<Tracer>,
    _exporter: Option<Exporter>,
    log: Outlet,
    /// The audit log's first: its troubles are said in the log.
    _writers: (Option<Writer>, Writer),
}

impl Logs {
    /// Opens them, and sends the process's log there.
    ///
    /// # Errors
    /// When a file cannot be opened.
    pub(super) fn open(settings: &Settings) -> io::Result<Self> {
        let named = |key: &'static str| move |error| io::Error::other(format!("[{key}]: {error}"));
        let settings_of_log = &settings.log;
        let form = form(settings_of_log.format, &settings_of_log.to);
        let opened = Outlet::open("log", form, &settings_of_log.to);
        let (log, writer) = opened.map_err(named("log"))?;
        log_through(&log, settings_of_log.level);
        let audit = settings.audit.enabled.then(|| {
            Outlet::open(AUDIT_LOG, LineForm::Json, &settings.audit.to).map_err(named("audit"))
        });
        let (audit, audit_writer) = match audit.transpose()? {
            Some((outlet, writer)) => (AuditLog::through(outlet), Some(writer)),
            None => (AuditLog::default(), None),
        };
        let access = settings_of_log
            .access
            .then(|| AccessLog::through(log.clone(), &settings_of_log.access_fields));
        let traces = settings.traces.as_ref().map(Exporter::start).transpose();
        let (tracer, exporter) = traces.map_err(named("traces"))?.unzip();
        let writers = (audit_writer, writer);
        Ok(Self { access, audit, tracer, _exporter: exporter, log, _writers: writers })
    }

    /// Opens files anew, as after a rotation.
    pub(super) fn reopen(&self) {
        self.log.reopen();
        if let Some(audit) = self.audit.outlet() {
            audit.reopen();
        }
        tracing::info!("log files are opened anew");
        self.did("reopen_logs", None);
    }

    /// Records what somebody who runs the gateway did.
    pub(super) fn did(&self, action: &str, detail: Option<&str>) {
        self.audit.record(Event::AdminAction { action, user: None, detail });
    }
}

fn form(format: LogFormat, to: &LineDestination) -> LineForm {
    match format {
        LogFormat::Fixed(form) => form,
        LogFormat::Auto if *to == LineDestination::Stdout && io::stdout().is_terminal() => {
            LineForm::Human
        }
        LogFormat::Auto => LineForm::Json,
    }
}
