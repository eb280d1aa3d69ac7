//! Where the system user lacks a right: 403 that a fresh ticket did not cure.

use moka::sync::Cache;

use crate::clock::{Clock, Timestamp};
use crate::identity::TenantKey;

/// Remembers, for 15 minutes, by tenant and path prefix. Bounded: what is pushed out costs one
/// exchange at most.
pub(super) struct Rights {
    clock: Clock,
    lacking: Cache<(TenantKey, String), Timestamp>,
}

impl Rights {
    pub fn new(clock: Clock) -> Self {
        Self { clock, lacking: Cache::new(REMEMBERED) }
    }

    /// A fresh ticket got 403 here.
    pub fn remember(&self, key: &TenantKey, path: &str) {
        self.lacking.insert((key.clone(), prefix(path)), self.clock.now());
    }

    /// Whether that was so within the last 15 minutes.
    pub fn are_known_to_lack(&self, key: &TenantKey, path: &str) -> bool {
        let since = self.lacking.get(&(key.clone(), prefix(path)));
        since.is_some_and(|then| self.clock.now().0.abs_diff(then.0) < MEMORY)
    }

    /// The tenant's system user may have other rights now.
    pub fn forget(&self, key: &TenantKey) {
        let paths: Vec<_> =
            self.lacking.iter().map(|(known, _)| known).filter(|known| known.0 == *key).collect();
        for known in paths {
            self.lacking.invalidate(&*known);
        }
    }
}

/// Of what follows the tenant's name, the first three segments, `/api/v1/Contact`, and five where the
/// third is `Agents`, whose methods have rights of their own (`superid.md` §6). Case does not count, nor the query.
fn prefix(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).take(5).collect();
    let agents = segments.get(2).is_some_and(|part| part.eq_ignore_ascii_case("agents"));
    let depth = if agents { 5 } else { 3 };
    let mut prefix = segments[..segments.len().min(depth)].join("/").to_ascii_lowercase();
    let end = (0..=prefix.len().min(LONGEST)).rev().find(|end| prefix.is_char_boundary(*end));
    prefix.truncate(end.unwrap_or(0));
    prefix
}

const MEMORY: u64 = 15 * 60;
const REMEMBERED: u64 = 10_000;
/// Bytes: a caller chooses the path.
const LONGEST: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_three_segments_and_five_below_agents() {
        assert_eq!(prefix("/api/v1/Contact/5?$select=name"), "api/v1/contact");
        assert_eq!(prefix("/api/v1/Agents/Sale/Get/7"), "api/v1/agents/sale/get");
        assert_eq!(prefix("//api"), "api");
        assert_eq!(prefix(""), "");
        assert_eq!(prefix(&"/ø".repeat(3)), "ø/ø/ø");
        assert_eq!(prefix(&format!("/{}", "ø".repeat(300))).len(), LONGEST);
    }
}
