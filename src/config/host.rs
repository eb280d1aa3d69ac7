//! `[host.NAME]`: a public origin people reach us under, and who may sign in there.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::web::PublicOrigin;

use super::section::{Named, Section};
use super::url_path::{canonical_path, origin};
use super::value::Value;
use super::{AppPages, Flow, Key, RelyingParty, Table, app_pages, relying_party};

pub(super) const TABLE: Table = Table {
    header: "host.NAME",
    keys: &[
        Key::required("origin", "\"https://app.example\""),
        Key::defaulted("prefix", "\"/auth\""),
        Key::optional("relying_parties", "[\"main\"]"),
        Key::optional("post_logout_path", "\"/auth/signed_out\""),
        Key::optional("notice_path", "\"/auth/tenant_change\""),
        Key::defaulted("oauth2_proxy_paths", "false"),
        Key::defaulted("cors_origins", "[]").such_as("[\"https://www.example.com\"]"),
        Key::optional("app_pages", "{}"),
        Key::optional("hsts", "{}"),
    ],
};

pub(super) const HSTS_TABLE: Table = Table {
    header: "host.NAME.hsts",
    keys: &[
        Key::defaulted("max_age", "\"365d\""),
        Key::defaulted("include_subdomains", "false"),
        Key::defaulted("preload", "false"),
    ],
};

/// One public host.
#[derive(Clone, Debug)]
pub struct Host {
    pub name: String,
    pub origin: PublicOrigin,
    /// Where our own pages live under it: `/auth` by default; no slash at its end.
    pub prefix: String,
    /// Who can sign people in here, in the order the chooser shows them; at least one, unless
    /// every route of the host is public.
    pub relying_parties: Vec<Arc<RelyingParty>>,
    /// Where SuperID sends people back after sign-out: our signed-out page by default, or a path.
    pub post_logout_path: String,
    /// Where SuperOffice posts its state-change notices; without it that path is nobody's.
    pub notice_path: Option<String>,
    /// Whether `/oauth2/start`, `/oauth2/sign_in`, `/oauth2/sign_out` and `/oauth2/userinfo` answer
    /// too.
    pub oauth2_proxy_paths: bool,
    /// Whose pages may send requests here from scripts, besides the host's own, and read what we say.
    pub cors_origins: Vec<PublicOrigin>,
    /// Pages for those who install the app, where they are ours.
    pub app_pages: Option<AppPages>,
    /// The value of `Strict-Transport-Security` (RFC 6797 §6.1), where it is sent.
    pub hsts: Option<String>,
}

impl Host {
    /// Our own paths here, all but the redirect paths; nothing else may stand on them.
    pub(super) fn own_paths(&self) -> Vec<String> {
        let mut paths: Vec<String> = OURS.map(|own| format!("{}/{own}", self.prefix)).into();
        if self.oauth2_proxy_paths {
            let theirs = ["start", "sign_in", "sign_out", "userinfo"];
            paths.extend(theirs.map(|own| format!("/oauth2/{own}")));
        }
        paths
    }

    /// Whether SuperID answers there: at a redirect URL or at an error callback URL.
    pub fn is_answered_at(&self, path: &str) -> bool {
        let error = |party: &RelyingParty| party.error_callback_path.as_deref() == Some(path);
        self.relying_parties.iter().any(|party| party.redirect_path == path || error(party))
    }

    /// Whether a path means something here, besides pages for those who install the app.
    fn has_use_for(&self, path: &str) -> bool {
        let inside = path
            .strip_prefix(&self.prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let returns = self.is_answered_at(path);
        let notices = self.notice_path.as_deref() == Some(path);
        let own = self.own_paths().iter().any(|own| own == path);
        inside || returns || notices || own || path == self.post_logout_path || path == "/"
    }
}

/// What stands under the prefix of every host.
const OURS: [&str; 10] = [
    "start",
    "sign_in",
    "sign_out",
    "signed_out",
    "finish",
    "choose",
    "keys",
    "renew",
    "renew.js",
    "userinfo",
];

/// Reads every host, and checks them against each other and their relying parties.
pub(super) fn hosts(root: &Section, parties: &Named<RelyingParty>) -> Named<Host> {
    let tables = root.named("host", TABLE.keys);
    let party_tables = root.named("relying_party", relying_party::TABLE.keys);
    if tables.is_empty() && !root.has("host") && !root.has("job_listener") {
        let wrong = "there is no host: nobody could reach anything";
        let instead = "add [host.main] with origin = \"https://app.example\"";
        root.reading.problem(&root.place("host"), wrong, instead);
    }
    let mut entries: BTreeMap<String, Option<Arc<Host>>> = BTreeMap::new();
    for (name, section) in tables {
        let host = host(&name, &section, parties).map(Arc::new);
        if let Some(host) = &host {
            refuse_same_authority(host, &section, &entries);
            refuse_shared_paths(host, &party_tables);
            refuse_taken_error_paths(host, &party_tables);
            refuse_signing_out_in_circles(host, &section);
            refuse_taken_notice_path(host, &section);
            if let Some(pages) = &host.app_pages {
                app_pages::refuse_taken(pages, &section, |path| host.has_use_for(path));
            }
        }
        entries.insert(name, host);
    }
    Named { what: "host", entries }
}

fn host(name: &str, section: &Section, parties: &Named<RelyingParty>) -> Option<Host> {
    let origin = section.read("origin", origin);
    let prefix = section.read("prefix", own_prefix);
    let relying_parties = match section.has("relying_parties") {
        true => section.optional("relying_parties", |value| parties.find_each(value)),
        false => parties.all(),
    };
    let post_logout_path = section.optional("post_logout_path", canonical_path);
    let notice_path = section.optional("notice_path", canonical_path);
    let oauth2_proxy_paths = section.read("oauth2_proxy_paths", |value| value.boolean());
    let cors_origins = cors_origins(section, origin.as_ref());
    let app_pages = app_pages::app_pages(section, parties, relying_parties.as_deref());
    let hsts = section.has("hsts").then(|| hsts(section, origin.as_ref()));
    let prefix = prefix?;
    Some(Host {
        name: name.to_owned(),
        origin: origin?,
        relying_parties: relying_parties?,
        post_logout_path: post_logout_path.unwrap_or_else(|| format!("{prefix}/signed_out")),
        prefix,
        notice_path,
        oauth2_proxy_paths: oauth2_proxy_paths?,
        cors_origins: cors_origins?,
        app_pages,
        hsts: hsts.map_or(Some(None), |read| read.map(Some))?,
    })
}

/// Exact origins, each once; the host's own pages may anyway.
fn cors_origins(section: &Section, own: Option<&PublicOrigin>) -> Option<Vec<PublicOrigin>> {
    section.read("cors_origins", |value| {
        value.distinct(|item| {
            let named = origin(item)?;
            match own == Some(&named) {
                true => item.refuse("is the host itself", "leave it out"),
                false => Some(named),
            }
        })
    })
}

/// What browsers are told: never to come by http again. Lists of preloaded hosts want a year at least
/// and the subdomains too.
fn hsts(host: &Section, origin: Option<&PublicOrigin>) -> Option<String> {
    let section = host.section("hsts", HSTS_TABLE.keys);
    let max_age = section.read("max_age", |value| value.duration(0, 10 * YEAR));
    let subdomains = section.read("include_subdomains", |value| value.boolean());
    let preload = section.read("preload", |value| value.boolean());
    let (max_age, subdomains, preload) = (max_age?.as_secs(), subdomains?, preload?);
    if origin.is_some_and(|origin| !origin.is_https()) {
        let instead = "leave [host.NAME.hsts] out, or make the origin https";
        section.reading.problem(&section.header, "means nothing on a host without https", instead);
    }
    if preload && (!subdomains || max_age < YEAR) {
        section.reading.problem(
            &section.place("preload"),
            "wants a year at least, and the subdomains too",
            "write max_age = \"365d\" and include_subdomains = true, or leave preload out",
        );
    }
    let mut value = format!("max-age={max_age}");
    if subdomains {
        value.push_str("; includeSubDomains");
    }
    if preload {
        value.push_str("; preload");
    }
    Some(value)
}

/// In seconds, as HSTS counts it.
const YEAR: u64 = 31_536_000;

fn own_prefix(value: &Value) -> Option<String> {
    let path = canonical_path(value)?;
    if path == "/" {
        return value.refuse("\"/\" would take every path from the app", value.key.hint());
    }
    Some(path)
}

fn refuse_same_authority(
    host: &Host,
    section: &Section,
    earlier: &BTreeMap<String, Option<Arc<Host>>>,
) {
    let same = |other: &&Arc<Host>| other.origin.authority() == host.origin.authority();
    if let Some(other) = earlier.values().flatten().find(same) {
        section.reading.problem(
            &section.place("origin"),
            format!("{} is what [host.{}] answers to", host.origin.authority(), other.name),
            "give each host an origin of its own",
        );
    }
}

/// Each of our paths under one host means one thing. Relying parties of the code flow may share a
/// redirect path, because `state` tells them apart; a legacy answer carries none.
fn refuse_shared_paths(host: &Host, party_tables: &[(String, Section)]) {
    let own = host.own_paths();
    for (index, party) in host.relying_parties.iter().enumerate() {
        let Some((_, section)) = party_tables.iter().find(|(name, _)| *name == party.name) else {
            continue;
        };
        let (path, place) = (&party.redirect_path, section.place("redirect_path"));
        if own.contains(path) || *path == host.post_logout_path {
            let wrong = format!("\"{path}\" means something else on [host.{}]", host.name);
            section.reading.problem(&place, wrong, "choose another, such as \"/auth/callback\"");
        }
        if let Some(other) = mixed_up_with(host, party) {
            let wrong = format!(
                "[relying_party.{}] has \"{path}\" too, people sign in elsewhere with it, and both \
                 serve [host.{}]",
                other.name, host.name
            );
            let instead = "choose another: an answer of one could be taken for the other's";
            section.reading.problem(&place, wrong, instead);
        }
        let rival = host.relying_parties[..index]
            .iter()
            .find(|rival| rival.redirect_path == *path && is_legacy(rival) && is_legacy(party));
        if let Some(rival) = rival {
            let wrong = format!(
                "[relying_party.{}] has \"{path}\" too, both are legacy, and both serve [host.{}]",
                rival.name, host.name
            );
            let instead = "choose another: a legacy answer does not say whose it is";
            section.reading.problem(&place, wrong, instead);
        }
    }
}

/// Who else on a host has this party's redirect path, so that an answer of one authority could be
/// taken to another (RFC 9700 §4.4.2.2: mix-up).
fn mixed_up_with<'h>(host: &'h Host, party: &RelyingParty) -> Option<&'h RelyingParty> {
    let mixes = |other: &&RelyingParty| {
        other.redirect_path == party.redirect_path
            && other.authority.name() != party.authority.name()
            && (other.environment().is_none() || party.environment().is_none())
    };
    host.relying_parties.iter().map(|other| &**other).find(mixes)
}

/// An error callback is not a callback: what comes there is shown, never believed.
fn refuse_taken_error_paths(host: &Host, party_tables: &[(String, Section)]) {
    for party in &host.relying_parties {
        let Some(path) = &party.error_callback_path else { continue };
        let table = party_tables.iter().find(|(name, _)| *name == party.name);
        let Some((_, section)) = table else { continue };
        let redirect = host.relying_parties.iter().any(|other| other.redirect_path == *path);
        let ours = host.own_paths().contains(path) || *path == host.prefix;
        if redirect || ours || *path == host.post_logout_path {
            section.reading.problem(
                &section.place("error_callback_path"),
                format!("\"{path}\" means something else on [host.{}]", host.name),
                format!("choose another, such as \"{}/error\"", host.prefix),
            );
        }
    }
}

fn refuse_signing_out_in_circles(host: &Host, section: &Section) {
    let signed_out = format!("{}/signed_out", host.prefix);
    let path = &host.post_logout_path;
    if *path != signed_out && host.own_paths().contains(path) {
        section.reading.problem(
            &section.place("post_logout_path"),
            format!("\"{path}\" means something else here"),
            format!("leave it out for \"{signed_out}\", or name a path of the app"),
        );
    }
}

/// Notices come from a program: no page can stand on their path as well.
fn refuse_taken_notice_path(host: &Host, section: &Section) {
    let Some(path) = &host.notice_path else { return };
    let returns = host.is_answered_at(path);
    let ours = host.own_paths().contains(path) || *path == host.prefix;
    if ours || returns || *path == host.post_logout_path {
        section.reading.problem(
            &section.place("notice_path"),
            format!("\"{path}\" means something else here"),
            format!("choose another, such as \"{}/tenant_change\"", host.prefix),
        );
    }
}

fn is_legacy(party: &RelyingParty) -> bool {
    matches!(party.flow, Flow::Legacy(_))
}
