//! The command line: every command, its arguments, and the help.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::clock::Clock;
use crate::crypto::{Random, install_provider};

#[cfg(feature = "emulator")]
use super::arguments::{Demo, Emulated};
use super::vault::{VAULT_HELP, VaultCommand, vault};
use super::{Admin, Change, PartnerKeyCommand, Question, SessionKeyCommand, Show, Verdict};

/// Signs people in with SuperOffice's SuperID in front of any web app.
#[derive(Debug, Parser)]
#[command(name = "superid-gateway", version, about, arg_required_else_help = true)]
#[command(after_help = "To try it without a SuperOffice tenant:  superid-gateway demo")]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a configuration and print what to register at SuperOffice
    #[command(after_help = CHECK_HELP)]
    Check(Checked),
    /// Look at the configuration as a whole
    #[command(subcommand, after_help = CONFIG_HELP)]
    Config(ConfigCommand),
    /// A SuperID, an app and the gateway on this machine, to try it all out
    #[cfg(feature = "emulator")]
    #[command(after_help = DEMO_HELP)]
    Demo(Demo),
    /// The SuperID emulator alone, to develop an app against
    #[cfg(feature = "emulator")]
    #[command(after_help = EMULATOR_HELP)]
    Emulator(Emulated),
    /// Tell which route and rule a request meets, and what the app would be sent
    #[command(after_help = EXPLAIN_HELP)]
    Explain(Explain),
    /// Tell whether the gateway on this machine takes requests, for a container's health check
    #[command(after_help = HEALTH_HELP)]
    Health(Health),
    /// Make the key files a configuration asks for, or look at and convert partner keys
    #[command(after_help = KEYS_HELP)]
    #[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Keys(Keys),
    /// Let the running gateway read its configuration again, and tell whether it took it
    #[command(after_help = RELOAD_HELP)]
    Reload(Running),
    /// Serve
    #[command(after_help = RUN_HELP)]
    Run(Configured),
    /// Show how the running gateway stands: routes, SuperID, tickets, what was refused and why
    #[command(after_help = STATUS_HELP)]
    Status(Status),
    /// Let a new process take over from the running gateway, and tell whether it did
    #[command(after_help = UPGRADE_HELP)]
    Upgrade(Running),
    /// Look after the system user tokens that are kept
    #[command(subcommand, after_help = VAULT_HELP)]
    Vault(VaultCommand),
}

/// A configuration. Without a file it is what the environment says.
#[derive(Debug, Args)]
struct Configured {
    /// The TOML file, or a folder whose *.toml are read in order; the environment alone if left out
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Configured {
    /// The path; empty for the environment alone.
    fn path(&self) -> &Path {
        self.config.as_deref().unwrap_or(Path::new(""))
    }
}

#[derive(Debug, Args)]
struct Checked {
    #[command(flatten)]
    configured: Configured,
    /// Print the effective configuration too, as config show does
    #[arg(long)]
    show: bool,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print it as TOML with where each line comes from, without secrets
    #[command(after_help = CONFIG_HELP)]
    Show(Configured),
}

#[derive(Debug, Args)]
struct Keys {
    #[command(subcommand)]
    command: Option<KeyCommand>,
    /// The TOML file or folder whose missing key files are made
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    #[command(flatten)]
    Partner(PartnerKeyCommand),
    #[command(flatten)]
    Session(SessionKeyCommand),
}

#[derive(Debug, Args)]
struct Running {
    #[command(flatten)]
    configured: Configured,
    /// The admin listener of the running gateway, where it is not the configuration's
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,
}

#[derive(Debug, Args)]
struct Status {
    /// The TOML file that says where the admin listener is
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The admin listener of the running gateway, where it is not the configuration's
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,
    /// Print one JSON document on a line
    #[arg(long)]
    json: bool,
    /// Show it again every two seconds, until Ctrl-C
    #[arg(long)]
    watch: bool,
}

#[derive(Debug, Args)]
struct Health {
    #[command(flatten)]
    admin: AdminListener,
    /// Ask whether the process runs, whether it takes requests or not
    #[arg(long)]
    alive: bool,
    /// How long the answer may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=60))]
    deadline: u64,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct AdminListener {
    /// The TOML file, which says where the admin listener is
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The admin listener itself
    #[arg(long, value_name = "ADDRESS")]
    address: Option<SocketAddr>,
}

#[derive(Debug, Args)]
struct Explain {
    #[command(flatten)]
    configured: Configured,
    /// The request's method
    #[arg(value_name = "METHOD")]
    method: http::Method,
    /// The request's whole URL
    #[arg(value_name = "URL")]
    url: String,
}

/// Does what the command line says, and says how it went.
pub fn main() -> ExitCode {
    install_provider();
    let mut out = io::stdout();
    let command = match CommandLine::try_parse() {
        Ok(line) => line.command,
        Err(told) => {
            let _nowhere_to_print = told.print();
            return if told.use_stderr() { ExitCode::from(WRONG_USE) } else { ExitCode::SUCCESS };
        }
    };
    let done = match command {
        Command::Check(asked) => check(&asked, &mut out).map(ExitCode::from),
        Command::Config(ConfigCommand::Show(file)) => {
            super::show(file.path(), &mut out).map(ExitCode::from)
        }
        #[cfg(feature = "emulator")]
        Command::Demo(demo) => super::demo::demo(demo),
        #[cfg(feature = "emulator")]
        Command::Emulator(emulated) => super::emulate::emulate(emulated),
        Command::Explain(asked) => {
            super::explain(asked.configured.path(), &asked.method, &asked.url, &mut out)
                .map(ExitCode::from)
        }
        Command::Health(asked) => health(&asked, &mut out).map(ExitCode::from),
        Command::Keys(asked) => keys(&asked, &mut out).map(ExitCode::from),
        Command::Reload(asked) => change(Change::Reload, &asked, &mut out),
        Command::Run(file) => super::run::run(file.path()),
        Command::Status(asked) => status(&asked, &mut out).map(ExitCode::from),
        Command::Upgrade(asked) => change(Change::Upgrade, &asked, &mut out),
        Command::Vault(asked) => vault(asked, &mut out),
    };
    done.unwrap_or_else(|error| {
        eprintln!("superid-gateway: {error}");
        ExitCode::from(3)
    })
}

fn check(asked: &Checked, out: &mut dyn Write) -> io::Result<Verdict> {
    let path = asked.configured.path();
    let verdict = super::check(path, out)?;
    if asked.show && verdict == Verdict::Fine {
        writeln!(out)?;
        return super::show(path, out);
    }
    Ok(verdict)
}

fn health(asked: &Health, out: &mut dyn Write) -> io::Result<Verdict> {
    let admin = match (&asked.admin.config, asked.admin.address) {
        (_, Some(address)) => Admin::At(address),
        (config, None) => Admin::In(config.as_deref().expect("clap asks for one of the two")),
    };
    let question = if asked.alive { Question::Alive } else { Question::Ready };
    super::health(question, admin, Duration::from_secs(asked.deadline), out)
}

fn keys(asked: &Keys, out: &mut dyn Write) -> io::Result<Verdict> {
    let random = Random::system();
    match &asked.command {
        Some(KeyCommand::Partner(command)) => super::partner_keys(command, out),
        Some(KeyCommand::Session(command)) => {
            super::session_keys(command, (&random, Clock::system().now()), out)
        }
        None => super::keys(asked.config.as_deref().unwrap_or(Path::new("")), &random, out),
    }
}

fn status(asked: &Status, out: &mut dyn Write) -> io::Result<Verdict> {
    let show = if asked.json { Show::Json } else { Show::Page };
    let every = asked.watch.then_some(REDRAWN);
    super::status(show, asked.config.as_deref(), asked.admin, every, out)
}

fn change(change: Change, asked: &Running, out: &mut dyn Write) -> io::Result<ExitCode> {
    super::change(change, asked.configured.path(), asked.admin, out).map(ExitCode::from)
}

/// How often `status --watch` shows anew.
const REDRAWN: Duration = Duration::from_secs(2);
/// The command line itself is wrong: EX_USAGE of `sysexits.h`.
const WRONG_USE: u8 = 64;

const CONFIG_HELP: &str = "\
Example:
  superid-gateway config show --config gateway.toml

Each line says where its value comes from: a file and a line, a variable of the environment, or the
default. Of a secret only its place is shown. Exit codes are those of check.";
const CHECK_HELP: &str = "\
Examples:
  superid-gateway check --config gateway.toml
  superid-gateway check --show --config conf.d

SUPERID_GATEWAY__SECTION__KEY in the environment is laid over what the files say.

Exit codes:
  0  fine, perhaps with warnings
  1  problems, each printed as file:line:column key: what is wrong; what would be right
  2  the file cannot be read
  64 wrong arguments";
#[cfg(feature = "emulator")]
const DEMO_HELP: &str = "\
Examples:
  superid-gateway demo
  superid-gateway demo --port 8080 --json

Everything listens on this machine only and is gone with Ctrl-C.";
#[cfg(feature = "emulator")]
const EMULATOR_HELP: &str = "\
Example:
  superid-gateway emulator --port 7400 --client-id my-app --client-secret s3cret \\
      --redirect-uri http://localhost:8080/auth/callback

Point your program at http://127.0.0.1:7400 as you would at https://sod.superoffice.com.";
const EXPLAIN_HELP: &str = "\
Example:
  superid-gateway explain --config gateway.toml GET https://app.example/orders/7";
const HEALTH_HELP: &str = "\
Examples:
  superid-gateway health --config gateway.toml
  superid-gateway health --address 127.0.0.1:9321 --alive

Of the configuration only [admin] is read: no secret is needed. In a Dockerfile:
  HEALTHCHECK CMD [\"superid-gateway\", \"health\", \"--config\", \"/etc/superid-gateway/gateway.toml\"]

Exit codes:
  0  it takes requests; with --alive: the process runs
  1  it does not, for the reason printed
  64 wrong arguments";
const KEYS_HELP: &str = "\
Example:
  superid-gateway keys --config gateway.toml
  superid-gateway keys rotate --config gateway.toml
  superid-gateway keys list --config gateway.toml
  superid-gateway keys revoke 9f86d081 --config gateway.toml
  superid-gateway keys inspect partner-key.xml
  superid-gateway keys convert old.pem --passphrase-file FILE --to xml --out partner-key.xml

Encrypted keys want --passphrase-file or --passphrase-env NAME : nothing is ever asked for.
A file that is there already is never touched, unless convert has --overwrite .
Exit codes are those of check.";
const RELOAD_HELP: &str = "\
Example:
  superid-gateway reload --config gateway.toml

The configuration is checked first, as by check; with a problem the running gateway is not asked.

Exit codes:
  0  the new configuration is in force
  1  problems, each printed; the old configuration stays in force
  2  the configuration file cannot be read
  3  no gateway answers at the admin address, or it may not be sent a signal
  64 wrong arguments";
const STATUS_HELP: &str = "\
Examples:
  superid-gateway status
  superid-gateway status --config gateway.toml --watch
  superid-gateway status --admin 127.0.0.1:9321 --json

Without --config and --admin it asks 127.0.0.1:9321 . Counts are since the process began; times are
UTC. It shows no secrets and no names of people. NO_COLOR=1 switches colours off.

Exit codes:
  0  shown
  1  problems in the configuration, each printed
  2  the configuration file cannot be read
  3  no gateway answers at the admin address
  64 wrong arguments";
const UPGRADE_HELP: &str = "\
Example:
  superid-gateway upgrade --config gateway.toml

The running gateway starts the program of its own command line again, with the same arguments and
its sockets, and ends what it began when the new process serves.

Exit codes are those of reload: 0 when the new process serves, 1 when the old one goes on.";
const RUN_HELP: &str = "\
Example:
  superid-gateway run --config gateway.toml

The configuration is checked first, as by check; with a problem nothing starts.
SIGTERM or Ctrl-C: stop accepting, finish what is in flight, exit with 0. SIGHUP and SIGUSR2 are
what reload and upgrade send.

Exit codes:
  0  stopped when told to
  1  problems in the configuration
  2  the configuration file cannot be read
  3  an address, certificate or thread cannot be had
  64 wrong arguments";
