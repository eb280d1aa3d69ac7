//! To https, and back to it: a listener that sends everybody on, and what browsers are told to
//! remember.

use super::downstream::Downstream;
use http::{HeaderValue, StatusCode, header};
use pingora::http::ResponseHeader;

use crate::web::{Inbound, Refusal, Reply};

use super::entrance;
use super::respond::Refused;
use super::site::{HostSite, Site};
use super::verdict::Verdict;

/// The same address by https, where one of our hosts has that name; its port is the host's own. 308
/// keeps the method and the body (RFC 9110 §15.4.9).
pub(super) fn sent_on(site: &Site, inbound: &Inbound<'_>) -> Verdict {
    let asked = without_port(inbound.authority());
    let named = |host: &&HostSite| host.host.origin.is_https() && host.host.origin.host() == asked;
    let Some(host) = site.hosts.iter().find(named) else {
        return Verdict::Refuse(Refused::refusal(Refusal::UnknownHost));
    };
    let location = format!("{}{}", host.host.origin, inbound.target());
    match HeaderValue::try_from(location) {
        Ok(location) => {
            let text = "this host is served by https";
            let reply = Reply::text(StatusCode::PERMANENT_REDIRECT, text);
            Verdict::Answer(reply.with(header::LOCATION, location))
        }
        Err(_) => Verdict::Refuse(Refused::refusal(Refusal::Target)),
    }
}

/// An answer of ours with what browsers are told of its host's https. Where it goes out without
/// TLS, for https alone, it means nothing and is not said (RFC 6797 §7.2).
pub(super) fn pinned(reply: Reply, downstream: &Downstream<'_>, site: &Site) -> Reply {
    if site.hosts.iter().all(|host| host.hsts.is_none())
        || entrance::is_to_go_by_https(downstream)
        || entrance::job_door(downstream).is_some()
    {
        return reply;
    }
    let host = site.host_named_by(downstream.req_header());
    match host.and_then(|host| host.hsts.clone()) {
        Some(hsts) => reply.with(header::STRICT_TRANSPORT_SECURITY, hsts),
        None => reply,
    }
}

/// The same for an app's answer. What the configuration says counts, not the app.
pub(super) fn pin(response: &mut ResponseHeader, host: &HostSite) {
    if let Some(hsts) = &host.hsts {
        let name = header::STRICT_TRANSPORT_SECURITY;
        let _always_a_header = response.insert_header(name, hsts.clone());
    }
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}
