//! `keys inspect` and `keys convert`: what a partner key is, and the same key in another form.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use crate::crypto::{CannotSign, PartnerKey, Secret, WeakKeys};

use super::Verdict;
use crate::crypto::private_file;

/// What to do with a partner key.
#[derive(Debug, Subcommand)]
pub enum PartnerKeyCommand {
    /// Tell a partner key's form, size and fingerprint, and whether it signs here
    Inspect(KeySource),
    /// Write a partner key in another form, not encrypted, for its owner alone
    Convert(Conversion),
}

/// Where a partner key is, and what opens it.
#[derive(Debug, Args)]
pub struct KeySource {
    /// The key: RSAKeyValue XML, or PEM
    #[arg(value_name = "FILE")]
    pub key: PathBuf,
    /// The file with the pass phrase of an encrypted key
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_env")]
    pub passphrase_file: Option<PathBuf>,
    /// The environment variable with the pass phrase
    #[arg(long, value_name = "NAME")]
    pub passphrase_env: Option<String>,
}

/// A key, and what it is to become.
#[derive(Debug, Args)]
pub struct Conversion {
    #[command(flatten)]
    pub source: KeySource,
    /// The form to write
    #[arg(long, value_name = "FORM")]
    pub to: Form,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    pub overwrite: bool,
}

/// The forms a key can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// PEM with PKCS#8
    Pem,
    /// PEM with PKCS#1
    Pkcs1,
    /// RSAKeyValue XML, as .NET reads it
    Xml,
}

/// Does what is asked and prints how it went; never a key.
///
/// # Errors
/// Only when `out` cannot be written.
pub fn partner_keys(command: &PartnerKeyCommand, out: &mut dyn Write) -> io::Result<Verdict> {
    match command {
        PartnerKeyCommand::Inspect(source) => inspect(source, out),
        PartnerKeyCommand::Convert(conversion) => convert(conversion, out),
    }
}

fn inspect(source: &KeySource, out: &mut dyn Write) -> io::Result<Verdict> {
    let key = match read(source) {
        Ok(key) => key,
        Err(failed) => return failed.print(out),
    };
    let (signs, verdict) = match key.signing(WeakKeys::Accepted) {
        Ok(_) if key.is_weak() => ("only with weak_key = \"accepted\"", Verdict::Fine),
        Ok(_) => ("yes", Verdict::Fine),
        Err(CannotSign::Inconsistent) => {
            ("never: its numbers do not belong together", Verdict::Problems)
        }
        Err(CannotSign::Weak { .. } | CannotSign::WeakBuild { .. }) => {
            ("not in this build, which takes 2,048 bits and more", Verdict::Fine)
        }
    };
    writeln!(out, "{}: an RSA private key", source.key.display())?;
    writeln!(out, "  form         {}", key.form())?;
    writeln!(out, "  bits         {}", key.bits())?;
    writeln!(out, "  fingerprint  sha256 {}", key.fingerprint())?;
    writeln!(out, "  signs        {signs}")?;
    if key.is_weak() {
        let bits = key.bits();
        writeln!(out, "warning: {bits} bits are too few to trust; ask SuperOffice for a new key")?;
    }
    Ok(verdict)
}

fn convert(conversion: &Conversion, out: &mut dyn Write) -> io::Result<Verdict> {
    let key = match read(&conversion.source) {
        Ok(key) => key,
        Err(failed) => return failed.print(out),
    };
    let text = match conversion.to {
        Form::Pem => key.to_pem(),
        Form::Pkcs1 => key.to_pkcs1_pem(),
        Form::Xml => key.to_xml(),
    };
    let written = match conversion.overwrite {
        true => private_file::replace(&conversion.out, text.reveal()),
        false => private_file::create(&conversion.out, text.reveal()),
    };
    let name = conversion.out.display();
    match written {
        Ok(()) => {
            writeln!(out, "{name}: made, not encrypted; keep it safe")?;
            Ok(Verdict::Fine)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            writeln!(out, "{name}: there already, left as it is; --overwrite replaces it")?;
            Ok(Verdict::Problems)
        }
        Err(error) => {
            writeln!(out, "{name}: cannot be made: {error}")?;
            Ok(Verdict::Problems)
        }
    }
}

/// A line to print, and how the command ends.
struct Failed(String, Verdict);

impl Failed {
    fn print(self, out: &mut dyn Write) -> io::Result<Verdict> {
        writeln!(out, "{}", self.0)?;
        Ok(self.1)
    }
}

fn read(source: &KeySource) -> Result<PartnerKey, Failed> {
    let text = read_secret(&source.key)?;
    let passphrase = match (&source.passphrase_file, &source.passphrase_env) {
        (Some(file), _) => {
            let text = read_secret(file)?;
            Some(Secret::new(text.reveal().trim_end_matches(['\r', '\n']).to_owned()))
        }
        (None, Some(name)) => match env::var(name) {
            Ok(text) => Some(Secret::new(text)),
            Err(_) => {
                let line = format!("the environment variable {name} is not set; set {name}");
                return Err(Failed(line, Verdict::Problems));
            }
        },
        (None, None) => None,
    };
    PartnerKey::read(text.reveal(), passphrase.as_ref()).map_err(|refused| {
        let line = format!("{}: {refused}; {}", source.key.display(), refused.instead());
        Failed(line, Verdict::Problems)
    })
}

fn read_secret(path: &Path) -> Result<Secret, Failed> {
    let unreadable =
        |error| Failed(format!("{}: cannot be read: {error}", path.display()), Verdict::Unreadable);
    fs::read_to_string(path).map(Secret::new).map_err(unreadable)
}
