//! Where the admin API is, with which credential it is asked, and what it answers.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use form_urlencoded::Serializer;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::admin_client::{Question, send};
use crate::cli::{Verdict, check};
use crate::config::{self, AdminToken};
use crate::crypto::Secret;

/// The gateway to ask.
#[derive(Debug, Args)]
pub(super) struct Gateway {
    /// The TOML file or folder: of it [admin] says where to ask, and with which credential
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The admin listener of the running gateway, where it is not the configuration's
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,
    /// A file with one of admin.tokens, where it is not the configuration's first
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// The page of a list.
#[derive(Debug, Args)]
pub(super) struct Part {
    /// How many at most
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=200))]
    limit: u64,
    /// Where to go on, as the page before says
    #[arg(long, value_name = "NEXT")]
    after: Option<String>,
    /// Print the API's own JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// A gateway that can be asked.
pub(super) struct Api {
    address: SocketAddr,
    token: AdminToken,
}

impl Gateway {
    /// Finds it; `None` when the configuration does not hold, and then why is printed.
    ///
    /// # Errors
    /// There is no admin listener, or no credential.
    pub(super) fn find(&self, out: &mut dyn Write) -> io::Result<Option<Api>> {
        let given = self.token_file.as_deref().map(token).transpose()?;
        if let (Some(address), Some(token)) = (self.admin, &given) {
            return Ok(Some(Api { address, token: token.clone() }));
        }
        let path = self.config.as_deref().unwrap_or(Path::new(""));
        let Ok(admin) = config::load_admin(path) else {
            check(path, out)?;
            return Ok(None);
        };
        let address = self.admin.or(admin.address);
        let token = given.or_else(|| admin.tokens.into_iter().next());
        match (address, token) {
            (None, _) => Err(io::Error::other("the configuration has no admin listener to ask")),
            (_, None) => Err(io::Error::other(NO_TOKEN)),
            (Some(address), Some(token)) => Ok(Some(Api { address, token })),
        }
    }
}

impl Part {
    /// The query of this page.
    pub(super) fn query(&self, more: &[(&str, Option<&str>)]) -> String {
        let mut query = Serializer::new(String::new());
        query.append_pair("limit", &self.limit.to_string());
        let after = [("after", self.after.as_deref())];
        for (name, value) in more.iter().chain(&after) {
            value.map(|value| query.append_pair(name, value));
        }
        query.finish()
    }
}

impl Api {
    /// Asks, and reads what it answers.
    ///
    /// # Errors
    /// Nobody answers, or what answers is no gateway. A refusal is an answer.
    pub(super) fn ask(&self, method: &str, path: &str, body: &str) -> io::Result<(u16, Value)> {
        let failed = |why: &dyn std::fmt::Display| {
            io::Error::other(format!("no gateway answers at http://{}: {why}", self.address))
        };
        let bearer = Some(self.token.reveal());
        let question = Question { method, path, bearer, body };
        let answer = send(self.address, &question, PATIENCE).map_err(|error| failed(&error))?;
        let read = serde_json::from_str(&answer.body).map_err(|error| failed(&error))?;
        Ok((answer.status, read))
    }

    /// The same where only a document will do; `None` for a refusal, which is printed.
    pub(super) fn told(
        &self,
        (method, path, body): (&str, &str, &str),
        out: &mut dyn Write,
    ) -> io::Result<Option<Value>> {
        let (status, answer) = self.ask(method, path, body)?;
        if (200..300).contains(&status) {
            return Ok(Some(answer));
        }
        let text = |member: &str| visible(answer[member].as_str().unwrap_or("?"));
        writeln!(out, "{status} {}: {}", text("error"), text("message"))?;
        Ok(None)
    }
}

/// How a command ends that was answered.
pub(super) fn verdict(done: Option<()>) -> Verdict {
    done.map_or(Verdict::Problems, |()| Verdict::Fine)
}

/// A member of an answer as text; a terminal obeys control characters.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => visible(text),
        other => other.to_string(),
    }
}

/// Seconds since 1970 as a date.
pub(super) fn date(value: &Value) -> String {
    let date = value.as_i64().and_then(|time| OffsetDateTime::from_unix_timestamp(time).ok());
    date.and_then(|date| date.format(&Rfc3339).ok()).unwrap_or_else(|| "-".to_owned())
}

fn token(path: &Path) -> io::Result<AdminToken> {
    let failed = |why: String| io::Error::other(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    let token = AdminToken::new(Secret::new(text.trim_end().to_owned()));
    token.ok_or_else(|| failed("is no credential of 32 to 512 visible characters".to_owned()))
}

fn visible(text: &str) -> String {
    let escaped = |letter: char| match letter.is_control() {
        true => letter.escape_default().to_string(),
        false => letter.to_string(),
    };
    text.chars().map(escaped).collect()
}

const NO_TOKEN: &str = "no credential: write tokens = [{ file = \"admin.token\" }] in [admin], and run \
     `superid-gateway keys` and `reload`; or name one with --token-file";
/// Longer than the listener itself takes.
const PATIENCE: Duration = Duration::from_secs(12);
