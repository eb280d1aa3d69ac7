//! Finds the most specific path pattern that covers a path.

use std::collections::HashMap;

use crate::config::{PathMatch, PathPattern};

/// The path patterns of one host. An exact match beats a prefix, a longer prefix beats a shorter
/// one; a lookup costs one hash for each segment of the path, however many patterns there are.
#[derive(Debug, Default)]
pub(super) struct Matcher {
    exact: HashMap<String, usize>,
    prefixes: HashMap<String, usize>,
    /// Bytes of the longest prefix: what is longer is not looked up.
    longest: usize,
}

impl Matcher {
    /// Adds a pattern for the route numbered `route`; a configuration holds each only once.
    pub(super) fn insert(&mut self, pattern: &PathPattern, route: usize) {
        match pattern.matching {
            PathMatch::Exact => self.exact.insert(pattern.path.clone(), route),
            PathMatch::Prefix => {
                let path = pattern.path.strip_suffix('/').unwrap_or(&pattern.path);
                self.longest = self.longest.max(path.len());
                self.prefixes.insert(path.to_owned(), route)
            }
        };
    }

    /// The route of the most specific pattern that covers `path`, which is canonical.
    pub(super) fn find(&self, path: &str) -> Option<usize> {
        if let Some(route) = self.exact.get(path) {
            return Some(*route);
        }
        let mut end = match path.get(..=self.longest) {
            Some(longer) => longer.rfind('/')?,
            None => path.len(),
        };
        loop {
            if let Some(route) = self.prefixes.get(&path[..end]) {
                return Some(*route);
            }
            end = path[..end].rfind('/')?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(patterns: &[(&str, PathMatch)]) -> Matcher {
        let mut matcher = Matcher::default();
        for (route, (path, matching)) in patterns.iter().enumerate() {
            let pattern = PathPattern { path: (*path).to_owned(), matching: *matching };
            matcher.insert(&pattern, route);
        }
        matcher
    }

    #[test]
    fn the_most_specific_pattern_wins_in_any_order() {
        use PathMatch::{Exact, Prefix};
        let matcher =
            matcher(&[("/", Prefix), ("/a/b", Prefix), ("/a", Prefix), ("/a/b/c", Exact)]);
        for (path, route) in [
            ("/", 0),
            ("/ab", 0),
            ("/a", 2),
            ("/a/x", 2),
            ("/a/b", 1),
            ("/a/b/c", 3),
            ("/a/b/c/d", 1),
        ] {
            assert_eq!(matcher.find(path), Some(route), "{path}");
        }
    }

    #[test]
    fn whole_segments_are_compared() {
        let matcher = matcher(&[("/admin", PathMatch::Prefix)]);
        assert_eq!(matcher.find("/admin/"), Some(0));
        assert_eq!(matcher.find("/administration"), None);
        assert_eq!(matcher.find("/"), None);
    }
}
