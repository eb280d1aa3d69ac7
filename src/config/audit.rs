//! `[audit]`: where the record of who did what is written.

use super::destination::{LineDestination, destination};
use super::section::Section;
use super::{Key, Table};

pub(super) const TABLE: Table = Table {
    header: "audit",
    keys: &[
        Key::defaulted("enabled", "true"),
        Key::defaulted("to", "\"stdout\""),
        Key::optional("path", "\"/var/log/superid-gateway/audit.log\""),
    ],
};

/// The audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    pub enabled: bool,
    pub to: LineDestination,
}

/// Reads the table.
pub(super) fn audit(root: &Section) -> Option<Audit> {
    let section = root.section("audit", TABLE.keys);
    let enabled = section.read("enabled", |value| value.boolean());
    let to = destination(&section);
    Some(Audit { enabled: enabled?, to: to? })
}
