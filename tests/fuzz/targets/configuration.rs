//! A configuration: refused with reasons that hold no secret, or one that can be put in force.

use std::path::Path;

use superid_gateway::clock::{Clock, Timestamp};
use superid_gateway::config::{Problems, load_text, registrations};
use superid_gateway::crypto::Random;
use superid_gateway::gateway::Site;

/// Reads them as the file.
pub fn configuration(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    // Some files of the machine never end.
    if text.contains("/dev") || text.contains("/proc") || text.contains('\\') {
        return false;
    }
    let load =
        || load_text(text, "fuzz.toml", Path::new("no such folder"), &|_| Some(HIDDEN.into()));
    match load() {
        Ok(loaded) => {
            assert!(!loaded.settings.hosts.is_empty() && !loaded.settings.routes.is_empty());
            registrations(&loaded.settings);
            let clock = Clock::manual(Timestamp(1_700_000_000));
            Site::new(loaded.settings, clock, Random::counting());
            true
        }
        Err(Problems::Found { problems, warnings }) => {
            assert!(!problems.is_empty(), "refused without a reason");
            for problem in problems.iter().chain(&warnings) {
                let shown = problem.to_string();
                assert!(!shown.contains(HIDDEN), "{shown}");
                assert!(!shown.chars().any(char::is_control), "{shown:?}");
            }
            let again = load().err().map(|problems| problems.to_string());
            assert_eq!(again, Some(Problems::Found { problems, warnings }.to_string()));
            false
        }
        Err(other) => panic!("{other}"),
    }
}

const HIDDEN: &str = "a secret that is hidden";
