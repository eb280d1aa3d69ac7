//! Several files as one: tables grow together, and a key stands in one file alone.

use toml::de::{DeTable, DeValue};

use super::reading::{Place, Reading};
use super::secret_source::is_secret;

/// Lays one file's tables over those of the files before it.
pub(super) fn merge<'t>(
    reading: &Reading<'t>,
    under: &mut DeTable<'t>,
    over: DeTable<'t>,
    path: &str,
) {
    for (name, value) in over {
        let key = match path {
            "" => name.get_ref().to_string(),
            path => format!("{path}.{}", name.get_ref()),
        };
        let offset = value.span().start;
        let Some(there) = under.get_mut(name.get_ref().as_ref()) else {
            under.insert(name, value);
            continue;
        };
        let first = there.span().start;
        match (there.get_mut(), value.into_inner()) {
            (DeValue::Table(ours), DeValue::Table(theirs))
                if !is_secret(ours) && !is_secret(&theirs) =>
            {
                merge(reading, ours, theirs, &key);
            }
            _ => reading.problem(
                &Place { offset, key },
                format!("stands in {} too", reading.told(first)),
                "leave one of them out",
            ),
        }
    }
}
