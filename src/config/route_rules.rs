//! What must hold between routes, their hosts and the listeners.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::provider_rules::refuse_credentials;
use super::reading::{Place, Reading};
use super::route_read::ReadRoute;
use super::{
    Access, Destination, Flow, Host, JobListener, Listener, PathMatch, Present, RelyingParty,
    Route, Server, ServerPlace,
};

/// Checks all routes together.
pub(super) fn check(routes: &[ReadRoute], listeners: (&[Listener], &[Arc<JobListener>])) {
    for (index, read) in routes.iter().enumerate() {
        for other in &routes[..index] {
            refuse_tie(read, other);
        }
        for host in &read.route.hosts {
            refuse_own_path(read, host);
            refuse_nobody(read, host);
        }
        refuse_strangers(read);
        refuse_ourselves(read, listeners);
        warn_about_credential(read);
        refuse_unlimited_system_user(read);
        refuse_tenant_without_credential(read);
        refuse_credentials(read);
    }
}

/// What no route names does nothing.
pub(super) fn warn_unused(reading: &Reading, upstreams: &[Place], routes: &[ReadRoute]) {
    let apps = || routes.iter().filter_map(|read| read.route.upstream.app());
    for place in upstreams {
        let name = place.key.strip_prefix("upstream.").unwrap_or(&place.key);
        if !apps().any(|app| app.servers.name.as_deref() == Some(name)) {
            let instead = format!("write upstream = \"{name}\" on a route, or take it out");
            reading.warn(place, "no route leads there", instead);
        }
    }
}

fn refuse_tie(read: &ReadRoute, other: &ReadRoute) {
    let (route, rival) = (&read.route, &other.route);
    let shared = route.hosts.iter().find(|host| rival.hosts.iter().any(|it| it.name == host.name));
    let (Some(host), true) = (shared, route.path == rival.path) else { return };
    let reading = read.section.reading;
    let there = reading.sources().spot(other.section.place("path").offset);
    let matching = match route.path.matching {
        PathMatch::Exact => "exactly",
        PathMatch::Prefix => "as a prefix",
    };
    reading.problem(
        &read.section.place("path"),
        format!(
            "[route.{}] at {there} matches {} {matching} on [host.{}] too",
            rival.name, route.path.path, host.name
        ),
        "give one of them another path, match or hosts",
    );
}

fn refuse_own_path(read: &ReadRoute, host: &Host) {
    let path = read.route.path.path.as_str();
    let inside = path
        .strip_prefix(&host.prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let taken = host.is_answered_at(path);
    let notices = host.notice_path.as_deref() == Some(path);
    let page = host.app_pages.as_ref().is_some_and(|ours| ours.paths().any(|one| one == path));
    if inside || taken || notices || page || host.own_paths().iter().any(|own| own == path) {
        read.section.reading.problem(
            &read.section.place("path"),
            format!("\"{path}\" belongs to the gateway on [host.{}]", host.name),
            "choose another path, or another prefix or redirect_path there",
        );
    }
}

/// A guarded route on a host where nobody could sign in for it.
fn refuse_nobody(read: &ReadRoute, host: &Host) {
    if read.route.access == Access::Public {
        return;
    }
    let reading = read.section.reading;
    if host.relying_parties.is_empty() {
        reading.problem(
            &read.section.place("access"),
            format!("needs people signed in, and [host.{}] has no relying party", host.name),
            "give the host one, or write access = \"public\"",
        );
    } else if !read.route.relying_parties.iter().any(|party| serves(host, party)) {
        reading.problem(
            &read.section.place("relying_parties"),
            format!("none of them serves [host.{}]", host.name),
            "name one of the host's relying parties, or leave the host out",
        );
    } else if !read
        .route
        .relying_parties
        .iter()
        .any(|party| serves(host, party) && read.route.could_admit(party))
    {
        reading.problem(
            &read.section.place("tenants"),
            format!("no relying party of [host.{}] signs people of them in here", host.name),
            "name the tenant of one of its relying parties, or add one without a tenant",
        );
    }
}

fn refuse_strangers(read: &ReadRoute) {
    let route = &read.route;
    for party in &route.relying_parties {
        if !route.hosts.iter().any(|host| serves(host, party)) {
            read.section.reading.problem(
                &read.section.place("relying_parties"),
                format!("{} serves none of the route's hosts", party.name),
                "leave it out, or add it to a host's relying_parties",
            );
        }
    }
}

fn refuse_ourselves(read: &ReadRoute, (listeners, jobs): (&[Listener], &[Arc<JobListener>])) {
    let Some(app) = read.route.upstream.app() else { return };
    let people = listeners
        .iter()
        .filter_map(|one| Some((one.address.network()?, format!("listener.{}", one.name))));
    let jobs = jobs
        .iter()
        .filter_map(|one| Some((one.address.network()?, format!("job_listener.{}", one.name))));
    let reached = |address: SocketAddr| app.servers.each.iter().any(|one| reaches(one, address));
    let Some((_, table)) = people.chain(jobs).find(|(address, _)| reached(*address)) else {
        return;
    };
    read.section.reading.problem(
        &read.section.place("upstream"),
        format!("is this gateway's own [{table}]"),
        "name the address the app listens on",
    );
}

fn warn_about_credential(read: &ReadRoute) {
    let Route { present, relying_parties, .. } = &read.route;
    let legacy = |party: &RelyingParty| matches!(party.flow, Flow::Legacy(_));
    let no_bearer = |party: &RelyingParty| {
        legacy(party) || (!party.response.parts.code && !party.response.parts.token)
    };
    let (wrong, flow) = match present {
        Present::Ticket if !relying_parties.iter().any(|party| legacy(party)) => {
            ("only a legacy sign-in gives a ticket, and nobody here signs in that way", "legacy")
        }
        Present::Bearer if relying_parties.iter().all(|party| legacy(party)) => {
            ("a legacy sign-in gives no bearer token, and everybody here signs in that way", "code")
        }
        Present::Bearer if relying_parties.iter().all(|party| no_bearer(party)) => (
            "an id_token alone brings no bearer token, and everybody here signs in that way",
            "code",
        ),
        _ => return,
    };
    if read.route.access != Access::Public {
        let instead = format!("add a relying party with flow = \"{flow}\", or change present");
        read.section.reading.warn(&read.section.place("present"), wrong, instead);
    }
}

/// The system user may do whatever the app may, in anybody's name: whoever lets people act through
/// it says so, and says who.
fn refuse_unlimited_system_user(read: &ReadRoute) {
    let (route, section) = (&read.route, &read.section);
    let acknowledged = section.read("acknowledge_system_user", |value| value.boolean());
    let acknowledged = acknowledged.unwrap_or(true);
    let presented = route.present == Present::SystemUser;
    let place = section.place("present");
    if acknowledged && !presented && section.has("acknowledge_system_user") {
        section.reading.problem(
            &section.place("acknowledge_system_user"),
            "means nothing where the system user is not presented",
            "write present = \"system_user\", or leave it out",
        );
    }
    if presented && !acknowledged {
        section.reading.problem(
            &place,
            "\"system_user\" lets people do what their own rights in SuperOffice forbid",
            "write acknowledge_system_user = true if that is meant, or present = \"auto\"",
        );
    }
    let Access::SignedIn(restriction) = &route.access else { return };
    if presented && !restriction.administrator && restriction.claims.is_empty() {
        section.reading.problem(
            &place,
            "\"system_user\" is for administrators, or for people with a certain claim",
            "write administrator = true, or claims = { … }",
        );
    }
    for party in &route.relying_parties {
        if presented && party.system_user.is_none() {
            section.reading.problem(
                &place,
                format!("[relying_party.{}] has no system user", party.name),
                format!("add [relying_party.{}.system_user] with its key", party.name),
            );
        }
    }
}

/// A tenant answers nobody without a credential.
fn refuse_tenant_without_credential(read: &ReadRoute) {
    let (route, section) = (&read.route, &read.section);
    if !matches!(route.upstream, Destination::Tenant(_)) {
        return;
    }
    if route.access == Access::Public {
        section.reading.problem(
            &section.place("access"),
            "\"public\" says of no tenant which one is meant",
            "write access = \"signed_in\"",
        );
    }
    if route.present == Present::Nothing {
        let wrong = "\"nothing\" is no credential, and a tenant asks for one";
        section.reading.problem(&section.place("present"), wrong, "leave it out for \"auto\"");
    }
    if route.path.matching == PathMatch::Exact {
        let wrong = "\"exact\" would leave out the path of every web service";
        section.reading.problem(&section.place("match"), wrong, "leave it out for \"prefix\"");
    }
}

fn reaches(server: &Server, address: SocketAddr) -> bool {
    let ServerPlace::Net { host, port } = &server.place else { return false };
    let listens = address.ip();
    let local = |ip: IpAddr| ip == listens || (ip.is_loopback() && listens.is_unspecified());
    *port == address.port()
        && match host.parse::<IpAddr>() {
            Ok(ip) => local(ip),
            Err(_) => host == "localhost" && (listens.is_loopback() || listens.is_unspecified()),
        }
}

fn serves(host: &Host, party: &RelyingParty) -> bool {
    host.relying_parties.iter().any(|own| own.name == party.name)
}
