//! `run`: check the configuration, then serve until told to stop.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use crate::config::{self, Loaded};
use crate::server::{Changed, Options, Running, Sockets, Wanted};
use crate::telemetry::Drained;

use super::link::Teller;
use super::logs::Logs;
use super::machine;
use super::predecessor::Predecessor;
use super::signals::{Signals, Told};
use super::succession::{Program, Successor};
use super::{check, service_manager};

/// Serves.
///
/// # Errors
/// When a listener, certificate, thread or signal handler cannot be had.
pub(super) fn run(path: &Path) -> io::Result<ExitCode> {
    let (program, sockets) = (Program::this()?, Sockets::from_environment()?);
    let mut predecessor = Predecessor::find()?;
    let Ok(Loaded { settings, warnings }) = config::load(path) else {
        return check(path, &mut io::stderr()).map(Into::into);
    };
    let logs = Logs::open(&settings)?;
    machine::prepare(settings.limits.crowd.connections);
    for warning in &warnings {
        tracing::warn!("{warning}");
    }
    let inherited = predecessor.as_mut().map(Predecessor::memory).transpose()?.unwrap_or_default();
    let open = sockets.assigned(&settings);
    let options = Options {
        access: logs.access.clone(),
        audit: logs.audit.clone(),
        tracer: logs.tracer.clone(),
        open,
        inherited,
        ..Options::ordinary()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut signals = Signals::new()?;
        let running = Running::start(settings, options).await.map_err(io::Error::other)?;
        for (name, address) in running.addresses() {
            tracing::info!(listener = name.as_str(), %address, "listening");
        }
        for (name, path) in running.paths() {
            tracing::info!(listener = name.as_str(), path = %path.display(), "listening");
        }
        if let Some(address) = running.admin() {
            tracing::info!(%address, "admin listening");
        }
        logs.did("start", None);
        service_manager::serves();
        predecessor.map(|predecessor| predecessor.relieve(&running)).transpose()?;
        serve(running, &mut signals, (path, &program), &logs).await;
        io::Result::Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Follows signals to the end.
async fn serve(
    mut running: Running,
    signals: &mut Signals,
    (path, program): (&Path, &Program),
    logs: &Logs,
) {
    let mut looking = tokio::time::interval(LOOK);
    let mut stored = running.stored();
    loop {
        let told = tokio::select! {
            told = signals.next() => told,
            Ok(()) = stored.changed() => {
                look_at_certificates(&mut running, logs);
                continue;
            }
            _ = looking.tick() => {
                look_at_certificates(&mut running, logs);
                continue;
            }
        };
        match told {
            Told::Reload => reload(&mut running, path),
            Told::Reopen => logs.reopen(),
            Told::Stop => break,
            Told::Upgrade => match upgraded(&running, signals, program).await {
                Upgraded::Not => {}
                Upgraded::Stop => break,
                Upgraded::Taken(teller) => {
                    running.leave_to_successor().await;
                    tracing::info!("the new process serves; this one ends what it began");
                    logs.did("hand_over", None);
                    stopped(running.hand_over().await);
                    return teller.finish();
                }
            },
        }
    }
    tracing::info!("stopping");
    logs.did("stop", None);
    service_manager::stops();
    stopped(running.stop().await);
}

/// Certificates are replaced in their files by whoever renews them, and nobody has to tell us.
fn look_at_certificates(running: &mut Running, logs: &Logs) {
    for (listener, looked) in running.look_at_certificates() {
        match looked {
            Ok(()) => {
                logs.did("new_certificate", Some(&listener));
                tracing::info!(listener, "the new certificate is shown from now on");
            }
            Err(error) => {
                tracing::error!(listener, "the old certificate is shown further: {error}");
            }
        }
    }
}

/// Between two looks at the files of certificates.
const LOOK: Duration = Duration::from_secs(30);

fn stopped(drained: Drained) {
    let Drained { closed, cut, finished } = drained;
    tracing::info!(finished, cut, closed, "stopped; requests that were in flight are counted");
}

/// How an upgrade went.
enum Upgraded {
    /// Nobody took over, and the log says why.
    Not,
    /// This process was told to stop meanwhile.
    Stop,
    Taken(Teller),
}

/// Starts a process that takes over, and waits until it serves.
async fn upgraded(running: &Running, signals: &mut Signals, program: &Program) -> Upgraded {
    tracing::info!("starting a process that takes over");
    let taken = async { Successor::start(program, running)?.serves().await };
    tokio::select! {
        taken = taken => match taken {
            Ok(teller) => Upgraded::Taken(teller),
            Err(error) => {
                running.report(Wanted::Upgrade, Changed::Refused, vec![error.to_string()]);
                tracing::error!("nobody took over, this process goes on serving: {error}");
                Upgraded::Not
            }
        },
        () = signals.stop() => Upgraded::Stop,
    }
}

/// Loads and checks the file again and puts it in force; where anything is wrong with it, says so
/// and changes nothing. What the log tells, the admin listener knows by then.
fn reload(running: &mut Running, path: &Path) {
    service_manager::reloads();
    match reloaded(running, path) {
        Ok(warnings) => {
            running.report(Wanted::Configuration, Changed::Taken, warnings);
            tracing::info!("the new configuration is in force");
            service_manager::reloaded("serving");
        }
        Err(reasons) => {
            let outcome = format!("the old configuration stays in force: {}", reasons.join("\n"));
            running.report(Wanted::Configuration, Changed::Refused, reasons);
            tracing::error!("{outcome}");
            service_manager::reloaded(&outcome);
        }
    }
}

/// The warnings, or why not.
fn reloaded(running: &mut Running, path: &Path) -> Result<Vec<String>, Vec<String>> {
    let lines = |text: String| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let loaded = config::load(path).map_err(|problems| lines(problems.to_string()));
    let Loaded { settings, warnings } = loaded.inspect_err(|why| running.not_reloaded(why))?;
    for warning in &warnings {
        tracing::warn!("{warning}");
    }
    running.reload(settings).map_err(|error| lines(error.to_string()))?;
    Ok(warnings.iter().map(|warning| format!("{warning} (warning)")).collect())
}
