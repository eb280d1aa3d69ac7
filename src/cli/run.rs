//! `run`: check the configuration, then serve until told to stop.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use crate::config::{self, Loaded};
use crate::server::{Options, Running};
use crate::telemetry::{AccessLog, Output, log_to};

use super::check;
use super::machine;
use super::signals::{Signals, Told};

/// Serves.
///
/// # Errors
/// When a listener, certificate, thread or signal handler cannot be had.
pub(super) fn run(path: &Path) -> io::Result<ExitCode> {
    let Ok(Loaded { settings, warnings }) = config::load(path) else {
        return check(path, &mut io::stderr()).map(Into::into);
    };
    log_to(Output::Stdout, &settings.log);
    machine::prepare(settings.limits.crowd.connections);
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
        let mut signals = Signals::new()?;
        let mut running = Running::start(settings, options).await.map_err(io::Error::other)?;
        for (name, address) in running.addresses() {
            tracing::info!(listener = name.as_str(), %address, "listening");
        }
        if let Some(address) = running.admin() {
            tracing::info!(%address, "admin listening");
        }
        while signals.next().await == Told::Reload {
            reload(&mut running, path);
        }
        tracing::info!("stopping");
        running.stop().await;
        io::Result::Ok(())
    })?;
    drop(writer);
    Ok(ExitCode::SUCCESS)
}

/// Loads and checks the file again and puts it in force; where anything is wrong with it, says so
/// and changes nothing.
fn reload(running: &mut Running, path: &Path) {
    match config::load(path) {
        Ok(Loaded { settings, warnings }) => {
            for warning in &warnings {
                tracing::warn!("{warning}");
            }
            match running.reload(settings) {
                Ok(()) => tracing::info!("the new configuration is in force"),
                Err(error) => tracing::error!("the old configuration stays in force: {error}"),
            }
        }
        Err(problems) => {
            tracing::error!("the old configuration stays in force: {problems}");
        }
    }
}
