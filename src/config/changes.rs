//! Which tables of a configuration are other than they were, by name.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use super::{Host, JobListener, RelyingParty, Route, Settings, Upstream};

/// The tables that differ, sorted: `+route.new`, `-route.gone` or `route.changed`. Values are never in
/// it, and neither is whether a secret alone is another one.
pub fn changed_tables(before: &Settings, after: &Settings) -> Vec<String> {
    let (before, after) = (tables(before), tables(after));
    let mut changed: Vec<String> = Vec::new();
    for (name, table) in &after {
        match before.get(name) {
            None => changed.push(format!("+{name}")),
            Some(known) if known != table => changed.push(name.clone()),
            Some(_) => {}
        }
    }
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    changed.extend(gone.map(|name| format!("-{name}")));
    changed.sort_by(|one, other| one.trim_matches(['+', '-']).cmp(other.trim_matches(['+', '-'])));
    changed
}

/// Each table with all that it says. Secrets say how long they are, and nothing else.
fn tables(settings: &Settings) -> BTreeMap<String, String> {
    let Settings {
        admin,
        assertion,
        audit,
        forwarded,
        hosts,
        job_listeners,
        limits,
        listeners,
        log,
        ordered,
        redis,
        relying_parties,
        routes,
        session,
        traces,
        upstreams,
        vault,
    } = settings;
    let mut tables = BTreeMap::new();
    let mut single = |name: &str, table: &dyn Debug| {
        tables.insert(name.to_owned(), format!("{table:?}"));
    };
    single("admin", admin);
    single("assertion", assertion);
    single("audit", audit);
    single("forwarded", forwarded);
    single("limits", limits);
    single("log", log);
    single("redis", redis);
    single("session", session);
    single("traces", traces);
    single("vault", vault);
    hosts.iter().for_each(|host| single(&format!("host.{}", host.name), &alone(host)));
    ordered.iter().for_each(|one| single(&format!("certificate.{}", one.name), one));
    jobs(job_listeners, &mut single);
    listeners.iter().for_each(|one| single(&format!("listener.{}", one.name), one));
    relying_parties.iter().for_each(|one| single(&format!("relying_party.{}", one.name), one));
    for servers in upstreams {
        single(&format!("upstream.{}", servers.name.as_deref().unwrap_or_default()), servers);
    }
    for route in routes {
        let hosts: Vec<&str> = route.hosts.iter().map(|host| host.name.as_str()).collect();
        let own = Route { hosts: Vec::new(), relying_parties: Vec::new(), ..route.clone() };
        let mut own = format!("{own:?}");
        if let Some(app) = route.upstream.app().filter(|app| app.servers.name.is_some()) {
            own = own.replace(&format!("{:?}", app.servers), "");
        }
        let refers = (hosts, names(&route.relying_parties), route.upstream.app().map(named));
        single(&format!("route.{}", route.name), &(own, refers));
    }
    tables
}

/// The tables about jobs: a listener by what is its own, and each caller by itself.
fn jobs(listeners: &[Arc<JobListener>], single: &mut dyn FnMut(&str, &dyn Debug)) {
    for listener in listeners {
        let callers: Vec<&str> = listener.callers.iter().map(|it| it.name.as_str()).collect();
        let own = JobListener { callers: Vec::new(), ..(**listener).clone() };
        let own = (format!("{own:?}").replace(&format!("{:?}", own.relying_party), ""), callers);
        single(&format!("job_listener.{}", listener.name), &own);
        for caller in &listener.callers {
            single(&format!("job_caller.{}", caller.name), caller);
        }
    }
}

/// A host without what it refers to, and the names of that.
fn alone(host: &Host) -> (Host, Vec<&str>) {
    let own = Host { relying_parties: Vec::new(), ..host.clone() };
    (own, names(&host.relying_parties))
}

fn named(app: &Upstream) -> Option<&str> {
    app.servers.name.as_deref()
}

fn names(parties: &[Arc<RelyingParty>]) -> Vec<&str> {
    parties.iter().map(|party| party.name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::load_text;

    const BASE: &str = "[host.main]\norigin = \"https://a.example\"\n\
         [session]\nkeys = [{ value = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\" }]\n";
    const APP: &str = "[route.app]\nupstream = \"http://127.0.0.1:1\"\naccess = \"public\"\n";
    const API: &str = "[route.api]\npath = \"/api\"\nupstream = \"http://127.0.0.1:2\"\n\
         access = \"public\"\n";

    fn settings(more: &str) -> Settings {
        let text = format!("{BASE}{more}");
        load_text(&text, "test", Path::new("."), &|_| None).unwrap().settings
    }

    #[test]
    fn what_came_went_or_changed_is_told_by_name() {
        let before = settings(&format!("{APP}[limits]\nform_bytes = \"32KiB\"\n"));
        let moved = APP.replace(":1", ":9");
        assert_eq!(changed_tables(&before, &before), Vec::<String>::new());
        assert_eq!(
            changed_tables(&before, &settings(&format!("{moved}{API}"))),
            ["limits", "+route.api", "route.app"]
        );
        let (with, without) = (settings(&format!("{APP}{API}")), settings(APP));
        assert_eq!(changed_tables(&with, &without), ["-route.api"]);
    }
}
