//! `sessions`: who is signed in, and ending it.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::cli::Verdict;

use super::asking::{Gateway, Part, date, shown, verdict};

/// What to do with sessions.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SessionsCommand {
    /// End one session, a person's, a tenant's, or all of them
    #[command(after_help = END_HELP)]
    End(End),
    /// List the living sessions of a tenant or a person
    #[command(after_help = LIST_HELP)]
    List(List),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    gateway: Gateway,
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    part: Part,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct End {
    #[command(flatten)]
    gateway: Gateway,
    #[command(flatten)]
    whose: Whose,
    /// The session of this id, as list prints it
    #[arg(long, value_name = "ID", conflicts_with_all = ["person", "tenant", "authority", "all"])]
    id: Option<String>,
    /// Everybody's
    #[arg(long, conflicts_with_all = ["person", "tenant", "authority"])]
    all: bool,
}

/// Whose sessions: a tenant's, a person's, or a person's in a tenant.
#[derive(Debug, Args)]
struct Whose {
    /// Those of this tenant, as in Cust12345
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// Those of this person, by the name the provider has for them
    #[arg(long, value_name = "PERSON")]
    person: Option<String>,
    /// Those of people this environment or provider vouched for; of all of them if left out
    #[arg(long, value_name = "NAME")]
    authority: Option<String>,
}

/// Does what is asked.
///
/// # Errors
/// No gateway answers, or there is no credential to ask it with.
pub(in crate::cli) fn sessions(
    command: &SessionsCommand,
    out: &mut dyn Write,
) -> io::Result<ExitCode> {
    match command {
        SessionsCommand::End(asked) => end(asked, out),
        SessionsCommand::List(asked) => list(asked, out),
    }
    .map(ExitCode::from)
}

fn list(asked: &List, out: &mut dyn Write) -> io::Result<Verdict> {
    let Some(api) = asked.gateway.find(out)? else { return Ok(Verdict::Problems) };
    let Whose { tenant, person, authority } = &asked.whose;
    let query = asked.part.query(&[
        ("tenant", tenant.as_deref()),
        ("person", person.as_deref()),
        ("authority", authority.as_deref()),
    ]);
    let told = api.told(("GET", &format!("/v1/sessions?{query}"), ""), out)?;
    let Some(told) = told else { return Ok(Verdict::Problems) };
    if asked.part.json {
        writeln!(out, "{told:#}")?;
        return Ok(Verdict::Fine);
    }
    let sessions = told["sessions"].as_array().map(Vec::as_slice).unwrap_or_default();
    for session in sessions {
        let member = |name: &str| shown(&session[name]);
        let (id, tenant, person) = (member("id"), member("tenant"), member("person"));
        let (since, used) = (date(&session["signed_in"]), date(&session["last_used"]));
        writeln!(out, "{id}  {tenant}  {person}  signed in {since}  last used {used}")?;
    }
    writeln!(out, "{}", counted(sessions.len()))?;
    if let Value::String(next) = &told["next"] {
        writeln!(out, "more: --after {next}")?;
    }
    Ok(Verdict::Fine)
}

fn end(asked: &End, out: &mut dyn Write) -> io::Result<Verdict> {
    let Some(posted) = asked.posted() else {
        writeln!(out, "say whose: --tenant, --person, --id (22 characters) or --all")?;
        return Ok(Verdict::Problems);
    };
    let Some(api) = asked.gateway.find(out)? else { return Ok(Verdict::Problems) };
    let done = match &asked.id {
        Some(id) => api.told(("DELETE", &format!("/v1/sessions/{id}"), ""), out)?,
        None => api.told(("POST", "/v1/revocations", &posted.to_string()), out)?,
    };
    let ended = done.map(|done| match done["everywhere"].as_bool() {
        Some(true) => writeln!(out, "ended"),
        _ => writeln!(out, "ended here; {}", shown(&done["message"])),
    });
    Ok(verdict(ended.transpose()?))
}

impl End {
    fn posted(&self) -> Option<Value> {
        let Whose { tenant, person, authority } = &self.whose;
        let mut posted = match (&self.id, person, tenant) {
            (Some(id), ..) if is_id(id) => json!({ "what": "session", "id": id }),
            (Some(_), ..) => return None,
            (None, Some(person), _) => json!({ "what": "person", "person": person }),
            (None, None, Some(_)) => json!({ "what": "tenant" }),
            (None, None, None) if self.all => json!({ "what": "everything" }),
            (None, None, None) => return None,
        };
        for (name, value) in [("tenant", tenant), ("authority", authority)] {
            if let Some(value) = value {
                posted[name] = value.as_str().into();
            }
        }
        Some(posted)
    }
}

/// Whether it may stand in an address.
fn is_id(id: &str) -> bool {
    id.len() == 22 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn counted(sessions: usize) -> String {
    match sessions {
        1 => "1 session".to_owned(),
        more => format!("{more} sessions"),
    }
}

pub(in crate::cli) const SESSIONS_HELP: &str = "\
Examples:
  superid-gateway sessions list --config gateway.toml --tenant Cust12345
  superid-gateway sessions end --config gateway.toml --person astrid@nordlys.example
  superid-gateway sessions end --config gateway.toml --tenant Cust12345

They ask the running gateway's admin API, with the first of admin.tokens.

Exit codes:
  0  done
  1  refused, or a problem in the configuration, and has been printed
  3  no gateway answers at the admin address, or there is no credential
  64 wrong arguments";
const LIST_HELP: &str = "\
Examples:
  superid-gateway sessions list --config gateway.toml --tenant Cust12345
  superid-gateway sessions list --config gateway.toml --person astrid@nordlys.example --json
  superid-gateway sessions list --admin 127.0.0.1:9321 --token-file admin.token --tenant Cust12345

With session.store = \"cookie\" there is no list: each browser has its own session.";
const END_HELP: &str = "\
Examples:
  superid-gateway sessions end --config gateway.toml --person astrid@nordlys.example
  superid-gateway sessions end --config gateway.toml --person astrid@nordlys.example --tenant Cust12345
  superid-gateway sessions end --config gateway.toml --tenant Cust12345
  superid-gateway sessions end --config gateway.toml --id mUQ1Zb0ZQk2uL0mYcJ5n3w
  superid-gateway sessions end --config gateway.toml --all

Works with every store, also with cookies. Who signs in afterwards has a new session.";
