//! The commands of `vault`, their arguments, and the help.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::cli::Verdict;
use crate::identity::TenantKey;
use crate::vault::Name;

use super::audited::Looks;
use super::care::{forget, rewrap, verify};
use super::carry::{Present, Tokens, export, import};
use super::list::{Form, Token, list, show};
use super::open::{Making, Opened, run};
use super::outbox::{give_up, outbox};

/// What to do with a vault.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum VaultCommand {
    /// Write every entry to a new file, sealed
    #[command(after_help = EXPORT_HELP)]
    Export(Export),
    /// Delete an entry for good
    #[command(after_help = FORGET_HELP)]
    Forget(Forget),
    /// Take entries from an exported file, all of them or none
    #[command(after_help = IMPORT_HELP)]
    Import(Import),
    /// List the entries, without their tokens
    #[command(after_help = LIST_HELP)]
    List(Listed),
    /// List what waits to be told to apps by webhook, or give an event up
    #[command(after_help = OUTBOX_HELP)]
    Outbox(Outbox),
    /// Seal every entry with the first key of vault.keys
    #[command(after_help = REWRAP_HELP)]
    Rewrap(Configured),
    /// Show one entry
    #[command(after_help = SHOW_HELP)]
    Show(Show),
    /// Open every entry, look at the file or at Redis, and say what is wrong
    #[command(after_help = VERIFY_HELP)]
    Verify(Listed),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Configured {
    /// The TOML file or folder; of it only [vault] has to hold, and [redis] for a vault there. The
    /// environment alone if left out
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Configured {
    fn path(&self) -> &Path {
        self.config.as_deref().unwrap_or(Path::new(""))
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Listed {
    #[command(flatten)]
    configured: Configured,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    #[command(flatten)]
    listed: Listed,
    /// The entry, as list prints it
    #[arg(value_name = "ENVIRONMENT/CLIENT_ID/TENANT", value_parser = entry)]
    entry: TenantKey,
    /// Show the token too
    #[arg(long, requires = "yes_print_secrets")]
    token: bool,
    /// Yes, secrets may be printed
    #[arg(long)]
    yes_print_secrets: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    #[command(flatten)]
    configured: Configured,
    /// The file to make, for its owner alone
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Leave tokens unsealed, for whoever has the file
    #[arg(long, requires = "yes_print_secrets")]
    plain: bool,
    /// Yes, secrets may be printed
    #[arg(long)]
    yes_print_secrets: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    #[command(flatten)]
    configured: Configured,
    /// The file export made
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Take the file's entries also in the place of those that are there
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Outbox {
    #[command(flatten)]
    listed: Listed,
    /// Give this event up: the app is never told
    #[arg(long, value_name = "EVENT")]
    give_up: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Forget {
    #[command(flatten)]
    configured: Configured,
    /// The entry, as list prints it
    #[arg(value_name = "ENVIRONMENT/CLIENT_ID/TENANT", value_parser = entry)]
    entry: TenantKey,
}

/// Does what is asked.
///
/// # Errors
/// The vault cannot be had, or does not do it; then it has said why.
pub(in crate::cli) fn vault(command: VaultCommand, out: &mut dyn Write) -> io::Result<ExitCode> {
    let making = match command {
        VaultCommand::Import(_) => Making::Yes,
        _ => Making::No,
    };
    let work = async |opened: &Opened, out: &mut dyn Write| perform(&command, opened, out).await;
    run(command.config(), (making, command.looks()), out, work).map(ExitCode::from)
}

async fn perform(
    command: &VaultCommand,
    opened: &Opened,
    out: &mut dyn Write,
) -> io::Result<Verdict> {
    match command {
        VaultCommand::Export(Export { to, plain, .. }) => {
            let tokens = if *plain { Tokens::Plain } else { Tokens::Sealed };
            export(opened, to, tokens, out).await
        }
        VaultCommand::Forget(Forget { entry, .. }) => forget(opened, entry, out).await,
        VaultCommand::Import(Import { from, replace, .. }) => {
            let present = if *replace { Present::Replaced } else { Present::Kept };
            import(opened, from, present, out).await
        }
        VaultCommand::List(asked) => list(opened, asked.form(), out).await,
        VaultCommand::Outbox(Outbox { listed, give_up: None }) => {
            outbox(opened, listed.form(), out).await
        }
        VaultCommand::Outbox(Outbox { give_up: Some(id), .. }) => give_up(opened, id, out).await,
        VaultCommand::Rewrap(_) => rewrap(opened, out).await,
        VaultCommand::Show(Show { listed, entry, token, .. }) => {
            let token = if *token { Token::Shown } else { Token::Hidden };
            show(opened, entry, (listed.form(), token), out).await
        }
        VaultCommand::Verify(asked) => verify(opened, asked.form(), out).await,
    }
}

impl VaultCommand {
    fn looks(&self) -> Looks {
        match self {
            Self::Export(_) | Self::Forget(_) | Self::Import(_) | Self::Rewrap(_) => Looks::Beyond,
            Self::Outbox(Outbox { give_up: Some(_), .. }) => Looks::Beyond,
            Self::Show(Show { token: true, .. }) => Looks::Beyond,
            Self::List(_) | Self::Outbox(_) | Self::Show(_) | Self::Verify(_) => Looks::Only,
        }
    }

    fn config(&self) -> &Path {
        let configured = match self {
            Self::Export(asked) => &asked.configured,
            Self::Forget(asked) => &asked.configured,
            Self::Import(asked) => &asked.configured,
            Self::List(asked) | Self::Verify(asked) => &asked.configured,
            Self::Outbox(asked) => &asked.listed.configured,
            Self::Rewrap(configured) => configured,
            Self::Show(asked) => &asked.listed.configured,
        };
        configured.path()
    }
}

impl Listed {
    fn form(&self) -> Form {
        if self.json { Form::Json } else { Form::Text }
    }
}

/// A client id may hold a slash; an environment's name and a tenant's do not.
fn entry(text: &str) -> Result<TenantKey, String> {
    let parts = text.split_once('/').and_then(|(environment, rest)| {
        let (client_id, tenant) = rest.rsplit_once('/')?;
        Some((environment.to_owned(), client_id.to_owned(), tenant.to_owned()))
    });
    let name =
        parts.map(|(environment, client_id, tenant)| Name { environment, client_id, tenant });
    name.and_then(|name| name.key())
        .ok_or_else(|| "write environment, client id and tenant, as in sod/my-app/Cust12345".into())
}

pub(in crate::cli) const VAULT_HELP: &str = "\
Examples:
  superid-gateway vault list --config gateway.toml
  superid-gateway vault show --config gateway.toml sod/my-app/Cust12345
  superid-gateway vault show --config gateway.toml --token --yes-print-secrets sod/my-app/Cust12345
  superid-gateway vault export --config gateway.toml --to vault.jsonl
  superid-gateway vault export --config gateway.toml --plain --yes-print-secrets --to tokens.jsonl
  superid-gateway vault import --config gateway.toml --from vault.jsonl
  superid-gateway vault import --config gateway.toml --replace --from vault.jsonl
  superid-gateway vault forget --config gateway.toml sod/my-app/Cust12345
  superid-gateway vault outbox --config gateway.toml
  superid-gateway vault rewrap --config gateway.toml
  superid-gateway vault verify --json --config gateway.toml

All of them may run beside a gateway that serves.

Exit codes:
  0  done
  1  something is wrong with the configuration, an entry or a line, and has been printed
  2  the configuration file cannot be read
  3  the vault cannot be opened, read or written
  64 wrong arguments";
const LIST_HELP: &str = "\
Examples:
  superid-gateway vault list --config gateway.toml
  superid-gateway vault list --config gateway.toml --json

Ends with 1 when an entry does not open.";
const SHOW_HELP: &str = "\
Examples:
  superid-gateway vault show --config gateway.toml sod/my-app/Cust12345
  superid-gateway vault show --config gateway.toml --token --yes-print-secrets sod/my-app/Cust12345

Ends with 1 when there is no such entry, or it does not open.";
const EXPORT_HELP: &str = "\
Examples:
  superid-gateway vault export --config gateway.toml --to vault.jsonl
  superid-gateway vault export --config gateway.toml --to tokens.jsonl --plain --yes-print-secrets

One entry a line. What is sealed opens with the keys of vault.keys alone: keep them elsewhere. A file
that is there already is not touched. Ends with 1 when an entry does not open; the others are written.";
const IMPORT_HELP: &str = "\
Example:
  superid-gateway vault import --config gateway.toml --from vault.jsonl

Every line is checked first; with one that is wrong nothing is taken. An entry that is there already
counts as wrong without --replace. A vault that is not there is made.";
const FORGET_HELP: &str = "\
Example:
  superid-gateway vault forget --config gateway.toml sod/my-app/Cust12345

The tenant's administrator has to consent again to bring it back.";
const OUTBOX_HELP: &str = "\
Examples:
  superid-gateway vault outbox --config gateway.toml
  superid-gateway vault outbox --config gateway.toml --give-up evt_A1b2

What an app's webhook has not taken yet, the oldest first. Ends with 1 when an event does not open, or
there is none to give up.";
const REWRAP_HELP: &str = "\
Example:
  superid-gateway vault rewrap --config gateway.toml

Entries that do not open are left as they are; then it ends with 1. Once it ended with 0, the older
keys may leave vault.keys.";
const VERIFY_HELP: &str = "\
Examples:
  superid-gateway vault verify --config gateway.toml
  superid-gateway vault verify --config gateway.toml --json

Ends with 1 when something is wrong.";
