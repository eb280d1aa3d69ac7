//! One line for each request: what it says, and in which order.

use std::io::Write;
use std::sync::Arc;

use crate::config::{AccessField, LineForm};

use crate::web::Peer;

use super::outlet::{Outlet, Severity, Writer};
use super::spelling::Spelling;

/// Takes lines from all workers; cheap to clone.
#[derive(Clone)]
pub struct AccessLog {
    outlet: Outlet,
    fields: Arc<[AccessField]>,
}

/// What a line says. No query: codes, states and secrets ride there.
#[derive(Default)]
pub struct AccessLine<'a> {
    pub request_id: &'a str,
    pub client: Option<&'a str>,
    pub method: &'a str,
    pub host: Option<&'a str>,
    pub path: &'a str,
    /// 0 when the client left before an answer.
    pub status: u16,
    pub bytes: usize,
    pub micros: u64,
    pub route: Option<&'a str>,
    pub tenant: Option<&'a str>,
    /// The background job that calls, by its name in the configuration.
    pub caller: Option<&'a str>,
    pub detail: Option<&'a str>,
    pub protocol: &'a str,
    pub request_bytes: usize,
    pub trace_id: Option<&'a str>,
    pub upstream: Option<&'a str>,
    pub user: Option<&'a str>,
    pub user_agent: Option<&'a str>,
}

/// What is said of an HTTP/1 message that was refused by its bytes, before it was a request.
pub struct RefusedLine<'a> {
    pub client: Peer,
    pub status: u16,
    pub detail: &'a str,
}

impl AccessLog {
    /// With these fields, through an outlet.
    pub fn through(outlet: Outlet, fields: &[AccessField]) -> Self {
        Self { outlet, fields: fields.into() }
    }

    /// JSON with the ordinary fields, to `output`, until the writer is dropped.
    pub fn to(output: impl Write + Send + 'static) -> (Self, Writer) {
        let (outlet, writer) = Outlet::to("log", LineForm::Json, output);
        (Self::through(outlet, &AccessField::ordinary()), writer)
    }

    /// Whether lines have a field that costs something to find out.
    pub fn wants(&self, field: AccessField) -> bool {
        self.fields.contains(&field)
    }

    /// Where its lines go.
    pub fn outlet(&self) -> &Outlet {
        &self.outlet
    }

    /// Takes a line.
    pub fn write(&self, line: &AccessLine<'_>) {
        let form = self.outlet.form();
        self.outlet.take(Severity::Info, |out| line.spell(out, form, &self.fields));
    }

    /// Takes a line about what was refused.
    pub fn write_refused(&self, line: &RefusedLine<'_>) {
        let form = self.outlet.form();
        self.outlet.take(Severity::Info, |out| line.spell(out, form));
    }
}

impl AccessLine<'_> {
    fn spell(&self, out: &mut Vec<u8>, form: LineForm, fields: &[AccessField]) {
        let mut line = Spelling::begin(out, form, None, "request");
        for field in fields {
            match field {
                AccessField::Bytes => line.number(",\"bytes\":", self.bytes as u64),
                AccessField::Caller => line.text(",\"caller\":\"", self.caller),
                AccessField::Client => line.text(",\"client\":\"", self.client),
                AccessField::Detail => line.text(",\"detail\":\"", self.detail),
                AccessField::Duration => line.number(",\"duration_us\":", self.micros),
                AccessField::Host => line.text(",\"host\":\"", self.host),
                AccessField::Method => line.text(",\"method\":\"", Some(self.method)),
                AccessField::Path => line.text(",\"path\":\"", Some(self.path)),
                AccessField::Protocol => line.text(",\"protocol\":\"", Some(self.protocol)),
                AccessField::RequestBytes => {
                    line.number(",\"request_bytes\":", self.request_bytes as u64);
                }
                AccessField::RequestId => line.text(",\"request_id\":\"", Some(self.request_id)),
                AccessField::Route => line.text(",\"route\":\"", self.route),
                AccessField::Status => line.number(",\"status\":", u64::from(self.status)),
                AccessField::Tenant => line.text(",\"tenant\":\"", self.tenant),
                AccessField::TraceId => line.text(",\"trace_id\":\"", self.trace_id),
                AccessField::Upstream => line.text(",\"upstream\":\"", self.upstream),
                AccessField::User => line.text(",\"user\":\"", self.user),
                AccessField::UserAgent => line.text(",\"user_agent\":\"", self.user_agent),
            }
        }
        line.end();
    }
}

impl RefusedLine<'_> {
    fn spell(&self, out: &mut Vec<u8>, form: LineForm) {
        let mut line = Spelling::begin(out, form, None, "refused");
        line.text(",\"client\":\"", Some(&self.client.to_string()));
        line.number(",\"status\":", u64::from(self.status));
        line.text(",\"detail\":\"", Some(self.detail));
        line.end();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::spelling::MOST_LETTERS;
    use super::*;

    #[derive(Clone, Default)]
    struct Output(Arc<Mutex<Vec<u8>>>);

    impl Write for Output {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(form: LineForm, fields: &[AccessField], line: &AccessLine<'_>) -> String {
        let output = Output::default();
        let (outlet, writer) = Outlet::to("log", form, output.clone());
        AccessLog::through(outlet, fields).write(line);
        drop(writer);
        let written = output.0.lock().unwrap().clone();
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn a_line_is_one_json_object_whatever_the_path_holds() {
        let line = AccessLine {
            request_id: "1",
            method: "GET",
            host: Some("a\"b"),
            path: "/\u{1b}[31m\r\n\"}{",
            status: 200,
            bytes: 1,
            micros: 2,
            tenant: Some("Cust1"),
            detail: Some(&"x".repeat(5000)),
            ..AccessLine::default()
        };
        let text = written(LineForm::Json, &AccessField::ordinary(), &line);
        assert_eq!(text.matches('\n').count(), 1);
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["path"], "/\u{1b}[31m\r\n\"}{");
        assert_eq!(read["detail"].as_str().unwrap().len(), MOST_LETTERS);
        assert!(read.get("client").is_none() && read.get("user").is_none());
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn a_line_says_what_was_chosen_under_its_name_and_in_its_order() {
        let line = AccessLine {
            request_id: "1",
            client: Some("192.0.2.1"),
            method: "GET",
            host: Some("a.example"),
            path: "/",
            status: 200,
            route: Some("app"),
            tenant: Some("Cust1"),
            caller: Some("nightly"),
            detail: Some("none"),
            protocol: "HTTP/2",
            trace_id: Some("0af7651916cd43dd8448eb211c80319c"),
            upstream: Some("127.0.0.1:3000"),
            user: Some("astrid@nordlys.example"),
            user_agent: Some("a \"browser\""),
            ..AccessLine::default()
        };
        let mut every = AccessField::EVERY;
        every.reverse();
        let fields: Vec<_> = every.iter().map(|(_, field)| *field).collect();
        let text = written(LineForm::Json, &fields, &line);
        let mut from = 0;
        for (name, _) in every {
            let at =
                text.find(&format!(",\"{name}\":")).unwrap_or_else(|| panic!("{name}: {text}"));
            assert!(at > from, "{name} is not in its place: {text}");
            from = at;
        }
        let people =
            written(LineForm::Human, &[AccessField::Status, AccessField::UserAgent], &line);
        assert!(people.ends_with(" -     request status=200 user_agent=\"a \\\"browser\\\"\"\n"));
    }
}
