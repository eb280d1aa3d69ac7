//! Reads `[route.NAME]`: each route by itself.

use std::sync::Arc;
use std::time::Duration;

use crate::identity::ContextId;

use super::header_names::header_names;
use super::reading::quoted;
use super::route::TABLE;
use super::route_bounds_read::route_bounds;
use super::section::{Named, Section, is_name};
use super::tenant_name::tenant;
use super::upstream_read::server_url;
use super::url_path::canonical_path;
use super::value::Value;
use super::{
    Access, ClaimRule, Destination, EncodedSlashes, Host, HostHeader, PathMatch, PathPattern,
    Patience, Present, RelyingParty, Restriction, Route, RouteBounds, ServerHeaders, Servers,
    Upstream,
};

/// A route beside the table it was read from, so that later rules can point at it.
pub(super) struct ReadRoute<'d> {
    pub section: Section<'d>,
    pub route: Route,
}

/// Reads every route; a broken one, reported, is left out.
pub(super) fn routes<'d>(
    root: &Section<'d>,
    (hosts, parties): (&Named<Host>, &Named<RelyingParty>),
    upstreams: &Named<Servers>,
) -> Vec<ReadRoute<'d>> {
    let tables = root.named("route", TABLE.keys);
    if tables.is_empty() && !root.has("route") && (root.has("host") || !root.has("job_listener")) {
        let wrong = "there is no route: every request would be refused";
        let instead = "add [route.app] with upstream = \"http://127.0.0.1:3000\"";
        root.reading.problem(&root.place("route"), wrong, instead);
    }
    tables
        .into_iter()
        .filter_map(|(name, section)| {
            let route = route(name, &section, (hosts, parties), upstreams)?;
            Some(ReadRoute { section, route })
        })
        .collect()
}

fn route(
    name: String,
    section: &Section,
    (hosts, parties): (&Named<Host>, &Named<RelyingParty>),
    upstreams: &Named<Servers>,
) -> Option<Route> {
    let served = match section.has("hosts") {
        true => section.optional("hosts", |value| some_hosts(value, hosts)),
        false => hosts.all(),
    };
    let path = path_pattern(section);
    let encoded_slashes = section.read("encoded_slashes", |value| {
        value.choice(&[("refuse", EncodedSlashes::Refuse), ("pass", EncodedSlashes::Pass)])
    });
    let upstream = destination(section, upstreams);
    let server_headers = section.read("server_headers", |value| {
        value.choice(&[("remove", ServerHeaders::Remove), ("pass", ServerHeaders::Pass)])
    });
    let access = access(section);
    let bounds = route_bounds(section, access.as_ref());
    let chosen = section.optional("relying_parties", |value| parties.find_each(value));
    let tenant_parameter = section.optional("tenant_parameter", parameter);
    let keep_post = keep_post(section, bounds.as_ref());
    let keep_fragment = section.read("keep_fragment", |value| value.boolean());
    let store_outage = section.read("store_outage", store_outage);
    let present = section.read("present", credential);
    let headers = header_names(section);
    let oauth2_proxy_headers = section.read("oauth2_proxy_headers", |value| value.boolean());
    let hosts = served?;
    let relying_parties = match section.has("relying_parties") {
        true => chosen?,
        false => of_hosts(&hosts),
    };
    Some(Route {
        name,
        hosts,
        path: path?,
        encoded_slashes: encoded_slashes?,
        upstream: upstream?,
        server_headers: server_headers?,
        bounds: bounds?,
        access: access?,
        relying_parties,
        tenant_parameter,
        keep_post: keep_post?,
        keep_fragment: keep_fragment?,
        store_outage: store_outage?,
        present: present?,
        headers: headers?,
        oauth2_proxy_headers: oauth2_proxy_headers?,
    })
}

/// Bounded, because whoever was signed out elsewhere meanwhile is let in.
fn store_outage(value: &Value) -> Option<Duration> {
    match value.text()? {
        "refuse" => Some(Duration::ZERO),
        _ => value.duration(5, 600),
    }
}

/// Only what the route takes at all is kept; `Some(None)` where nothing is.
fn keep_post(section: &Section, bounds: Option<&RouteBounds>) -> Option<Option<usize>> {
    if !section.has("keep_post") {
        return Some(None);
    }
    let kept = section.optional("keep_post", |value| value.bytes(1, 1 << 20))?;
    if bounds.is_some_and(|bounds| bounds.body_bytes < kept) {
        let wrong = "is more than body_bytes: nothing as large would pass";
        section.reading.problem(
            &section.place("keep_post"),
            wrong,
            "make it the smaller of the two",
        );
    }
    Some(Some(kept))
}

/// SuperOffice's panels have `uctx` and `ctx` (`superid.md` §8); names are compared without case.
fn parameter(value: &Value) -> Option<String> {
    let name = value.text()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if (1..=40).contains(&name.len()) && name.bytes().all(plain) {
        return Some(name.to_ascii_lowercase());
    }
    let wrong = format!("{} is not a query parameter's name", quoted(name));
    value.refuse(wrong, value.key.hint())
}

fn credential(value: &Value) -> Option<Present> {
    value.choice(&[
        ("auto", Present::Auto),
        ("bearer", Present::Bearer),
        ("nothing", Present::Nothing),
        ("system_user", Present::SystemUser),
        ("ticket", Present::Ticket),
    ])
}

fn some_hosts(value: &Value, hosts: &Named<Host>) -> Option<Vec<Arc<Host>>> {
    let found = hosts.find_each(value)?;
    if found.is_empty() {
        return value.refuse("is empty: nothing would reach the route", "leave it out for all");
    }
    Some(found)
}

/// Everybody who can sign people in on these hosts, each once.
fn of_hosts(hosts: &[Arc<Host>]) -> Vec<Arc<RelyingParty>> {
    let mut found: Vec<Arc<RelyingParty>> = Vec::new();
    for party in hosts.iter().flat_map(|host| &host.relying_parties) {
        if !found.iter().any(|known| known.name == party.name) {
            found.push(party.clone());
        }
    }
    found
}

fn path_pattern(section: &Section) -> Option<PathPattern> {
    let path = section.read("path", canonical_path);
    let matching = section.read("match", |value| {
        value.choice(&[("prefix", PathMatch::Prefix), ("exact", PathMatch::Exact)])
    });
    Some(PathPattern { path: path?, matching: matching? })
}

fn destination(section: &Section, upstreams: &Named<Servers>) -> Option<Destination> {
    let says = |word| section.optional("upstream", |value| value.raw.as_str().map(|it| it == word));
    if says(CHECKED) == Some(true) {
        return Some(checked(section));
    }
    if says(TENANT) != Some(true) {
        return upstream(section, upstreams).map(Destination::App);
    }
    let connect = section.read("connect_timeout", |value| value.duration(1, 60));
    let read = section.read("read_timeout", |value| value.duration(1, 86_400));
    let ours = [
        ("host_header", "the tenant's host is named by its own name"),
        ("headers", "a tenant is sent its credential alone"),
        ("keep_fragment", "no page of an app is there"),
        ("keep_post", "no page of an app is there"),
        ("oauth2_proxy_headers", "a tenant is sent its credential alone"),
        ("server_headers", "they are always removed from a tenant's answers"),
    ];
    refuse_idle(section, TENANT, ours);
    Some(Destination::Tenant(Patience { connect: connect?, read: read? }))
}

/// Nothing of these requests comes by here but the question about them.
fn checked(section: &Section) -> Destination {
    let the_proxys = "the proxy carries the request";
    let ours = ["host_header", "connect_timeout", "read_timeout", "websocket_idle_timeout"];
    let more = ["server_headers", "body_bytes", "max_requests", "keep_post", "keep_fragment"];
    let ours = ours.into_iter().chain(more).map(|key| (key, the_proxys));
    refuse_idle(section, CHECKED, ours);
    Destination::Checked
}

fn refuse_idle(
    section: &Section,
    word: &str,
    keys: impl IntoIterator<Item = (&'static str, &'static str)>,
) {
    for (key, why) in keys {
        if section.has(key) {
            let wrong = format!("means nothing beside upstream = \"{word}\": {why}");
            section.reading.problem(&section.place(key), wrong, "leave it out");
        }
    }
}

fn upstream(section: &Section, upstreams: &Named<Servers>) -> Option<Upstream> {
    let servers = section.read("upstream", |value| match value.raw.as_str() {
        Some(text) if is_name(text) => upstreams.find(value),
        _ => server_url(value).map(|server| Arc::new(Servers::one(server))),
    });
    let host_header = section.read("host_header", |value| {
        value.choice(&[("public", HostHeader::Public), ("upstream", HostHeader::Upstream)])
    });
    let connect_timeout = section.read("connect_timeout", |value| value.duration(1, 60));
    let read_timeout = section.read("read_timeout", |value| value.duration(1, 86_400));
    Some(Upstream {
        servers: servers?,
        host_header: host_header?,
        connect_timeout: connect_timeout?,
        read_timeout: read_timeout?,
    })
}

fn access(section: &Section) -> Option<Access> {
    #[derive(Clone, Copy, PartialEq)]
    enum Word {
        Public,
        SignedIn,
    }
    let word = section.read("access", |value| {
        value.choice(&[("signed_in", Word::SignedIn), ("public", Word::Public)])
    });
    let restriction = restriction(section);
    if word? == Word::SignedIn {
        return restriction.map(Access::SignedIn);
    }
    let guarded = ["tenants", "administrator", "claims", "present", "relying_parties"];
    let kept = ["keep_post", "keep_fragment", "store_outage", "tenant_parameter"];
    for limit in guarded.into_iter().chain(kept) {
        if section.has(limit) {
            section.reading.problem(
                &section.place(limit),
                "means nothing on a public route",
                "write access = \"signed_in\", or leave it out",
            );
        }
    }
    Some(Access::Public)
}

fn restriction(section: &Section) -> Option<Restriction> {
    let tenants = section.read("tenants", tenants);
    let administrator = section.read("administrator", |value| value.boolean());
    let claims = section.read("claims", |value| value.entries(claim_rule));
    Some(Restriction { tenants: tenants?, administrator: administrator?, claims: claims? })
}

fn tenants(value: &Value) -> Option<Vec<ContextId>> {
    value.distinct(tenant)
}

fn claim_rule(name: &str, value: &Value) -> Option<ClaimRule> {
    if name.is_empty() || name.len() > 200 || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        let wrong = format!("{} is not a claim's name", quoted(name));
        return value.refuse(wrong, "write a name such as identityprovider, or a whole URI");
    }
    let values = value.distinct(|item| item.line(200))?;
    if values.is_empty() {
        return value.refuse("is empty: nobody could pass", "list the values that may pass");
    }
    let claim = match name.contains([':', '/']) {
        true => name.to_owned(),
        false => format!("{CLAIM_PREFIX}{name}"),
    };
    Some(ClaimRule { claim, values })
}

/// The word for an app that a proxy reaches by itself.
const CHECKED: &str = "checked";
/// The word for a person's own tenant where an address would stand.
const TENANT: &str = "tenant";
/// What SuperOffice's own claims begin with (`superid.md` §3.2).
const CLAIM_PREFIX: &str = "http://schemes.superoffice.net/identity/";
