//! `tenants`: what the vault has of them, and how their tickets stand.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use crate::cli::Verdict;

use super::asking::{Gateway, Part, date, shown};

/// Which tenants.
#[derive(Debug, Args)]
pub(in crate::cli) struct Tenants {
    #[command(flatten)]
    gateway: Gateway,
    /// This one alone, as in Cust12345
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    #[command(flatten)]
    part: Part,
}

/// Lists them.
///
/// # Errors
/// No gateway answers, or there is no credential to ask it with.
pub(in crate::cli) fn tenants(asked: &Tenants, out: &mut dyn Write) -> io::Result<ExitCode> {
    list(asked, out).map(ExitCode::from)
}

fn list(asked: &Tenants, out: &mut dyn Write) -> io::Result<Verdict> {
    let Some(api) = asked.gateway.find(out)? else { return Ok(Verdict::Problems) };
    let query = asked.part.query(&[("tenant", asked.tenant.as_deref())]);
    let told = api.told(("GET", &format!("/v1/tenants?{query}"), ""), out)?;
    let Some(told) = told else { return Ok(Verdict::Problems) };
    if asked.part.json {
        writeln!(out, "{told:#}")?;
        return Ok(Verdict::Fine);
    }
    let tenants = told["tenants"].as_array().map(Vec::as_slice).unwrap_or_default();
    for one in tenants {
        let member = |name: &str| shown(&one[name]);
        let name =
            format!("{}/{}/{}", member("environment"), member("client_id"), member("tenant"));
        writeln!(
            out,
            "{name}  vault: {}  ticket: {}",
            vault(&one["vault"]),
            ticket(&one["ticket"])
        )?;
    }
    match tenants.len() {
        1 => writeln!(out, "1 tenant")?,
        more => writeln!(out, "{more} tenants")?,
    }
    if let Value::String(next) = &told["next"] {
        writeln!(out, "more: --after {next}")?;
    }
    Ok(Verdict::Fine)
}

fn vault(entry: &Value) -> String {
    match entry["state"].as_str() {
        None => "nothing".to_owned(),
        Some("unopened") => format!("does not open: {}", shown(&entry["problem"])),
        Some("dormant") => format!("dormant since {}", date(&entry["dormant_since"])),
        Some(_) => format!("since {}", date(&entry["stored"])),
    }
}

fn ticket(ticket: &Value) -> String {
    let state = match ticket {
        Value::Null => return "none asked for".to_owned(),
        ticket => shown(&ticket["state"]),
    };
    match (ticket["age"].as_u64(), ticket["reason"].as_str()) {
        (_, Some(_)) => format!("{state}, {}", shown(&ticket["reason"])),
        (Some(age), None) => format!("{state}, {age} s old"),
        (None, None) => state,
    }
}

pub(in crate::cli) const TENANTS_HELP: &str = "\
Examples:
  superid-gateway tenants --config gateway.toml
  superid-gateway tenants --config gateway.toml --tenant Cust12345 --json

It asks the running gateway's admin API, with the first of admin.tokens. No token and no ticket is shown.

Exit codes are those of sessions.";
