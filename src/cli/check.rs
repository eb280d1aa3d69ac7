//! `check`: everything wrong with a configuration, and what to register at SuperOffice.

use std::io::{self, Write};
use std::path::Path;

use crate::config::{self, Given, Loaded, Problem, Problems, Settings};

use super::Verdict;

/// Prints each problem and each warning on a line of its own, then a summary; for a configuration
/// that holds also the addresses to register.
///
/// # Errors
/// Only when `out` cannot be written.
pub fn check(path: &Path, out: &mut dyn Write) -> io::Result<Verdict> {
    let file = called(path);
    match config::load(path) {
        Ok(Loaded { settings, warnings }) => {
            print_warnings(&warnings, out)?;
            writeln!(out, "{file}: fine, {}", counted(warnings.len(), "warning"))?;
            print_summary(&settings, out)?;
            print_registrations(&settings, out)?;
            Ok(Verdict::Fine)
        }
        Err(Problems::Found { problems, warnings }) => {
            for problem in &problems {
                writeln!(out, "{problem}")?;
            }
            print_warnings(&warnings, out)?;
            let (problems, warnings) = (problems.len(), warnings.len());
            let found = counted(problems, "problem");
            writeln!(out, "{file}: {found}, {}", counted(warnings, "warning"))?;
            Ok(Verdict::Problems)
        }
        Err(unreadable @ Problems::Unreadable { .. }) => {
            writeln!(out, "{unreadable}")?;
            Ok(Verdict::Unreadable)
        }
    }
}

/// The effective configuration as TOML, each line with where it comes from, without secrets; for one
/// that does not hold, what `check` says of it.
///
/// # Errors
/// Only when `out` cannot be written.
pub fn show(path: &Path, out: &mut dyn Write) -> io::Result<Verdict> {
    let variable = |name: &str| std::env::var(name).ok();
    match Given::read(path).and_then(|given| config::show(&given, &variable)) {
        Ok(text) => {
            out.write_all(text.as_bytes())?;
            Ok(Verdict::Fine)
        }
        Err(_) => check(path, out),
    }
}

/// What a configuration is called.
fn called(path: &Path) -> String {
    match path.as_os_str().is_empty() {
        true => "the environment".to_owned(),
        false => path.display().to_string(),
    }
}

fn print_warnings(warnings: &[Problem], out: &mut dyn Write) -> io::Result<()> {
    warnings.iter().try_for_each(|warning| writeln!(out, "{warning} (warning)"))
}

fn print_summary(settings: &Settings, out: &mut dyn Write) -> io::Result<()> {
    let Settings { listeners, hosts, job_listeners, relying_parties, routes, .. } = settings;
    write!(
        out,
        "{}, {}, {}, {}",
        counted(listeners.len(), "listener"),
        counted(hosts.len(), "host"),
        counted(relying_parties.len(), "relying part"),
        counted(routes.len(), "route"),
    )?;
    if !job_listeners.is_empty() {
        write!(out, ", {}", counted(job_listeners.len(), "job listener"))?;
    }
    writeln!(out)
}

fn print_registrations(settings: &Settings, out: &mut dyn Write) -> io::Result<()> {
    let registrations = config::registrations(settings);
    if registrations.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nRegister at SuperOffice, letter by letter:")?;
    for registration in registrations {
        let name = &registration.relying_party;
        writeln!(
            out,
            "\n{name}: client id {} in {}",
            registration.client_id, registration.environment
        )?;
        for url in &registration.redirect_urls {
            writeln!(out, "  redirect URL     {url}")?;
        }
        for url in &registration.post_logout_urls {
            writeln!(out, "  post-logout URL  {url}")?;
        }
        for url in &registration.error_urls {
            writeln!(out, "  error callback   {url}")?;
        }
        for url in &registration.notice_urls {
            writeln!(out, "  state changes    {url}")?;
        }
        if registration.redirect_urls.is_empty() {
            writeln!(out, "  nothing: no host uses it")?;
        }
    }
    Ok(())
}

/// `1 route`, `2 routes`, and the one word of ours that ends in `y`.
fn counted(count: usize, noun: &str) -> String {
    let ending = match (noun.ends_with("part"), count) {
        (true, 1) => "y",
        (true, _) => "ies",
        (false, 1) => "",
        (false, _) => "s",
    };
    format!("{count} {noun}{ending}")
}
