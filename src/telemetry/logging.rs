//! The log: lines of ours and of the libraries we stand on, spelled here and written by an outlet.

use std::fmt::{Debug, Write as _};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::LogLevel;

use super::outlet::{Outlet, Severity};
use super::spelling::Spelling;

/// Sends the process's log through `outlet`. Only the first call of a process counts.
///
/// Libraries speak from `warn` on: at finer levels pingora prints whole request headers, tokens
/// among them.
pub fn log_through(outlet: &Outlet, level: LogLevel) {
    let ours = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
    };
    let filter = Targets::new()
        .with_default(LevelFilter::WARN.min(ours))
        .with_target("superid_gateway", ours)
        // It warns of answers to pings that are not its own: a connection that is to go has one
        // (`server/http2/forewarning.rs`), and anybody can send more.
        .with_target("h2::proto::ping_pong", LevelFilter::ERROR);
    let lines = Lines(outlet.clone());
    let _already = tracing_subscriber::registry().with(filter).with(lines).try_init();
}

/// Makes a line of each event.
struct Lines(Outlet);

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let (severity, level) = match *event.metadata().level() {
            Level::ERROR => (Severity::Error, "ERROR"),
            Level::WARN => (Severity::Warning, "WARN"),
            _ => (Severity::Info, "INFO"),
        };
        let mut said = Said::default();
        event.record(&mut said);
        let target = said.target.as_deref().unwrap_or(event.metadata().target());
        self.0.say(severity, |out| {
            let mut line = Spelling::begin(out, self.0.form(), Some(level), &said.message);
            for (name, value) in &said.members {
                match value {
                    Value::Number(value) => line.number(&format!(",\"{name}\":"), *value),
                    Value::Text(value) => line.text(&format!(",\"{name}\":\""), Some(value)),
                }
            }
            line.text(",\"target\":\"", Some(target));
            line.end();
        });
    }
}

/// What an event says.
#[derive(Default)]
struct Said {
    message: String,
    members: Vec<(&'static str, Value)>,
    /// Where a library's line comes from that went through the `log` crate.
    target: Option<String>,
}

enum Value {
    Number(u64),
    Text(String),
}

impl Visit for Said {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.members.push((field.name(), Value::Number(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        let _infallible = write!(text, "{value:?}");
        match field.name() {
            "message" => self.message = text,
            "log.target" => self.target = Some(text.trim_matches('"').to_owned()),
            name if name.starts_with("log.") => {}
            name => self.members.push((name, Value::Text(text))),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message = value.to_owned(),
            "log.target" => self.target = Some(value.to_owned()),
            name if name.starts_with("log.") => {}
            name => self.members.push((name, Value::Text(value.to_owned()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::config::LineForm;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_is_one_line_with_its_members_whatever_they_hold() {
        let paper = Paper::default();
        let (outlet, writer) = Outlet::to("log", LineForm::Json, paper.clone());
        let subscriber = tracing_subscriber::registry().with(Lines(outlet));
        tracing::subscriber::with_default(subscriber, || {
            let nasty = "a\n\u{1b}[31m\"b\"";
            tracing::warn!(tenant = %nasty, count = 3_u64, found = ?Some(1), "said: {nasty}");
        });
        drop(writer);
        let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        assert!(!text.contains('\u{1b}'));
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&line["level"], &line["message"]),
            (&"WARN".into(), &"said: a\n\u{1b}[31m\"b\"".into())
        );
        assert_eq!(
            (&line["tenant"], &line["found"]),
            (&"a\n\u{1b}[31m\"b\"".into(), &"Some(1)".into())
        );
        assert_eq!(line["count"], 3);
        assert!(line["target"].as_str().unwrap().ends_with("logging::tests"));
    }
}
