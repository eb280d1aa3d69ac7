//! The log: JSON lines, ours and the libraries' we stand on.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Log, LogLevel};

/// Where log lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    Stderr,
    Stdout,
}

/// Sends the process's log to `output`. Only the first call of a process counts.
///
/// Libraries speak from `warn` on: at finer levels pingora prints whole request headers, tokens
/// among them.
pub fn log_to(output: Output, settings: &Log) {
    let ours = match settings.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
    };
    let filter = Targets::new()
        .with_default(LevelFilter::WARN.min(ours))
        .with_target("superid_gateway", ours);
    let format = tracing_subscriber::fmt::layer().json().flatten_event(true).with_ansi(false);
    let registry = tracing_subscriber::registry().with(filter);
    let _already = match output {
        Output::Stderr => registry.with(format.with_writer(std::io::stderr)).try_init(),
        Output::Stdout => registry.with(format.with_writer(std::io::stdout)).try_init(),
    };
}
