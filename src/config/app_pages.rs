//! `[host.NAME.app_pages]`: the pages SuperOffice's portal asks for, where they are ours.

use std::sync::Arc;

use super::section::{Named, Section};
use super::url_path::canonical_path;
use super::{Key, RelyingParty, Table};

pub(super) const TABLE: Table = Table {
    header: "host.NAME.app_pages",
    keys: &[
        Key::optional("install", "\"/install\""),
        Key::optional("configure", "\"/configure\""),
        Key::optional("configure_to", "\"/settings\""),
        Key::optional("uninstall", "\"/uninstall\""),
        Key::optional("error", "\"/superoffice-error\""),
        Key::optional("relying_party", "\"main\""),
    ],
};

/// The paths that are ours; those left out are the app's.
#[derive(Clone, Debug)]
pub struct AppPages {
    pub install: Option<String>,
    /// The path, and the app's page it leads to after sign-in.
    pub configure: Option<(String, String)>,
    pub uninstall: Option<String>,
    pub error: Option<String>,
    /// Whom people install, configure and uninstall here.
    pub relying_party: Arc<RelyingParty>,
}

impl AppPages {
    /// Every path of ours.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let configure = self.configure.as_ref().map(|(path, _)| path);
        let paths =
            [self.install.as_ref(), configure, self.uninstall.as_ref(), self.error.as_ref()];
        paths.into_iter().flatten().map(String::as_str)
    }
}

/// Reads the table of a host, where it is written.
pub(super) fn app_pages(
    host: &Section,
    parties: &Named<RelyingParty>,
    serving: Option<&[Arc<RelyingParty>]>,
) -> Option<AppPages> {
    if !host.has("app_pages") {
        return None;
    }
    let section = host.section("app_pages", TABLE.keys);
    let path = |name| section.optional(name, canonical_path);
    let pages = (path("install"), path("uninstall"), path("error"));
    let configure = configure(&section);
    let relying_party = match section.has("relying_party") {
        true => section.optional("relying_party", |value| {
            let party = parties.find(value)?;
            match serving?.iter().any(|serving| serving.name == party.name) {
                true => Some(party),
                false => value.refuse("does not serve this host", "name one that does"),
            }
        }),
        false => the_one(&section, serving?),
    };
    let (install, uninstall, error) = pages;
    Some(AppPages { install, configure, uninstall, error, relying_party: relying_party? })
}

/// A path of ours is nothing else's, neither of the host nor among these.
pub(super) fn refuse_taken(pages: &AppPages, host: &Section, taken: impl Fn(&str) -> bool) {
    let section = host.section("app_pages", TABLE.keys);
    let named = [
        ("install", pages.install.as_ref()),
        ("configure", pages.configure.as_ref().map(|(path, _)| path)),
        ("uninstall", pages.uninstall.as_ref()),
        ("error", pages.error.as_ref()),
    ];
    for (name, path) in named {
        let Some(path) = path else { continue };
        let twice = pages.paths().filter(|other| other == path).count() > 1;
        if twice || taken(path) {
            section.reading.problem(
                &section.place(name),
                format!("\"{path}\" means something else here"),
                format!("choose another, such as {}", section.example(name)),
            );
        }
    }
}

fn configure(section: &Section) -> Option<(String, String)> {
    let path = section.optional("configure", canonical_path);
    let to = section.optional("configure_to", canonical_path);
    let (missing, there) = match (section.has("configure"), section.has("configure_to")) {
        (true, false) => ("configure_to", "configure"),
        (false, true) => ("configure", "configure_to"),
        _ => return path.zip(to),
    };
    section.reading.problem(
        &section.place(there),
        format!("says nothing without {missing}"),
        format!("write {missing} = {} too", section.example(missing)),
    );
    None
}

fn the_one(section: &Section, serving: &[Arc<RelyingParty>]) -> Option<Arc<RelyingParty>> {
    if let [party] = serving {
        return Some(party.clone());
    }
    section.reading.problem(
        &section.place("relying_party"),
        "is missing, and the host has none or several",
        "write which one these pages are for",
    );
    None
}
