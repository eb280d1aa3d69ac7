//! What would happen to a request, told without sending it.

use std::fmt::Write as _;

use crate::config::{Access, Destination, PathMatch, Present, Route};
use crate::web::{CHECK_PATH, Slashes, canonical_but_for_slashes};

use super::decide::takes_encoded_slashes;
use super::site::Site;

/// Tells which host, route and rule a method and URL meet, and what would be sent to the app.
pub fn explain(site: &Site, method: &http::Method, url: &str) -> String {
    let mut out = String::new();
    let _infallible = explained(site, method, url, &mut out);
    out
}

fn explained(site: &Site, method: &http::Method, url: &str, out: &mut String) -> std::fmt::Result {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (authority, local) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let authority = authority.to_ascii_lowercase();
    let local = if local.is_empty() { "/" } else { local };
    let path = local.split('?').next().unwrap_or(local);
    writeln!(out, "request   {method} {authority}{path}")?;
    let Some(number) = site.table.host(&authority) else {
        writeln!(out, "host      none has this name: 421 Misdirected Request")?;
        return writeln!(out, "next      add a [host] whose origin is https://{authority}");
    };
    let host = &site.hosts[number].host;
    writeln!(out, "host      {} ({})", host.name, host.origin)?;
    let slashes = match canonical_but_for_slashes(path) {
        Ok(slashes) => slashes,
        Err(problem) => return writeln!(out, "path      refused: {problem}: 400 Bad Request"),
    };
    if slashes == Slashes::Encoded && !takes_encoded_slashes(site, number, path) {
        return writeln!(
            out,
            "path      refused: its route takes no encoded slash: 400 Bad Request"
        );
    }
    if host.relying_parties.iter().any(|party| party.redirect_path == path) {
        return writeln!(out, "answer    by the gateway itself: the callback of a sign-in");
    }
    if *method == http::Method::CONNECT || *method == http::Method::TRACE {
        return writeln!(out, "method    not one that is passed on: 405 Method Not Allowed");
    }
    let aliases = ["/oauth2/start", "/oauth2/sign_in", "/oauth2/sign_out", "/oauth2/userinfo"];
    if host.oauth2_proxy_paths && aliases.contains(&path) {
        return writeln!(
            out,
            "answer    by the gateway itself: oauth2-proxy's name of a page of ours"
        );
    }
    if path == host.prefix || path.starts_with(&format!("{}/", host.prefix)) {
        return writeln!(out, "answer    by the gateway itself: a page under {}", host.prefix);
    }
    match site.table.route(number, path) {
        Some(route) => route_told(site.route(route), out),
        None => writeln!(out, "route     none has this path: 404 Not Found"),
    }
}

fn route_told(route: &Route, out: &mut String) -> std::fmt::Result {
    let matching = match route.path.matching {
        PathMatch::Exact => "exactly",
        PathMatch::Prefix => "and below",
    };
    writeln!(out, "route     {} ({} {matching})", route.name, route.path.path)?;
    match &route.upstream {
        Destination::App(upstream) => {
            let each = upstream.servers.each.iter().map(ToString::to_string);
            writeln!(out, "upstream  {}", each.collect::<Vec<_>>().join(", "))?;
        }
        Destination::Checked => {
            writeln!(out, "upstream  the proxy's own: it asks first, at {CHECK_PATH}")?
        }
        Destination::Tenant(_) => {
            writeln!(out, "upstream  the web services of the tenant of whoever is signed in")?;
        }
    }
    let restriction = match &route.access {
        Access::Public => {
            writeln!(out, "access    public: anybody, and nothing about the caller is sent")?;
            return writeln!(
                out,
                "removed   every identity header a client sends, in any spelling"
            );
        }
        Access::SignedIn(restriction) => restriction,
    };
    let mut rules = vec!["signed in".to_owned()];
    if !restriction.tenants.is_empty() {
        let names: Vec<&str> = restriction.tenants.iter().map(|ctx| ctx.as_str()).collect();
        rules.push(format!("tenant {}", names.join(" or ")));
    }
    if restriction.administrator {
        rules.push("administrator".to_owned());
    }
    for rule in &restriction.claims {
        rules.push(format!("{} {}", rule.claim, rule.values.join(" or ")));
    }
    writeln!(out, "access    {}", rules.join(", "))?;
    let parties: Vec<&str> =
        route.relying_parties.iter().map(|party| party.name.as_str()).collect();
    writeln!(out, "sign-in   {}", parties.join(" or "))?;
    if let Some(name) = &route.tenant_parameter {
        writeln!(out, "tenant    the one {name} names in the query: others sign in again")?;
    }
    writeln!(out, "otherwise a browser is sent to sign in; anything else gets 401")?;
    headers_told(route, out)
}

fn headers_told(route: &Route, out: &mut String) -> std::fmt::Result {
    let names = &route.headers;
    let identity = [
        &names.user,
        &names.context,
        &names.company,
        &names.email,
        &names.initials,
        &names.first_name,
        &names.last_name,
        &names.associate_id,
        &names.administrator,
        &names.web_api_url,
        &names.soap_url,
    ];
    let told: Vec<&str> = identity.into_iter().flatten().map(|name| name.as_str()).collect();
    writeln!(out, "sent      {}", told.join(", "))?;
    let ticket = names.ticket.as_ref().map_or("nothing", |name| name.as_str());
    let bearer = names.bearer.as_ref().map_or("nothing", |name| name.as_str());
    match route.present {
        Present::Auto => {
            writeln!(out, "           {ticket} (after a legacy sign-in) or {bearer}: Bearer …")
        }
        Present::Bearer => writeln!(out, "           {bearer}: Bearer …"),
        Present::Nothing => writeln!(out, "           no credential"),
        Present::SystemUser => {
            writeln!(out, "           {ticket}: the ticket of the tenant's system user")
        }
        Present::Ticket => writeln!(out, "           {ticket}"),
    }?;
    if let Some(name) = &names.assertion {
        writeln!(out, "           {name}: all but the credential, signed")?;
    }
    if route.oauth2_proxy_headers {
        writeln!(out, "           and oauth2-proxy's X-Forwarded-User, -Email, …")?;
    }
    writeln!(out, "removed   every identity header a client sends, in any spelling; our cookies")
}
