//! `run`: check the configuration, then serve until told to stop.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use crate::config::{self, Loaded};
use crate::server::{Options, Running};
use crate::telemetry::{AccessLog, Output, log_to};

use super::check;
use super::signals::told_to_stop;

/// Serves.
///
/// # Errors
/// When a listener, certificate, thread or signal handler cannot be had.
pub(super) fn run(path: &Path) -> io::Result<ExitCode> {
    let Ok(Loaded { settings, warnings }) = config::load(path) else {
        return check(path, &mut io::stderr()).map(Into::into);
    };
    log_to(Output::Stdout, &settings.log);
    for warning in &warnings {
        tracing::warn!("{warning}");
    }
    let (access, writer) = if settings.log.access {
        let (access, writer) = AccessLog::to(io::stdout());
        (Some(access), Some(writer))
    } else {
        (None, None)
    };
    let options = Options { access, ..Options::ordinary() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let running = Running::start(settings, options).await.map_err(io::Error::other)?;
        for (name, address) in running.addresses() {
            tracing::info!(listener = name.as_str(), %address, "listening");
        }
        if let Some(address) = running.admin() {
            tracing::info!(%address, "admin listening");
        }
        told_to_stop().await?;
        tracing::info!("stopping");
        running.stop().await;
        io::Result::Ok(())
    })?;
    drop(writer);
    Ok(ExitCode::SUCCESS)
}
