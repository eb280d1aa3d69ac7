//! `explain`: which route and rule a request meets.

use std::io::{self, Write};
use std::path::Path;

use crate::clock::Clock;
use crate::config;
use crate::crypto::Random;
use crate::gateway::{self, Site};

use super::{Verdict, check};

/// Prints what would happen to a request under a configuration; where that does not hold, what
/// `check` says of it.
///
/// # Errors
/// Only when `out` cannot be written.
pub fn explain(
    path: &Path,
    method: &http::Method,
    url: &str,
    out: &mut dyn Write,
) -> io::Result<Verdict> {
    let Ok(loaded) = config::load(path) else { return check(path, out) };
    let site = Site::new(loaded.settings, Clock::system(), Random::system());
    out.write_all(gateway::explain(&site, method, url).as_bytes())?;
    Ok(Verdict::Fine)
}
